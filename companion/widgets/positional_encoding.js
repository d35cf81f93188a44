import css from "./positional_encoding.css";
import { chart, dot, stroke } from "./lib/chart.js";
import { guard, h, radios, soon } from "./lib/dom.js";
import { entry, frequencies, place, product } from "./lib/sinusoids.js";
import { ramp } from "./lib/theme.js";
import { defineWidget } from "./lib/widget.js";

const MAP = 260; // pixels, the height of the heat map
const LAYOUTS = ["paper", "tensor2tensor"];
const TRAITS = ["length", "d_model", "base", "formula", "dimension", "first", "second"];
const minus = (text) => text.replace("-", "−");
const three = (x) => minus(x.toFixed(3)).replace(/^−(0\.0+)$/, "$1");
const many = (x) => (x < 1000 ? x.toFixed(1) : Math.round(x).toLocaleString("en"));
const clamp = (x, last) => Math.min(Math.max(x, 0), last);

export default defineWidget(css, ({ model, root, onTheme }) => {
  let colours;
  let steps;
  let now;

  /** What the traits say, inside the table's bounds. */
  function read() {
    const [length, dModel, base, layout] = TRAITS.slice(0, 4).map((name) => model.get(name));
    return {
      length, dModel, base, layout, turns: frequencies(dModel, base, layout),
      dimension: clamp(model.get("dimension"), dModel - 1),
      first: clamp(model.get("first"), length - 1),
      second: clamp(model.get("second"), length - 1),
    };
  }

  // The controls. What no longer fits a smaller table moves inside before the table shrinks.
  function resize(name, value) {
    const within = name === "length" ? ["first", "second"] : ["dimension"];
    for (const inner of within) if (model.get(inner) >= value) model.set(inner, value - 1);
    model.set(name, value);
  }
  const slider = (label, bounds, oninput) => {
    const input = h("input", { type: "range", ...bounds, "aria-label": label, oninput: () => oninput(Number(input.value)) });
    const text = h("span", { class: "number size" });
    return { input, text, element: h("label", { class: "controls" }, text, input) };
  };
  const sizes = {
    length: slider("length", { min: 2, max: 256 }, (value) => resize("length", value)),
    dModel: slider("d_model", { min: 2, max: 128, step: 2 }, (value) => resize("d_model", value)),
    base: slider("base", { min: 1, max: 6, step: 0.1 }, (value) => model.set("base", Number((10 ** value).toPrecision(3)))),
  };
  const layouts = radios("formula", ["paper", "tensor2tensor"], (i) => model.set("formula", LAYOUTS[i]));

  // The heat map: press a column to choose its dimension, drag a handle to move a position.
  const canvas = h("canvas", { class: "matrix", "aria-hidden": "true" });
  const column = h("div", { class: "column" });
  const map = h("div", {
    class: "map", role: "slider", tabindex: "0", "aria-label": "dimension", "aria-valuemin": 0,
    onkeydown: (event) => step(event, "dimension", now.dModel - 1, ["ArrowLeft", "ArrowRight"]),
    onpointerdown: (event) => choose(event),
    onpointermove: (event) => event.buttons && choose(event),
  }, canvas, column);
  const handles = ["first", "second"].map((name, i) => h("div", {
    class: `handle ${name}`, role: "slider", tabindex: "0", "aria-orientation": "vertical", "aria-valuemin": 0,
    "aria-label": `${name} position`,
    onkeydown: (event) => step(event, name, now.length - 1, ["ArrowUp", "ArrowDown"]),
    onpointerdown: (event) => {
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onpointermove: (event) => event.buttons && drag(event, name),
  }, h("span", { class: "grip" }, "ij"[i])));
  const stage = h("div", { class: "stage", style: `height:${MAP}px` }, map, ...handles);

  function choose(event) {
    const box = map.getBoundingClientRect();
    model.set("dimension", clamp(Math.floor(((event.clientX - box.left) / box.width) * now.dModel), now.dModel - 1));
  }
  function drag(event, name) {
    const box = stage.getBoundingClientRect();
    model.set(name, clamp(Math.floor(((event.clientY - box.top) / MAP) * now.length), now.length - 1));
  }
  function step(event, name, last, [less, more]) {
    const at = now[name];
    const jump = Math.max(1, Math.round((last + 1) / 8));
    const other = less === "ArrowLeft" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const next = {
      [less]: at - 1, [more]: at + 1, [other[0]]: at - 1, [other[1]]: at + 1,
      PageUp: at - jump, PageDown: at + jump, Home: 0, End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    model.set(name, clamp(next, last));
  }

  // The three plots, each with a line that says what it shows.
  const wave = chart();
  const products = chart((distance) => {
    const far = Math.round(distance);
    model.set("second", now.first + far < now.length ? now.first + far : Math.max(0, now.first - far));
  });
  const lengths = chart((pair) => {
    const { wave: kind } = place(now.dimension, now.dModel, now.layout);
    const i = clamp(Math.round(pair), now.dModel / 2 - 1);
    const odd = kind === "cos" ? 1 : 0;
    model.set("dimension", now.layout === "paper" ? 2 * i + odd : i + odd * (now.dModel / 2));
  });
  const lines = [0, 1, 2].map(() => h("p", { class: "line number", role: "status" }));
  const panel = (title, plot, line) => h("section", {}, h("p", { class: "title" }, title), plot.element, line);
  const table = h("div", {});
  const details = h("details", { ontoggle: () => details.open && fillTable() }, h("summary", {}, "The two encodings as a table"), table);
  const scale = h("span", { class: "bar" });
  root.append(h("div", { class: "widget" },
    h("div", { class: "controls" }, ...Object.values(sizes).map(({ element }) => element), layouts.element),
    h("div", { class: "axis" },
      h("span", {}, "a row for each position ↓ a column for each dimension →"),
      h("span", { class: "legend", "aria-hidden": "true" }, "−1", scale, "1")),
    stage,
    h("p", { class: "hint" }, "Press a column to see its wave. Drag i and j to compare two positions."),
    h("div", { class: "panels" },
      panel("One dimension", wave, lines[0]),
      panel("pᵢ · pⱼ, by distance", products, lines[1]),
      panel("Wavelength of each pair", lengths, lines[2])),
    details));

  function paintMap() {
    const { length, dModel } = now;
    [canvas.width, canvas.height] = [dModel, length];
    const context = canvas.getContext("2d");
    const image = context.createImageData(dModel, length);
    const pixels = new Uint32Array(image.data.buffer);
    for (let position = 0, at = 0; position < length; position++) {
      for (let i = 0; i < dModel; i++) pixels[at++] = steps[Math.round(127.5 * (1 + entry(position, i, now)))];
    }
    context.putImageData(image, 0, 0);
  }

  function mark() {
    const { length, dModel, dimension } = now;
    Object.assign(column.style, { left: `${(100 * dimension) / dModel}%`, width: `${100 / dModel}%` });
    const { pair, wave: kind } = place(dimension, dModel, now.layout);
    map.setAttribute("aria-valuemax", dModel - 1);
    map.setAttribute("aria-valuenow", dimension);
    map.setAttribute("aria-valuetext", `dimension ${dimension}, ${kind === "sin" ? "sine" : "cosine"} of pair ${pair}`);
    handles.forEach((handle, i) => {
      const position = i ? now.second : now.first;
      handle.style.top = `${((position + 0.5) / length) * MAP}px`;
      handle.setAttribute("aria-valuemax", length - 1);
      handle.setAttribute("aria-valuenow", position);
    });
  }

  function drawWave() {
    const { length, dimension, dModel, layout, turns, first, second } = now;
    const last = length - 1;
    const { pair, wave: kind } = place(dimension, dModel, layout);
    // As many points as the eye can tell apart, and the whole positions as dots where there is room.
    const points = Array.from({ length: 400 }, (_, k) => (last * k) / 399);
    wave.draw({
      x: [0, last], y: [-1.1, 1.1], ticks: [[1, "1"], [0, "0"], [-1, "−1"]], ends: ["position 0", `${last}`],
      layers: [(context, at) => {
        context.strokeStyle = context.fillStyle = colours.accent;
        context.lineWidth = 1.5;
        stroke(context, points.map((p) => at(p, entry(p, dimension, now))));
        if (length <= 64) for (let p = 0; p < length; p++) dot(context, at(p, entry(p, dimension, now)), 2);
        [[first, colours.first], [second, colours.second]].forEach(([p, colour]) => {
          context.fillStyle = colour;
          dot(context, at(p, entry(p, dimension, now)), 5);
        });
      }],
    }, colours);
    const wavelength = (2 * Math.PI) / turns[pair];
    lines[0].textContent = `Dimension ${dimension} is the ${kind === "sin" ? "sine" : "cosine"} of pair ${pair}. Wavelength ${many(wavelength)} positions: `
      + `${(length / wavelength).toFixed(2)} turns in ${length} positions. At i ${three(entry(first, dimension, now))}, at j ${three(entry(second, dimension, now))}.`;
  }

  function drawProducts() {
    const { length, dModel, turns, first, second } = now;
    const far = Math.abs(first - second);
    const curve = Array.from({ length }, (_, distance) => product(distance, turns));
    const top = dModel / 2;
    const low = Math.min(0, ...curve);
    let sum = 0;
    for (let i = 0; i < dModel; i++) sum += entry(first, i, now) * entry(second, i, now);
    products.draw({
      x: [0, length - 1], y: [low - 0.05 * top, 1.05 * top], ticks: [[top, `${top}`], [0, "0"]], ends: ["distance 0", `${length - 1}`],
      layers: [(context, at) => {
        context.strokeStyle = context.fillStyle = colours.accent;
        context.lineWidth = 1.5;
        stroke(context, curve.map((value, distance) => at(distance, value)));
        stroke(context, [at(far, low), at(far, curve[far])], [3, 3]);
        dot(context, at(far, curve[far]), 5);
      }],
    }, colours);
    lines[1].textContent = `i = ${first}, j = ${second}: distance ${far}, dot product ${three(sum)} of at most ${top}. Move both by the same step: it stays.`;
  }

  function drawLengths() {
    const { length, dModel, turns, dimension, layout } = now;
    const pairs = dModel / 2;
    const logs = [...turns].map((turn) => Math.log10((2 * Math.PI) / turn));
    const most = Math.max(Math.log10(length), ...logs) + 0.2;
    const { pair } = place(dimension, dModel, layout);
    const ticks = [1, 2, 3, 4, 5, 6].filter((power) => power < most).map((power) => [power, ["10", "100", "1k", "10k", "100k", "1M"][power - 1]]);
    lengths.draw({
      x: [-0.5, pairs - 0.5], y: [0.2, most], ticks, ends: ["pair 0", pairs > 1 ? `${pairs - 1}` : ""],
      layers: [(context, at) => {
        context.strokeStyle = colours.value;
        context.lineWidth = 2;
        const mark = Math.log10(length);
        stroke(context, [at(-0.5, mark), at(pairs - 0.5, mark)], [6, 3]);
        context.fillStyle = colours.value;
        context.textAlign = "left";
        context.textBaseline = "bottom";
        context.fillText(`length ${length}`, at(-0.5, mark)[0] + 4, at(0, mark)[1] - 3);
        const radius = pairs > 40 ? 2 : 3.5;
        logs.forEach((value, i) => {
          context.fillStyle = context.strokeStyle = i === pair ? colours.accent : colours.ink;
          context.beginPath();
          context.arc(...at(i, value), i === pair ? radius + 2 : radius, 0, 2 * Math.PI);
          if (i === pair || value > mark) context.fill();
          else context.stroke();
        });
      }],
    }, colours);
    const slow = logs.filter((value) => 10 ** value > length).length;
    lines[2].textContent = `From ${many(10 ** logs[0])} to ${many(10 ** logs[pairs - 1])} positions. ${slow} of ${pairs} pairs (filled) turn less than once in ${length} positions.`;
  }

  function fillTable() {
    const rows = Array.from({ length: now.dModel }, (_, i) => {
      const { pair, wave: kind } = place(i, now.dModel, now.layout);
      const cells = [now.first, now.second].map((p) => h("td", { class: "number" }, three(entry(p, i, now))));
      return h("tr", {}, h("th", { scope: "row" }, `${i}: ${kind}, pair ${pair}`), ...cells);
    });
    const head = ["dimension", `position ${now.first}`, `position ${now.second}`].map((name) => h("th", { scope: "col" }, name));
    table.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
  }

  function draw() {
    now = read();
    for (const [name, { input, text }] of Object.entries(sizes)) {
      const value = now[name];
      input.value = name === "base" ? Math.log10(value) : value;
      if (name === "base") input.setAttribute("aria-valuetext", value);
      text.textContent = `${name === "dModel" ? "d_model" : name} ${name === "base" ? value.toLocaleString("en") : value}`;
    }
    layouts.select(LAYOUTS.indexOf(now.layout));
    paintMap();
    mark();
    drawWave();
    drawProducts();
    drawLengths();
    if (details.open) fillTable();
  }

  const redraw = soon(root, draw);
  for (const name of TRAITS) model.on(`change:${name}`, redraw);
  onTheme((next) => {
    colours = next;
    steps = ramp(colours.scores);
    scale.style.background = `linear-gradient(to right,${colours.scores})`;
    draw();
  });
  const observer = new ResizeObserver(guard(root, draw));
  observer.observe(stage);
  return () => observer.disconnect();
});
