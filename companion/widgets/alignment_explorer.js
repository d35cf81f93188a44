import css from "./alignment_explorer.css";
import viewCss from "./lib/alignment_view.css";
import { alignmentView, sayLook } from "./lib/alignment_view.js";
import { readArray } from "./lib/array.js";
import { h, radios, renew, soon } from "./lib/dom.js";
import { lookUp } from "./lib/look_up.js";
import { defineWidget } from "./lib/widget.js";

const SOFTEST = 3; // the slider's ends: temperature 2^3, and at the left 0
const HARDEST = -4;
const two = (x) => x.toFixed(2);

export default defineWidget(viewCss + css, ({ model, root, onTheme }) => {
  const examples = readExamples(model);
  const tallest = Math.max(...examples.map(({ source, target }) => Math.max(source.length, target.length)));
  const longest = Math.max(...examples.map(({ target }) => target.length));
  let pointed = -1;

  const picker = radios("Try", examples.map(({ label }) => label), (i) => {
    model.set("row", Math.min(model.get("row"), examples[i].target.length - 1));
    model.set("example", i);
  });
  const note = h("p", { class: "note" });
  const view = alignmentView({
    onPick: (i) => model.set("row", i),
    onHover: (i) => {
      pointed = i;
      redraw();
    },
  });
  const says = h("strong", {});
  const context = h("p", { class: "context" });
  const slider = h("input", {
    type: "range", min: HARDEST - 0.25, max: SOFTEST, step: 0.25, "aria-label": "temperature",
    oninput: () => model.set("temperature", Number(slider.value) < HARDEST ? 0 : 2 ** Number(slider.value)),
  });
  const temperature = h("span", { class: "number heat" });
  const reset = h("button", { type: "button", onclick: () => model.set("temperature", 1) }, "back to 1");
  const stage = h("div", { class: "stage", style: `--tallest:${tallest};--longest:${longest}` }, view.element);
  root.append(h("div", { class: "widget" },
    examples.length > 1 ? picker.element : null, note,
    h("div", { class: "controls heats" }, temperature, h("label", { class: "scale" }, h("span", { class: "label" }, "dictionary"), slider, h("span", { class: "label" }, "soft")), reset),
    h("div", { class: "readout", role: "status" }, h("p", { class: "says" }, says), context), stage));

  function draw() {
    const heat = model.get("temperature");
    const { source, target, scores, softens, note: told } = examples[model.get("example")];
    const row = pointed < 0 || pointed >= target.length ? model.get("row") : pointed;
    const weights = scores.map((each) => lookUp(each, heat));
    view.draw({ source, target, weights, chosen: row });
    renew(says, `${sayLook(target[row], source, weights[row])}.`);
    renew(context, `context of “${target[row]}” = ${sum(source, weights[row])}`);
    renew(note, told);
    picker.select(model.get("example"));
    slider.value = heat ? Math.log2(heat) : HARDEST - 1;
    slider.disabled = !softens;
    reset.disabled = !softens || heat === 1;
    slider.setAttribute("aria-valuetext", heat ? two(heat) : "0, a dictionary");
    renew(temperature, softens ? `temperature ${heat ? two(heat) : "→ 0"}` : "temperature: no effect");
  }

  const redraw = soon(root, draw);
  for (const name of ["example", "row", "temperature"]) model.on(`change:${name}`, redraw);
  draw();
  onTheme((colours) => view.colours(colours));
});

/** The examples, each with the scores of its target words: one array holds those of all. */
function readExamples(model) {
  const { data } = readArray(model.get("scores"));
  const [labels, sources, targets, notes, softens] = ["labels", "sources", "targets", "notes", "softens"].map((name) => model.get(name));
  let start = 0;
  return labels.map((label, k) => {
    const [source, target] = [sources[k], targets[k]];
    const scores = target.map((_, i) => data.subarray(start + i * source.length, start + (i + 1) * source.length));
    start += source.length * target.length;
    return { label, source, target, scores, note: notes[k], softens: softens[k] };
  });
}

/** What the decoder is handed, as a sum: .91 · h(tea) + .05 · h(for) + … */
function sum(source, weights) {
  const order = [...source.keys()].filter((j) => weights[j] >= 0.005).sort((a, b) => weights[b] - weights[a]);
  const terms = order.slice(0, 3).map((j) => `${two(weights[j])} · h(${source[j]})`);
  return terms.join(" + ") + (order.length > 3 ? " + …" : "");
}
