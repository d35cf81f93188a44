import { grouped } from "./bytes.js";
import { h } from "./dom.js";
import { ITEM_BYTES } from "./memory.js";

const MAIN = 6; // fields that are always open

/** What keeps sizes from fitting together, as a sentence; "" if nothing does. */
function misfit(sizes, fields) {
  for (const [name, [label, least, most]] of Object.entries(fields)) {
    const given = sizes[name];
    if (!Number.isInteger(given) || given < least || given > most) return `${label}: give a whole number, ${grouped(least)} to ${grouped(most)}.`;
  }
  const { d_model: width, n_heads: heads } = sizes;
  if (width % 2) return `Width is ${width}: it must be even, for axial positions.`;
  return width % heads ? `Width is ${width}, heads are ${heads}: width must be a multiple of heads.` : "";
}

/**
 * Fields for all sizes of a model and its texts. `fields`: name → [label, least, most]. `onSizes(sizes)` hears sizes that fit together, and answers with a
 * sentence if they will not do; `show(sizes)` writes them; `trouble(text)` says in place what is wrong.
 */
export function sizeFields(fields, onSizes) {
  let shown = {};
  const names = Object.keys(fields);
  const said = h("p", { class: "trouble", role: "status", id: "trouble" });
  const read = (text) => (/\d/.test(text) ? Number(text.replace(/[\s,_]/g, "")) : NaN);
  const boxes = Object.fromEntries(names.map((name) => [name, h("input", {
    type: "text", inputmode: "numeric", autocomplete: "off", "aria-describedby": "trouble", class: "number",
    oninput: () => take(name), onchange: tidy,
  })]));
  const dtype = h("select", { oninput: () => take("dtype") }, ...Object.keys(ITEM_BYTES).map((name) => h("option", {}, name)));
  const slider = h("input", {
    type: "range", min: 9, max: 21, step: 1, "aria-label": "length, by powers of two",
    oninput: () => {
      boxes.length.value = grouped(2 ** slider.value);
      take("length");
    },
  });
  const field = (name) => h("label", { class: "field" }, h("span", { class: "label" }, fields[name][0]), boxes[name]);
  const element = h("div", {},
    h("div", { class: "fields" },
      field("length"),
      h("div", { class: "field" }, h("span", { class: "label ends", "aria-hidden": "true" }, h("span", {}, "512"), h("span", {}, "2 million")), slider),
      ...names.slice(1, MAIN).map(field),
      h("label", { class: "field" }, h("span", { class: "label" }, "numbers, dtype"), dtype)),
    h("details", {}, h("summary", {}, "more sizes"), h("div", { class: "fields" }, ...names.slice(MAIN).map(field))),
    said);

  function take(name) {
    // An inner width of four times the width goes on being that.
    if (name === "d_model" && shown.d_ff === 4 * shown.d_model && read(boxes.d_model.value)) boxes.d_ff.value = grouped(4 * read(boxes.d_model.value));
    const sizes = { dtype: dtype.value };
    for (const [key, box] of Object.entries(boxes)) sizes[key] = read(box.value);
    const wrong = misfit(sizes, fields);
    trouble(wrong || onSizes(sizes));
    if (!said.textContent) shown = sizes;
  }

  function trouble(text) {
    said.textContent = text ? `${text} Shown are the last sizes that fit.` : "";
  }

  function tidy({ target }) {
    if (Number.isInteger(read(target.value))) target.value = grouped(read(target.value));
  }

  function show(sizes) {
    shown = sizes;
    said.textContent = "";
    for (const [name, box] of Object.entries(boxes)) if (read(box.value) !== sizes[name]) box.value = grouped(sizes[name]);
    dtype.value = sizes.dtype;
    slider.value = Math.log2(sizes.length);
    slider.setAttribute("aria-valuetext", `${grouped(sizes.length)} tokens`);
  }

  return { element, show, trouble };
}
