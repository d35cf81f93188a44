import css from "./mixing_rates.css";
import { grouped } from "./lib/bytes.js";
import { h, put, radios, renew, soon } from "./lib/dom.js";
import { mixingRates } from "./lib/mixing.js";
import { defineWidget } from "./lib/widget.js";

const TEMPERATURES = [1, 1.5, 2, 3, 4, 8, 16, 0]; // 0: equal mixing
const [LEAST, MOST] = [8, 26]; // of the limit, as powers of two; above: none
const DRAWN = 1_000_000; // examples, for the last column
const percent = (x) => (x < 0.0005 ? "<0.1 %" : `${(100 * x).toFixed(1)} %`);
const times = (x) => (x < 0.095 ? x.toFixed(2) : x < 9.95 ? x.toFixed(1) : grouped(Math.round(x)));

export default defineWidget(css, ({ model, root }) => {
  const sets = model.get("sets");
  const labels = Object.keys(sets);
  const choose = radios("Data", labels, (i) => model.set("chosen", i));
  const limit = slider("limit K", { min: LEAST, max: MOST + 1, step: 1 }, (at) => model.set("limit", at > MOST ? 0 : 2 ** at));
  const temperature = slider("temperature T", { min: 0, max: TEMPERATURES.length - 1, step: 1 }, (at) => model.set("temperature", TEMPERATURES[at]));
  const told = h("p", { class: "told", role: "status" });
  const body = h("tbody");
  root.append(h("div", { class: "widget" }, choose.element,
    h("div", { class: "sliders" }, limit.element, temperature.element), told,
    h("table", {}, h("thead", {}, h("tr", {}, ...["task", "examples", "share of what is drawn", "passes"].map((text) => h("th", { scope: "col" }, text)))), body),
    h("p", { class: "label" }, "passes: how often each example is met, on average, while a million are drawn")));

  function slider(name, range, set) {
    const input = h("input", { type: "range", ...range, "aria-label": name, oninput: () => set(Number(input.value)) });
    const shown = h("span", { class: "number" });
    const element = h("label", { class: "slider" }, h("span", { class: "label" }, name), shown, input);
    return { element, show(at, text) {
      if (Number(input.value) !== at) input.value = at;
      put(input, { "aria-valuetext": text });
      renew(shown, text);
    } };
  }

  function draw() {
    const [chosen, K, T] = ["chosen", "limit", "temperature"].map((name) => model.get(name));
    const sizes = sets[labels[chosen]];
    const rates = mixingRates(sizes, K || Infinity, T || Infinity);
    choose.select(chosen);
    limit.show(K ? Math.round(Math.log2(K)) : MOST + 1, K ? grouped(K) : "none");
    const at = TEMPERATURES.reduce((best, one, i) => (Math.abs((one || 99) - (T || 99)) < Math.abs((TEMPERATURES[best] || 99) - (T || 99)) ? i : best), 0);
    temperature.show(at, T ? String(T) : "∞ (equal)");
    const names = Object.keys(rates).sort((a, b) => sizes[b] - sizes[a]);
    const top = Math.max(...Object.values(rates));
    renew(body, ...names.map((name) => h("tr", {},
      h("th", { scope: "row" }, name), h("td", { class: "number" }, grouped(sizes[name])),
      h("td", { class: "share" }, h("span", { class: "rail", "aria-hidden": "true" }, h("i", { style: `width:${((100 * rates[name]) / top).toFixed(2)}%` })), h("span", { class: "number", "data-exact": rates[name] }, percent(rates[name]))),
      h("td", { class: "number" }, times((DRAWN * rates[name]) / sizes[name])))));
    const [first, last] = [names[0], names.at(-1)];
    const way = !T ? "Equal mixing" : T > 1 ? `Temperature ${T}` : "Proportional mixing";
    renew(told, `${way}${K ? `, sizes cut at ${grouped(K)}` : ", no limit"}: ${first}, the largest, gets ${percent(rates[first])}; ${last}, the smallest, ${percent(rates[last])}, and is met ${times((DRAWN * rates[last]) / sizes[last])} times in a million draws.`);
  }

  const redraw = soon(root, draw);
  for (const name of ["chosen", "limit", "temperature"]) model.on(`change:${name}`, redraw);
  draw();
});
