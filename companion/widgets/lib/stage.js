import { h } from "./dom.js";
import { ramp } from "./theme.js";

const HEADER = 76; // pixels above the matrix, for the keys' names
const ramps = new Map();

function rampOf(stops) {
  const name = stops.join();
  if (!ramps.has(name)) ramps.set(name, ramp(stops));
  return ramps.get(name);
}

/** The largest absolute value that is not hidden. */
export function largest(rows) {
  let peak = 0;
  for (const row of rows) for (const value of row) if (value !== -Infinity) peak = Math.max(peak, Math.abs(value));
  return peak;
}

/** A function from a value to its pixel; weights run from 0 to 1, scores from −peak to peak. */
function colourScale(rows, { softmax, colours }) {
  const steps = rampOf(softmax ? colours.weights : colours.scores);
  if (softmax) return (value) => steps[Math.round(255 * Math.min(1, value))];
  const peak = Math.max(1e-9, largest(rows));
  return (value) => steps[Math.round(127.5 * (1 + value / peak))];
}

/** Paints rows of values, one pixel a value, masked ones grey; the style sheet stretches them. */
export function paintMatrix(canvas, rows, scale) {
  if (canvas.width !== rows[0].length) canvas.width = rows[0].length;
  if (canvas.height !== rows.length) canvas.height = rows.length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const pixel = colourScale(rows, scale);
  const [grey] = rampOf([scale.colours.masked, scale.colours.masked]);
  let at = 0;
  rows.forEach((row, i) => {
    for (let j = 0; j < row.length; j++) pixels[at++] = scale.masked(i, j) ? grey : pixel(row[j]);
  });
  context.putImageData(image, 0, 0);
}

/**
 * Keys, arcs, queries and matrix, side by side, one line of pixels a token.
 * The queries are a list box (one stop of the Tab key): up and down choose a query, left and right walk
 * along its keys. Pointing previews a row (`onHover`, without arguments when the pointer leaves), pressing
 * picks it (`onPick`); `picked()` tells the row and column from which the arrow keys go on.
 */
