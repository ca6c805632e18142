
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const simulated = document.body.classList.contains("simulated");

  all(".needs-script").forEach((element) => { element.hidden = false; });

  // Colours
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const nameTheme = () => { theme.setAttribute("aria-pressed", String(isDark())); };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  prefersDark.addEventListener("change", nameTheme);
  nameTheme();

  // Tables: headings become buttons; the sorter listens to clicks on the heading around them.
  all("table.sortable thead th:not(.no-sort)").forEach((heading) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...heading.childNodes);
    heading.append(button);
  });

  // A cell that a spreadsheet would run as a formula gets an apostrophe, unless it is a number.
  const defused = (text) => {
    const number = text.trim() !== "" && !Number.isNaN(Number(text));
    return /^[=+\-@\t\r]/.test(text) && !number ? `'${text}` : text;
  };
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const words = (cell) => cell.textContent.replace(/\s+/g, " ").trim();
  const plain = (cell) => cell.dataset.csv ?? cell.dataset.sort ?? words(cell);
  const csvOf = (table) => {
    const headings = [...table.tHead.rows[0].cells];
    const kept = headings.flatMap((heading, place) => (heading.classList.contains("plot") ? [] : [place]));
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const lines = [
      [...kept.map((place) => words(headings[place])), ...(simulated ? ["note"] : [])],
      ...rows.map((row) => [...kept.map((place) => plain(row.cells[place])), ...(simulated ? ["SIMULATED"] : [])]),
    ];
    return lines.map((line) => line.map((text) => quoted(defused(text))).join(",")).join("\n") + "\n";
  };
  const download = (name, text) => {
    const link = document.createElement("a");
    // The mark in front tells spreadsheets that the text is UTF-8.
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  all(".tools[data-table]").forEach((tools) => {
    const table = document.getElementById(tools.dataset.table);
    const box = tools.querySelector("input");
    const facets = all("select", tools);
    const found = tools.querySelector(".found");
    const searched = new Map([...table.tBodies[0].rows].map((row) => [
      row,
      [...row.cells].filter((cell) => !cell.matches(".number, .plot")).map(words).join(" ").toLowerCase(),
    ]));
    const filter = () => {
      const wanted = box.value.trim().toLowerCase();
      let shown = 0;
      searched.forEach((text, row) => {
        const match = text.includes(wanted)
          && facets.every((facet) => !facet.value || plain(row.cells[facet.dataset.column]) === facet.value);
        row.hidden = !match;
        shown += match ? 1 : 0;
      });
      found.textContent = shown < searched.size ? `${shown} of ${searched.size} rows` : "";
    };
    box.addEventListener("input", filter);
    facets.forEach((facet) => facet.addEventListener("change", filter));
    tools.querySelector(".download").addEventListener("click", () => {
      download(`${simulated ? "SIMULATED-" : ""}nkpredict-${table.id.replace("-table", "")}.csv`, csvOf(table));
    });
  });

  // Parts that are folded away: all at once, and the one that a link leads into
  const folds = all("details.fold");
  const openAll = document.getElementById("open-all");
  openAll.addEventListener("click", () => {
    const open = openAll.getAttribute("aria-pressed") !== "true";
    openAll.setAttribute("aria-pressed", String(open));
    folds.forEach((fold) => { fold.open = open; });
  });
  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    const fold = target && target.closest("details.fold");
    if (fold && !fold.open) { fold.open = true; target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();
})();
