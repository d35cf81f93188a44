import { h, put } from "./dom.js";
import { roving } from "./roving.js";
import { ramp } from "./theme.js";

const NS = "http://www.w3.org/2000/svg";
const ROW = 28; // pixels; mirrored in alignment_view.css and in Python's heights
const SHOWN = 0.04; // weaker links are not drawn
const equal = (one, other) => one.length === other.length && one.every((word, i) => word === other[i]);
const percent = (weight) => `${Math.round(100 * weight)} %`;

/**
 * Who looks at whom: source words and target words joined by links, and the same weights as a matrix (a row for each target word, the query;
 * a column for each source word, the key). `draw({ source, target, weights, chosen })` shows `weights[i][j]`, what target word i takes of source
 * word j; `colours(next)` changes the colours. `onPick(i)` hears which target word is chosen, `onHover(i)` which is pointed at (-1: none).
 */
export function alignmentView({ onPick, onHover }) {
  const words = roving("Target word", onPick, { class: "targets" });
  const sources = h("ul", { class: "sources", "aria-label": "Source words, and how much is taken of each" });
  const links = document.createElementNS(NS, "svg");
  for (const [name, value] of [["class", "links"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) links.setAttribute(name, value);
  const keys = h("div", { class: "keys" });
  const grid = h("div", { class: "grid" });
  const element = h("div", { class: "alignment" },
    h("p", { class: "head of-source" }, "source", h("span", {}, "keys, values")), h("p", { class: "head of-target" }, "target", h("span", {}, "queries")),
    sources, links, words.element,
    h("div", { class: "matrix", "aria-hidden": "true", onpointerleave: () => onHover(-1) }, keys, grid));
  words.element.addEventListener("pointerleave", () => onHover(-1));

  let shown = {};
  let shades = [];
  let parts;

  const hovers = (i) => ({ onpointerenter: ({ pointerType }) => pointerType === "mouse" && onHover(i) });

  /** Elements for these words: made once, changed from then on. */
  function build(source, target) {
    const buttons = words.fill(target.map((word) => ({ label: word, class: "word", children: [word] })));
    buttons.forEach((button, i) => button.addEventListener("pointerenter", hovers(i).onpointerenter));
    const shares = source.map(() => new Text(""));
    const items = source.map((word, j) => h("li", { class: "word" }, h("span", { class: "name" }, word), " ", h("span", { class: "number" }, shares[j])));
    sources.replaceChildren(...items);
    keys.replaceChildren(...source.map((word) => h("span", {}, h("span", {}, word))));
    const rows = target.map((word, i) => {
      const cells = source.map(() => h("i"));
      return { cells, row: h("div", { class: "row", onclick: () => onPick(i), ...hovers(i) }, h("span", { class: "name" }, word), ...cells) };
    });
    grid.replaceChildren(...rows.map(({ row }) => row));
    const tall = ROW * Math.max(source.length, target.length);
    put(links, { viewBox: `0 0 100 ${tall}`, height: tall });
    const paths = target.map((_, i) => source.map((__, j) => {
      const path = document.createElementNS(NS, "path");
      const [from, to] = [(j + 0.5) * ROW, (i + 0.5) * ROW];
      put(path, { d: `M0,${from} C50,${from} 50,${to} 100,${to}`, fill: "none", "vector-effect": "non-scaling-stroke" });
      return path;
    }));
    links.replaceChildren(...paths.flat());
    element.style.setProperty("--columns", source.length);
    parts = { source, target, buttons, shares, items, rows, paths };
  }

  const shade = (weight) => shades[Math.round(255 * weight)];

  function draw(next) {
    const { source, target, weights, chosen } = (shown = { ...shown, ...next });
    if (!weights || !shades.length) return;
    if (!parts || !equal(parts.source, source) || !equal(parts.target, target)) build(source, target);
    words.select(chosen);
    target.forEach((_, i) => {
      parts.rows[i].row.classList.toggle("chosen", i === chosen);
      parts.buttons[i].classList.toggle("lit", i === chosen);
      source.forEach((__, j) => {
        const weight = weights[i][j];
        put(parts.rows[i].cells[j], { style: `background:${shade(weight)}` });
        drawLink(parts.paths[i][j], weight, i === chosen);
      });
    });
    source.forEach((_, j) => {
      const weight = weights[chosen]?.[j] ?? 0; // nothing may be chosen yet
      const text = percent(weight);
      if (parts.shares[j].data !== text) parts.shares[j].data = text;
      put(parts.items[j], { style: `--look:${(100 * weight).toFixed(1)}%` });
    });
  }

  function drawLink(path, weight, chosen) {
    if (weight < SHOWN) return put(path, { "stroke-opacity": 0 }); // nobody sees the rest
    put(path, {
      class: chosen ? "chosen" : "other",
      "stroke-width": (1 + (chosen ? 7 : 2) * weight).toFixed(1),
      "stroke-opacity": (chosen ? 0.3 + 0.7 * weight : 0.08 + 0.3 * weight).toFixed(2),
    });
  }

  function colours(next) {
    shades = [...ramp(next.weights)].map((pixel) => `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`);
    draw({});
  }

  return { element, draw, colours };
}

/** “Tee” looks mostly at “tea”: 91 %. */
export function sayLook(word, source, weights) {
  const order = [...source.keys()].sort((a, b) => weights[b] - weights[a]);
  const [first, second] = order;
  if (second === undefined || weights[first] >= 0.5) return `“${word}” looks mostly at “${source[first]}”: ${percent(weights[first])}`;
  return `“${word}” looks at “${source[first]}” (${percent(weights[first])}) and “${source[second]}” (${percent(weights[second])}), among others`;
}