export function stage({ keys, queries, padding, picked, onHover, onPick }) {
  const rowHeight = Math.min(26, Math.max(3, Math.floor(416 / queries.length)));
  const height = rowHeight * queries.length;
  const keyHeight = Math.min(26, height / keys.length);
  const dense = rowHeight < 14;
  const prefix = `q${Math.random().toString(36).slice(2)}`;
  let geometry = {};
  let [hovered, selected] = ["", undefined];

  const matrix = h("canvas", { class: "matrix", "aria-hidden": "true" });
  const overlay = h("canvas", { class: "overlay", "aria-hidden": "true" });
  const items = queries.map((token, i) =>
    h("li", {
      id: `${prefix}-${i}`, role: "option", "aria-selected": "false",
      style: `top:${i * rowHeight}px;height:${rowHeight}px;line-height:${rowHeight}px`,
    }, token));
  const list = h("ul", {
    class: dense ? "queries dense" : "queries", role: "listbox", tabindex: "0",
    "aria-label": "Queries. Up and down choose one, left and right walk along its keys.",
    onkeydown: step,
  }, ...items);
  const element = h("div", {
    class: "stage", style: `height:${height + HEADER}px`,
    onpointermove: (event) => event.pointerType === "mouse" && point(event, hover),
    onpointerleave: () => {
      hovered = "";
      onHover();
    },
    onpointerdown: (event) => point(event, onPick),
  }, matrix, overlay, list);

  function point(event, callback) {
    const box = element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top - HEADER];
    const row = Math.floor(y / rowHeight);
    if (row < 0 || row >= queries.length) return;
    const column = Math.floor((x - geometry.matrixLeft) / geometry.cellWidth);
    callback(row, x >= geometry.matrixLeft && column < keys.length ? column : -1);
  }

  function hover(row, column) {
    if (hovered === `${row},${column}`) return;
    hovered = `${row},${column}`;
    onHover(row, column);
  }

  function step(event) {
    const [row, column] = picked();
    const last = queries.length - 1;
    const next = {
      ArrowDown: [Math.min(row + 1, last), column], ArrowUp: [Math.max(row - 1, 0), column],
      ArrowRight: [row, Math.min(column + 1, keys.length - 1)], ArrowLeft: [row, Math.max(column - 1, 0)],
      Home: [0, column], End: [last, column],
    }[event.key];
    if (!next) return;
    event.preventDefault();
    onPick(...next);
  }

  function resize() {
    const width = element.clientWidth;
    const narrow = width < 480;
    const longest = Math.max(...keys.concat(queries).map((token) => token.length));
    const label = Math.min(narrow ? 76 : 120, 8 * longest + 18);
    const arcs = narrow ? 36 : Math.min(130, width / 6);
    const matrixLeft = 2 * label + arcs + 4;
    const matrixWidth = Math.min(width - matrixLeft, narrow ? Infinity : 1.8 * height);
    geometry = { width, label, arcs, matrixLeft, matrixWidth, cellWidth: matrixWidth / keys.length };
    Object.assign(list.style, { left: `${label + arcs}px`, top: `${HEADER}px`, width: `${label}px`, height: `${height}px` });
    Object.assign(matrix.style, { left: `${matrixLeft}px`, top: `${HEADER}px`, width: `${matrixWidth}px`, height: `${height}px` });
    const ratio = devicePixelRatio;
    overlay.width = width * ratio;
    overlay.height = (height + HEADER) * ratio;
    Object.assign(overlay.style, { width: `${width}px`, height: `${height + HEADER}px` });
    overlay.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  function highlight(rows, row, column, scale) {
    if (!geometry.width) resize();
    if (items[row] !== selected) {
      selected?.setAttribute("aria-selected", "false");
      selected = items[row];
      selected.setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", selected.id);
    }
    const context = overlay.getContext("2d");
    context.clearRect(0, 0, geometry.width, height + HEADER);
    const values = rows[row];
    const strongest = values.reduce((best, value, j) => (value > values[best] ? j : best), 0);
    drawArcs(context, rows, row, scale);
    drawKeyNames(context, values, [strongest, column], scale.colours);
    drawFrame(context, row, column, scale.colours);
  }

  const middle = (i, size) => HEADER + (i + 0.5) * size;

  function drawArcs(context, rows, row, scale) {
    const { accent, scores } = scale.colours;
    const [x1, x2] = [geometry.label, geometry.label + geometry.arcs];
    const y2 = middle(row, rowHeight);
    const peak = Math.max(1e-9, ...rows[row].map((x) => (x === -Infinity ? 0 : Math.abs(x))));
    const bend = geometry.arcs / 2;
    rows[row].forEach((value, j) => {
      const share = value === -Infinity ? 0 : Math.abs(value) / (scale.softmax ? 1 : peak);
      if (share < 0.004) return;
      const y1 = middle(j, keyHeight);
      context.strokeStyle = scale.softmax ? accent : scores[value < 0 ? 1 : 3];
      context.globalAlpha = 0.1 + 0.9 * share;
      context.lineWidth = 1 + 5 * share;
      context.beginPath();
      context.moveTo(x1, y1);
      context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  function drawKeyNames(context, values, always, colours) {
    const upright = geometry.cellWidth >= 11;
    context.textBaseline = "middle";
    keys.forEach((token, j) => {
      const forced = always.includes(j);
      if (keyHeight < 11 && !forced) return;
      context.font = `${forced ? "600 " : ""}${keyHeight < 14 ? 11 : 14}px system-ui, sans-serif`;
      context.fillStyle = padding[j] ? colours.muted : colours.key;
      context.textAlign = "right";
      context.fillText(fit(context, token, geometry.label - 6), geometry.label - 4, middle(j, keyHeight));
      if (!upright && !forced) return;
      context.save();
      if (geometry.cellWidth < 16) context.font = `${forced ? "600 " : ""}11px system-ui, sans-serif`;
      context.translate(geometry.matrixLeft + (j + 0.5) * geometry.cellWidth, HEADER - 5);
      context.rotate(-Math.PI / 2);
      context.textAlign = "left";
      context.fillText(fit(context, token, HEADER - 8), 0, 0);
      context.restore();
    });
  }

  function drawFrame(context, row, column, colours) {
    const { matrixLeft, matrixWidth, cellWidth } = geometry;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.strokeRect(matrixLeft - 0.5, HEADER - 0.5, matrixWidth + 1, height + 1);
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    context.strokeRect(matrixLeft, HEADER + row * rowHeight, matrixWidth, rowHeight);
    if (column < 0) return;
    context.lineWidth = 3;
    context.strokeRect(matrixLeft + column * cellWidth, HEADER + row * rowHeight, cellWidth, rowHeight);
  }

  return { element, resize, highlight, paint: (rows, scale) => paintMatrix(matrix, rows, scale) };
}

/** `text`, cut with an ellipsis where it is wider than `width` pixels. */
function fit(context, text, width) {
  const fits = (words) => context.measureText(words).width <= width;
  if (fits(text)) return text;
  const letters = [...text];
  const cut = (end) => `${letters.slice(0, end).join("")}…`;
  let [low, high] = [1, letters.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(cut(middle))) low = middle;
    else high = middle;
  }
  return cut(low);
}
