import css from "./next_word.css";
import { readArray } from "./lib/array.js";
import { drawn, ranked, shaped } from "./lib/choosing.js";
import { h, put, radios, renew, soon } from "./lib/dom.js";
import { defineWidget } from "./lib/widget.js";

const SHOWN = 12; // words with a line of their own
const MOST = 1000; // draws
const NAMES = ["context", "temperature", "k", "p", "draws"];
const percent = (x) => (x > 0 && x < 0.0005 ? "<0.1 %" : `${(100 * x).toFixed(1)} %`);
const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export default defineWidget(css, ({ model, root }) => {
  const words = model.get("words");
  const logits = readArray(model.get("logits"));
  const orders = model.get("labels").map((_, i) => ranked(logits.at(i)));

  const set = (name, value) => {
    model.set("draws", 0); // of another distribution
    model.set(name, value);
  };
  const contexts = radios("Text so far", model.get("labels"), (i) => set("context", i));
  const sliders = {
    temperature: slider("temperature", { min: 0, max: 3, step: 0.1 }, Number),
    k: slider("top-k", { min: 1, max: SHOWN + 1, step: 1 }, (value) => (value > SHOWN ? 0 : Number(value))),
    p: slider("top-p", { min: 0.05, max: 1, step: 0.05 }, Number),
  };
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  const more = (count) => () => model.set("draws", Math.min(MOST, model.get("draws") + count));
  const [one, hundred] = [button("draw one", more(1)), button("draw 100", more(100))];
  const clear = button("forget the draws", () => model.set("draws", 0));
  const told = h("p", { class: "told", role: "status" });
  const lines = Array.from({ length: SHOWN + 1 }, line);
  const table = h("table", {},
    h("thead", {}, h("tr", {}, ...["next word", "may be drawn", "model", "drawn"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...lines.map(({ element }) => element)));

  root.append(h("div", { class: "widget" }, contexts.element,
    h("div", { class: "sliders" }, ...Object.values(sliders).map(({ element }) => element)),
    h("div", { class: "controls" }, one, hundred, clear),
    told, table,
    h("p", { class: "label legend" }, ...[["fill", "probability to be drawn"], ["mark", "what the model says"], ["dot", "share of your draws"]].map(([kind, text]) => h("span", {}, h("i", { class: kind }), text)))));

  function slider(name, range, read) {
    const input = h("input", { type: "range", ...range, "aria-label": name, oninput: () => set(name === "temperature" ? name : name.at(-1), read(input.value)) });
    const shown = h("span", { class: "number value" });
    return { input, shown, element: h("label", { class: "slider" }, h("span", { class: "label" }, name), input, shown) };
  }

  function line() {
    const [word, odds, plain, count] = [h("th", { scope: "row" }), h("span", { class: "number" }), h("td", { class: "number" }), h("td", { class: "number" })];
    const [fill, mark, dot] = ["fill", "mark", "dot"].map((kind) => h("i", { class: kind }));
    const rail = h("span", { class: "rail", "aria-hidden": "true" }, fill, mark, dot);
    return { element: h("tr", {}, word, h("td", { class: "share" }, rail, odds), plain, count), word, odds, plain, count, fill, mark, dot };
  }

  function show(part, { word, own, share, times, draws, left, scale }) {
    renew(part.word, word);
    put(part.element, { class: left ? "" : "cut" });
    const at = (x) => `${Math.min(100, (100 * x) / scale).toFixed(2)}%`;
    put(part.fill, { style: `width:${at(share)}` });
    put(part.mark, { style: `left:${at(own)}` });
    put(part.dot, { style: times ? `left:${at(times / draws)}` : "display:none" });
    renew(part.odds, left ? percent(share) : "cut");
    renew(part.plain, percent(own));
    renew(part.count, draws ? String(times) : "–");
    put(part.odds, { "data-exact": share });
    put(part.plain, { "data-exact": own });
  }

  function draw() {
    const [context, temperature, k, p, draws] = NAMES.map((name) => model.get(name));
    const order = orders[context];
    const { plain, odds, kept } = shaped(logits.at(context), order, { temperature, k, p });
    const { counts, last } = drawn(odds, order, model.get("seed"), draws);
    contexts.select(context);
    for (const [name, value, text] of [
      ["temperature", temperature, temperature.toFixed(1)], ["k", k || SHOWN + 1, k ? `k = ${k}` : "all"], ["p", p, p === 1 ? "all" : `p = ${p.toFixed(2)}`],
    ]) {
      if (Number(sliders[name].input.value) !== value) sliders[name].input.value = value;
      put(sliders[name].input, { "aria-valuetext": text });
      renew(sliders[name].shown, text);
    }
    one.disabled = hundred.disabled = draws >= MOST;
    clear.disabled = !draws;
    const rest = order.slice(SHOWN);
    const total = (get) => rest.reduce((sum, token) => sum + get(token), 0);
    const others = [(token) => plain[token], (token) => odds[token], (token) => counts.get(token) ?? 0].map(total);
    const scale = Math.max(...order.slice(0, SHOWN).flatMap((token) => [odds[token], plain[token]]), others[0], others[1]);
    order.slice(0, SHOWN).forEach((token, i) => show(lines[i], {
      word: words[token], own: plain[token], share: odds[token], times: counts.get(token) ?? 0, draws, left: i < kept, scale,
    }));
    lines.forEach(({ element }, i) => (element.hidden = i >= Math.min(order.length, SHOWN) && i < SHOWN));
    lines[SHOWN].element.hidden = !rest.length;
    show(lines[SHOWN], {
      word: `${rest.length} others`, own: others[0], share: others[1], times: others[2], draws, left: kept > SHOWN, scale,
    });
    const drew = draws ? ` Drawn: ${many(draws, "word")}, the last one “${words[last]}”.` : "";
    renew(told, `${many(kept, "word")} of ${order.length} may be drawn; the likeliest, “${words[order[0]]}”, with ${percent(odds[order[0]])}.${drew}`);
  }

  const redraw = soon(root, draw);
  for (const name of [...NAMES, "seed"]) model.on(`change:${name}`, redraw);
  draw();
});
