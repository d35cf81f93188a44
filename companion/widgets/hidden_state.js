import css from "./hidden_state.css";
import { readArray } from "./lib/array.js";
import { guard, h, put, radios, renew, soon } from "./lib/dom.js";
import { paintStrip, spread } from "./lib/strip.js";
import { defineWidget } from "./lib/widget.js";

const BEAT = 350; // milliseconds between two words
const NAMES = ["without attention", "with attention"];
const percent = (share) => `${Math.round(100 * share)} %`;

export default defineWidget(css, ({ model, root, onTheme }) => {
  const sentences = model.get("sentences");
  const [left, outputs] = ["left", "outputs"].map((name) => readArray(model.get(name)));
  let colours, timer;

  const chosen = () => sentences[model.get("sentence")];
  const length = () => chosen().words.length;
  const read = () => Math.min(model.get("read"), length());
  const remains = (i) => left.at(model.get("sentence"), read() - 1)[i];
  /** The last stop among what is read, or -1. */
  const stop = () => chosen().stops.findLastIndex((at) => at <= read());

  const pick = radios("sentence", sentences.map(({ label }) => label), (i) => {
    halt();
    model.set("sentence", i);
  });

  const go = (count) => model.set("read", Math.max(1, Math.min(length(), count)));
  const play = h("button", { type: "button", class: "play", onclick: toggle }, "▶ read on");
  const shorter = h("button", { type: "button", onclick: () => move(-1) }, "− clause");
  const longer = h("button", { type: "button", onclick: () => move(1) }, "+ clause");
  const slider = h("input", { type: "range", min: 1, step: 1, "aria-label": "words read", oninput: () => { halt(); go(Number(slider.value)); } });
  const count = h("span", { class: "number count" });

  /** To the next stop, or to the one before. */
  function move(by) {
    halt();
    const { stops } = chosen();
    go(by > 0 ? stops.find((at) => at > read()) ?? length() : stops.findLast((at) => at < read()) ?? 1);
  }

  function halt() {
    clearInterval(timer);
    timer = undefined;
    renew(play, "▶ read on");
  }

  function toggle() {
    if (timer) return halt();
    if (read() >= length()) go(1);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(length());
    renew(play, "❚❚ pause");
    timer = setInterval(guard(root, () => {
      go(read() + 1);
      if (read() >= length()) halt();
    }), BEAT);
  }

  /** A title and a text, with as much room as the longest of the texts needs, so that nothing below is moved. */
  function room(textsOf, title) {
    const texts = sentences.flatMap(textsOf).map((words) => words.join(" "));
    const longest = texts.reduce((one, other) => (other.length > one.length ? other : one));
    const text = h("p", { class: "written", lang: "de" });
    return { text, element: h("div", { class: "side" }, title, h("div", { class: "room" }, text, h("p", { class: "longest", "aria-hidden": "true" }, longest))) };
  }

  const strip = h("canvas", { class: "strip", "aria-hidden": "true" });
  const size = outputs.shape[2];
  const sentence = h("p", { class: "sentence", "aria-hidden": "true" });
  const ended = h("p", { class: "label ended" });
  const sides = NAMES.map((name, side) => {
    const score = h("span", { class: "number score" });
    return { score, ...room((one) => one.written[side], h("p", {}, h("b", {}, name), " ", score)) };
  });
  const solution = room((one) => one.right, h("p", {}, h("b", {}, "what is right")));
  const status = h("p", { class: "status", role: "status" });
  const body = h("tbody", {});
  const details = h("details", { ontoggle: () => draw() }, h("summary", {}, "What is left of each word, as a table"),
    h("table", {}, h("thead", {}, h("tr", {}, ...["", "word", "left in the state"].map((text) => h("th", { scope: "col" }, text)))), body));

  root.append(h("div", { class: "widget" },
    sentences.length > 1 ? pick.element : null,
    h("div", { class: "controls reading" }, play, shorter, longer, slider, count),
    h("div", {}, h("p", { class: "label" }, `The state after the last word read: ${size} numbers, however many words`), strip),
    h("div", {}, h("p", { class: "label" }, "The bar below a word: how much of it is left in the state"), sentence),
    h("div", { class: "ends" }, ended, ...sides.map(({ element }) => element), solution.element),
    status, details));

  function drawSentence(now) {
    renew(sentence, ...chosen().words.flatMap((word, i) => {
      const kind = i >= now ? "word later" : i === now - 1 ? "word now" : "word";
      const bar = h("i", { style: `width:${i < now ? Math.min(100, 100 * remains(i)).toFixed(1) : 0}%` });
      return [h("span", { class: kind, "data-exact": i < now ? remains(i) : "" }, word, bar), " "];
    }));
  }

  /** Words, those that are not where they should be struck out; a screen reader hears it said. */
  const marked = (written, found) => written.flatMap((word, i) => [found[i] ? word : h("del", {}, word), " "]);

  function drawEnds(k) {
    const { stops, written, found, right: all } = chosen();
    renew(ended, k < 0 ? "The sentence cannot end yet: read on." : `Were there a full stop after “${chosen().words[stops[k] - 1]}” (${stops[k]} of ${length()}), the end of a clause, this would be written. Struck out: wrong, or in the wrong order`);
    sides.forEach(({ score, text }, side) => {
      const good = k < 0 ? 0 : found[side][k].reduce((sum, one) => sum + one, 0);
      renew(score, k < 0 ? "" : `${good} of ${all[k].length} right`);
      renew(text, ...(k < 0 ? ["–"] : marked(written[side][k], found[side][k])));
    });
    renew(solution.text, k < 0 ? "–" : all[k].join(" "));
  }

  function say(now, k) {
    const { words: all, found, right: targets } = chosen();
    const first = `${now} of ${all.length} words and commas read. Of the first, “${all[0]}”, ${percent(remains(0))} is left in the state.`;
    if (k < 0) return renew(status, first);
    const [without, withIt] = found.map((side) => side[k].reduce((sum, one) => sum + one, 0));
    renew(status, `${first} Right words: ${without} of ${targets[k].length} from the state alone, ${withIt} with attention.`);
  }

  function draw() {
    const [now, k] = [read(), stop()];
    pick.select(model.get("sentence"));
    put(slider, { max: length(), "aria-valuetext": `${now} of ${length()}: ${chosen().words[now - 1]}` });
    if (Number(slider.value) !== now) slider.value = now;
    renew(count, `${now} of ${length()} read`);
    shorter.disabled = now === 1;
    longer.disabled = now === length();
    const numbers = outputs.at(model.get("sentence"), now - 1);
    paintStrip(strip, numbers, 2 * spread(numbers), colours);
    drawSentence(now);
    drawEnds(k);
    say(now, k);
    if (details.open) renew(body, ...chosen().words.slice(0, now).map((word, i) => h("tr", {},
      h("td", { class: "number" }, String(i + 1)), h("th", { scope: "row" }, word), h("td", { class: "number" }, percent(remains(i))))));
  }

  const update = soon(root, draw);
  for (const trait of ["sentence", "read"]) model.on(`change:${trait}`, update);
  onTheme((next) => {
    colours = next;
    draw();
  });
  return halt;
});
