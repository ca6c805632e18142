// Pages of single samples, drawn when they are asked for.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const list = byId("sample-list");
  const fold = list.closest("details");
  const search = byId("sample-search");
  const hits = byId("sample-hits");
  const previous = byId("previous-sample");
  const next = byId("next-sample");
  const everything = byId("all-samples");
  const simulated = document.body.classList.contains("simulated");
  const MOST_TOGETHER = 300;
  const MOST_HITS = 8;

  let read = null;
  const pages = () => { read ??= JSON.parse(byId("sample-data").textContent); return read; };
  document.querySelectorAll("a[data-sample]").forEach((link) => {
    link.href = `#sample-${link.dataset.sample}`;
  });

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.append(...children);
    return element;
  };
  const drawn = (tag, attributes = {}, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.textContent = text;
    return element;
  };
  const decimal = (value, places = 3) => {
    const text = Math.abs(value).toFixed(places);
    return value < 0 && Number(text) !== 0 ? `−${text}` : text;
  };
  const signed = (value) => (value > 0 && Number(value.toFixed(3)) !== 0 ? `+${decimal(value)}` : decimal(value));
  const shortened = (text) => (text.length > 16 ? `${text.slice(0, 15)}…` : text);

  // Round values between two ends, five at most.
  const ticksOf = (low, high) => {
    const power = 10 ** Math.floor(Math.log10((high - low) / 4));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size * 4 >= (high - low) * (1 - 1e-9));
    const first = Math.ceil(low / step);
    const values = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
    return [values, Math.min(Math.max(Math.ceil(-Math.log10(step) - 1e-9), 1), 5)];
  };

  const waterfall = (place, name, steps, base) => {
    const places = steps.reduce((all, [, change]) => [...all, all.at(-1) + change], [base]);
    const prediction = places.at(-1);
    const [least, most] = [Math.min(...places), Math.max(...places)];
    const room = most - least > 1e-9 ? 0.04 * (most - least) : 0.05;
    const [low, high] = [least - room, most + room];
    const at = (value) => Math.round(100 * (25 + (59 * (value - low)) / (high - low))) / 100;
    const [ticks, digits] = ticksOf(low, high);
    const floor = 26 * (steps.length + 2);
    const figure = drawn("svg", { class: "waterfall", height: floor + 44, role: "img" });
    figure.setAttribute("aria-label", `Contributions of genes to the prediction of sample ${name}: from ${decimal(base)}, `
      + `${steps.map(([gene, change]) => `${gene} ${signed(change)}`).join(", ")}, to ${decimal(prediction)}.`);
    const put = (tag, attributes, text) => figure.append(drawn(tag, attributes, text));
    if (simulated) { put("text", { class: "watermark", x: "54%", y: "50%" }, "SIMULATED"); }
    ticks.forEach((tick) => put("line", { class: "grid", x1: `${at(tick)}%`, x2: `${at(tick)}%`, y1: 4, y2: floor + 4 }));
    put("text", { class: "label strong", x: "23%", y: 18 }, "base value");
    put("circle", { cx: `${at(base)}%`, cy: 13, r: 4.5 });
    put("text", { class: "value strong", x: "100%", y: 18 }, decimal(base));
    steps.forEach(([gene, change, rest], i) => {
      const top = 26 * (i + 1);
      const [start, end] = [at(places[i]), at(places[i + 1])];
      put("line", { class: "link", x1: `${start}%`, x2: `${start}%`, y1: top - 6, y2: top + 6 });
      put("rect", {
        class: change > 0 ? "raises" : "lowers", x: `${Math.min(start, end)}%`, y: top + 6,
        width: `${Math.abs(end - start).toFixed(2)}%`, height: 14,
      });
      put("text", { class: rest ? "label rest" : "label", x: "23%", y: top + 18 }, shortened(gene));
      put("text", { class: "value", x: "100%", y: top + 18 }, signed(change));
    });
    const top = floor - 26;
    put("line", { class: "link", x1: `${at(prediction)}%`, x2: `${at(prediction)}%`, y1: top - 6, y2: top + 13 });
    put("text", { class: "label strong", x: "23%", y: top + 18 }, "prediction");
    put("circle", { class: "prediction", cx: `${at(prediction)}%`, cy: top + 13, r: 5.5 });
    put("text", { class: "value strong", x: "100%", y: top + 18 }, decimal(prediction));
    put("line", { class: "floor", x1: "25%", x2: "84%", y1: floor + 4, y2: floor + 4 });
    ticks.forEach((tick) => put("text", { class: "tick", x: `${at(tick)}%`, y: floor + 20 }, decimal(tick, digits)));
    put("text", { class: "axis-label", x: "54.5%", y: floor + 38 }, pages().word);
    return figure;
  };

  const chip = (text, kind) => make("span", { class: `chip ${kind}`.trim() }, text);
  const drugTable = (drugs, caption) => {
    const heads = ["Drug", "Acts on or reaches", "Warning: contrary on", "NK liability", "Tried with NK cells", "Phase"];
    const rows = drugs.map(([place, genes, contrary]) => {
      const [drug, liability, kind, tried, phase] = pages().drugs[place];
      return make(
        "tr", {}, make("th", { scope: "row", class: "heads" }, drug), make("td", {}, genes),
        make("td", {}, contrary ? chip(contrary, "caution wraps") : "–"),
        make("td", {}, chip(liability, kind)), make("td", {}, tried), make("td", {}, phase),
      );
    });
    const head = make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text))));
    const table = make("table", { class: "sample-drugs" }, make("caption", {}, caption), head, make("tbody", {}, ...rows));
    return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, table);
  };

  const pageOf = (place) => {
    const { samples, labels, genes, base, beside, none } = pages();
    const [name, score, words, flags, facts, at, parts, rest, above, below] = samples[place - 1];
    const steps = at.map((gene, i) => [genes[gene], parts[i]]);
    if (rest !== null) { steps.push(["other genes", rest, true]); }
    const heading = make(
      "h3", { tabindex: "-1" }, make("span", { class: "rank" }, String(place)), make("bdi", { class: "name" }, name),
      ...flags.map((flag) => chip(flag, "caution")), make("span", { class: "score" }, score),
    );
    const rows = labels.flatMap((label, i) => (
      (facts[i] ?? null) === null ? [] : [make("div", {}, make("dt", {}, label), make("dd", {}, facts[i]))]
    ));
    const page = make(
      "article", { class: "sample", id: `sample-${place}` }, heading, make("p", { class: "prose" }, words),
      make(
        "div", { class: "sample-body" }, make("figure", {}, waterfall(place, name, steps, base)),
        make("dl", { class: "facts narrow" }, ...rows),
      ),
    );
    if (above.length) { page.append(drugTable(above, `Drugs by the genes that lower this sample beside ${beside}, best first. Hypotheses for the laboratory.`)); }
    if (below.length) { page.append(drugTable(below, "Below the line: these act on such genes too, but harm NK cells.")); }
    if (!above.length && none) { page.append(make("p", { class: "hint" }, none)); }
    return page;
  };

  let current = 0;
  const together = () => everything.getAttribute("aria-pressed") === "true";
  const show = (place) => {
    current = place;
    everything.setAttribute("aria-pressed", "false");
    list.replaceChildren(pageOf(place));
    previous.disabled = place === 1;
    next.disabled = place === pages().samples.length;
  };
  const showAll = () => {
    everything.setAttribute("aria-pressed", "true");
    list.replaceChildren(...pages().samples.map((_, i) => pageOf(i + 1)));
  };
  const openFold = () => {
    if (current) { return; }
    everything.hidden = pages().samples.length > MOST_TOGETHER;
    show(1);
  };
  previous.addEventListener("click", () => { show(current - 1); });
  next.addEventListener("click", () => { show(current + 1); });
  everything.addEventListener("click", () => { if (together()) { show(current); } else { showAll(); } });
  fold.addEventListener("toggle", () => { if (fold.open) { openFold(); } });

  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    const found = [];
    if (wanted) {
      pages().samples.some(([name], i) => {
        if (name.toLowerCase().includes(wanted)) { found.push([name, i + 1]); }
        return found.length > MOST_HITS;
      });
    }
    hits.replaceChildren(
      ...found.slice(0, MOST_HITS).map(([name, place]) => make("li", {}, make("a", { href: `#sample-${place}` }, name))),
      ...(found.length > MOST_HITS ? [make("li", {}, "and more")] : []),
      ...(wanted && !found.length ? [make("li", {}, "none")] : []),
    );
  });

  const openTarget = () => {
    const [, asked] = location.hash.match(/^#sample-(\d+)$/) ?? [];
    const place = Number(asked);
    if (!asked || place < 1 || place > pages().samples.length) { return; }
    current ||= place;
    fold.open = true;
    if (together()) { current = place; } else { show(place); }
    everything.hidden = pages().samples.length > MOST_TOGETHER;
    const page = byId(`sample-${place}`);
    page.scrollIntoView();
    page.querySelector("h3").focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();

  // The figure of all samples: the nearest point is told, and opened by a click.
  const figure = byId("ranking-figure");
  if (!figure) { return; }
  const reading = byId("ranking-reading");
  const points = [...figure.querySelectorAll("circle")].map((point) => (
    [parseFloat(point.getAttribute("cx")), Number(point.dataset.sample)]
  ));
  const nearest = (event) => {
    const box = figure.getBoundingClientRect();
    const across = 100 * (event.clientX - box.left) / box.width;
    return points.reduce((best, point) => (
      Math.abs(point[0] - across) < Math.abs(best[0] - across) ? point : best
    ))[1];
  };
  figure.addEventListener("pointermove", (event) => {
    const place = nearest(event);
    const [name, score] = pages().samples[place - 1];
    reading.textContent = `${place}. ${name}: ${score}`;
  });
  figure.addEventListener("click", (event) => { location.hash = `sample-${nearest(event)}`; });
})();
