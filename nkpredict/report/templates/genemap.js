
// The map of contributions: one pixel a cell, stretched by the style sheet.
(() => {
  "use strict";
  const figure = document.getElementById("gene-map");
  if (!figure) { return; }
  const map = JSON.parse(document.getElementById("gene-map-data").textContent);
  const canvas = figure.querySelector("canvas");
  const cursor = figure.querySelector(".cursor");
  const reading = document.getElementById("map-reading");
  const columns = map.samples.length;
  const rows = map.genes.length;

  // Colour by transparency, so that 0 is the colour of the paper, light or dark.
  const image = new ImageData(columns, rows);
  map.values.forEach((line, row) => line.forEach((steps, column) => {
    const strength = Math.min(Math.abs(steps) / map.limit, 1);
    const colour = steps > 0 ? [0, 125, 200] : [225, 100, 0];
    image.data.set([...colour, Math.round(255 * strength)], 4 * (row * columns + column));
  }));
  canvas.getContext("2d").putImageData(image, 0, 0);
  figure.style.setProperty("--columns", columns);

  const digits = Math.min(Math.max(2 - Math.floor(Math.log10(map.unit * 1000)), 3), 6);
  const written = (value) => {
    const text = Math.abs(value).toFixed(digits);
    return Number(text) === 0 ? text : `${value > 0 ? "+" : "−"}${text}`;
  };
  let at = null;
  const show = (column, row) => {
    at = [column, row];
    const value = written(map.values[row][column] * map.unit);
    reading.textContent = `${map.genes[row]} in ${map.samples[column]}: ${value}`;
    canvas.title = reading.textContent;
    cursor.hidden = false;
    cursor.style.left = `${100 * column / columns}%`;
    cursor.style.top = `${100 * row / rows}%`;
    cursor.style.width = `${100 / columns}%`;
    cursor.style.height = `${100 / rows}%`;
  };
  const open = () => { if (at) { location.hash = `sample-${map.ranks[at[0]]}`; } };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(columns * (event.clientX - box.left) / box.width);
    const row = Math.floor(rows * (event.clientY - box.top) / box.height);
    if (column >= 0 && column < columns && row >= 0 && row < rows) { show(column, row); }
  });
  canvas.addEventListener("click", open);
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { open(); }
    const move = moves[event.key];
    if (!move) { return; }
    event.preventDefault();
    const [column, row] = at ?? [0, 0];
    show(
      at ? Math.min(Math.max(column + move[0], 0), columns - 1) : 0,
      at ? Math.min(Math.max(row + move[1], 0), rows - 1) : 0,
    );
  });
})();
