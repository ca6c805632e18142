
(() => {
  "use strict";
  const list = document.getElementById("sample-list");
  const samples = [...list.querySelectorAll("details")];
  const rows = [...document.querySelectorAll("#ranking-rows tr")];
  const box = document.getElementById("search");
  const found = document.getElementById("search-found");
  const names = rows.map((row) => row.querySelector(".name").textContent.toLowerCase());

  document.querySelectorAll(".needs-script").forEach((element) => { element.hidden = false; });

  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    let shown = 0;
    names.forEach((name, position) => {
      const match = name.includes(wanted);
      rows[position].hidden = !match;
      samples[position].hidden = !match;
      shown += match ? 1 : 0;
    });
    found.textContent = wanted ? `${shown} of ${names.length} samples` : "";
  });

  document.getElementById("open-all").addEventListener("click", () => {
    samples.forEach((sample) => { sample.open = true; });
  });
  document.getElementById("close-all").addEventListener("click", () => {
    samples.forEach((sample) => { sample.open = false; });
  });

  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    const sample = target && target.closest("#sample-list > details");
    if (sample) {
      sample.open = true;
      sample.querySelector("summary").focus();
    }
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((element) => { element.open = true; });
  });
  window.addEventListener("afterprint", () => {
    closed.forEach((element) => { element.open = false; });
  });
})();
