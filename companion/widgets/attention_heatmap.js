import css from "./attention_heatmap.css";
import { readArray } from "./lib/array.js";
import { rowSteps } from "./lib/attention.js";
import { guard, h, soon, toggle } from "./lib/dom.js";
import pickerCss from "./lib/head_picker.css";
import { headPicker } from "./lib/head_picker.js";
import { largest, paintMatrix, stage } from "./lib/stage.js";
import { defineWidget } from "./lib/widget.js";

const OPTIONS = ["scaled", "causal", "padded", "softmax", "temperature"];
const three = (x) => (x === -Infinity ? "−∞" : x.toFixed(3).replace("-", "−"));

export default defineWidget(pickerCss + css, ({ model, root, onTheme }) => {
  const keys = model.get("tokens");
  const queries = model.get("target_tokens");
  const fromScores = model.get("scores") !== null;
  const data = readArray(model.get(fromScores ? "scores" : "weights"));
  const padding = model.get("padding");
  const [layers, heads] = data.shape;
  const first = Object.fromEntries(OPTIONS.map((name) => [name, model.get(name)]));
  let colours;

  const masked = (i, j) => (model.get("causal") && j > i) || (model.get("padded") && padding[j]);

  /** The rows of one head after the steps that are switched on. */
  function headRows(layer, head) {
    const matrix = data.at(layer, head);
    const options = {
      divisor: fromScores && model.get("scaled") ? Math.sqrt(model.get("d_k")) : 1,
      softmax: model.get("softmax"),
      temperature: model.get("temperature"),
    };
    return queries.map((_, i) => {
      const raw = matrix.subarray(i * keys.length, (i + 1) * keys.length);
      return rowSteps(fromScores ? raw : raw.map(Math.log), { ...options, allowed: (j) => !masked(i, j) });
    });
  }

  // Controls: one chip a step, then the temperature.
  const chips = {
    scaled: toggle(`÷ √${model.get("d_k")}`, (on) => model.set("scaled", on)),
    causal: toggle("causal mask", (on) => model.set("causal", on)),
    padded: toggle("padding mask", (on) => model.set("padded", on)),
    softmax: toggle("softmax", (on) => model.set("softmax", on)),
  };
  if (keys.length !== queries.length) chips.causal.element.remove();
  const slider = h("input", {
    type: "range", min: -3, max: 3, step: 0.1, "aria-label": "temperature",
    oninput: () => model.set("temperature", 2 ** Number(slider.value)),
  });
  const temperature = h("span", { class: "number" });
  const reset = h("button", {
    type: "button",
    onclick: () => OPTIONS.forEach((name) => model.set(name, first[name])),
  }, "reset");
  const steps = h("div", { class: "controls", role: "group", "aria-label": "Steps of attention" });
  if (fromScores) {
    steps.append(h("span", { class: "base" }, "QKᵀ"), chips.scaled.element);
    if (keys.length === queries.length) steps.append(chips.causal.element);
    if (padding.length) steps.append(chips.padded.element);
    steps.append(chips.softmax.element);
  }
  steps.append(h("label", { class: "controls" }, temperature, slider), reset);

  // The figure itself: the keys, the arcs, the queries (a list box), the matrix.
  const view = stage({
    keys, queries, padding,
    picked: () => [model.get("row"), model.get("column")],
    onHover: (row, column) => draw({ row, column }),
    onPick: (row, column) => {
      model.set("column", column);
      model.set("row", row);
    },
  });
  const rowLine = h("p", { class: "row-line" });
  const cellLine = h("p", { class: "cell-line" });
  const sumLine = h("p", { class: "sum-line number" });
  const table = h("div", {});
  const details = h("details", { ontoggle: () => draw({}) }, h("summary", {}, "This row as a table"), table);
  const legend = h("div", { class: "legend", "aria-hidden": "true" });
  const picker = headPicker({
    layers, heads,
    onPick: (layer, head) => {
      model.set("layer", layer);
      model.set("head", head);
    },
    paint: (canvas, layer, head) => paintMatrix(canvas, headRows(layer, head), scaleOf()),
  });
  root.append(
    h("div", { class: "widget" },
      layers * heads > 1 ? picker.element : null,
      steps,
      view.element,
      legend,
      h("div", { class: "readout", role: "status" }, rowLine, cellLine, sumLine),
      details),
  );

  const scaleOf = () => ({ softmax: model.get("softmax"), colours, masked });
  let rows;

  function recompute() {
    rows = headRows(model.get("layer"), model.get("head"));
    view.paint(rows, scaleOf());
    showLegend();
    draw({});
  }

  function showLegend() {
    const softmax = model.get("softmax");
    const peak = softmax ? 1 : largest(rows);
    legend.replaceChildren(
      ...(rows.some((row, i) => keys.some((_, j) => masked(i, j))) ? [h("span", { class: "masked" }), h("span", {}, "masked")] : []),
      h("span", {}, softmax ? "0" : three(-peak)),
      h("span", { class: "bar", style: `background:linear-gradient(to right,${colours[softmax ? "weights" : "scores"]})` }),
      h("span", {}, softmax ? "1" : three(peak)),
    );
  }

  function draw({ row = model.get("row"), column = model.get("column") }) {
    view.highlight(rows, row, column, scaleOf());
    const values = rows[row];
    const strongest = [...values.keys()].filter((j) => values[j] > -Infinity).sort((a, b) => values[b] - values[a]);
    const softmax = model.get("softmax");
    const hidden = strongest.length === 0 || (softmax && values.every((x) => x === 0));
    rowLine.replaceChildren(
      h("strong", {}, queries[row]),
      hidden ? " may look at nothing: every key is masked, so its weights are all zero."
        : ` ${softmax ? "looks at" : "scores"} ` + strongest.slice(0, 3).map((j) => `${keys[j]} ${three(values[j])}`).join(" · "),
    );
    sumLine.textContent = softmax
      ? `the row sums to ${three(values.reduce((a, x) => a + x, 0))}`
      : "these are scores, not yet weights";
    cellLine.textContent = column < 0
      ? `Point at a cell, or use the arrow keys, to see ${fromScores ? `how one ${softmax ? "weight" : "score"} is made` : "one weight"}.`
      : chain(row, column, values[column]);
    if (details.open) fillTable(row, values);
  }

  /** One cell's way through the steps, in words. */
  function chain(row, column, value) {
    const head = `${queries[row]} → ${keys[column]}: `;
    if (!fromScores) return `${head}weight ${three(value)}`;
    let score = data.at(model.get("layer"), model.get("head"))[row * keys.length + column];
    const parts = [`q·k = ${three(score)}`];
    const divide = (name, divisor) => parts.push(`÷ ${name} = ${three((score /= divisor))}`);
    if (model.get("scaled")) divide(`√${model.get("d_k")}`, Math.sqrt(model.get("d_k")));
    const masks = [
      model.get("causal") && column > row && "causal mask: −∞",
      model.get("padded") && padding[column] && "padding mask: −∞",
    ].filter(Boolean);
    parts.push(...masks);
    if (model.get("softmax")) {
      const heat = model.get("temperature");
      if (heat !== 1 && !masks.length) divide(`temperature ${three(heat)}`, heat);
      parts.push(`softmax: ${three(value)}`);
    }
    return head + parts.join(", ");
  }

  function fillTable(row, values) {
    const name = model.get("softmax") ? "weight" : "score";
    table.replaceChildren(
      h("table", {},
        h("caption", {}, `What “${queries[row]}” looks at`),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "key"), h("th", { scope: "col" }, name))),
        h("tbody", {}, ...keys.map((token, j) => h("tr", {}, h("th", { scope: "row" }, token), h("td", { class: "number" }, three(values[j])))))),
    );
  }

  function showOptions() {
    for (const name of ["scaled", "causal", "padded", "softmax"]) chips[name].box.checked = model.get(name);
    slider.value = Math.log2(model.get("temperature"));
    slider.disabled = !model.get("softmax");
    temperature.textContent = `temperature ${three(model.get("temperature"))}`;
  }

  // Several traits may change in one turn (layer and head, say): one drawing shows them all.
  const update = soon(root, () => {
    showOptions();
    picker.select(model.get("layer"), model.get("head"));
    recompute();
  });
  const redraw = soon(root, () => draw({}));
  for (const name of [...OPTIONS, "layer", "head"]) model.on(`change:${name}`, update);
  for (const name of OPTIONS) model.on(`change:${name}`, picker.repaint);
  for (const name of ["row", "column"]) model.on(`change:${name}`, redraw);

  showOptions();
  picker.select(model.get("layer"), model.get("head"));
  onTheme((next) => {
    colours = next;
    recompute();
    picker.repaint();
  });
  const observer = new ResizeObserver(guard(root, () => {
    view.resize();
    picker.resize();
    recompute();
  }));
  observer.observe(view.element);
  return () => observer.disconnect();
});
