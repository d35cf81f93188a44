import css from "./caption_translator.css";
import viewCss from "./lib/alignment_view.css";
import { alignmentView, sayLook } from "./lib/alignment_view.js";
import { readArray } from "./lib/array.js";
import { search, textOf } from "./lib/beam.js";
import { join, wordsOf } from "./lib/byte_pieces.js";
import { guard, h, radios, renew, soon } from "./lib/dom.js";
import { asker, encoder, Unanswered } from "./lib/live.js";
import { roving } from "./lib/roving.js";
import { readCaption } from "./lib/translator.js";
import { defineWidget } from "./lib/widget.js";

const PAUSE = 500; // milliseconds without a change, before the model is asked
const WIDEST = 5;
const MOST_KEPT = 20; // answers that are remembered
const percent = (share) => `${share < 0.0995 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`;
const figure = (x) => x.toFixed(2).replace("-", "−");
const oneLine = (text) => text.replace(/[\s\p{Cc}]+/gu, " ").trim();

export default defineWidget(viewCss + css, ({ model, root, onTheme }) => {
  const [names, examples, sizes] = ["names", "examples", "sizes"].map((name) => model.get(name));
  const [ask, encode] = [asker(model), encoder(model)];
  const answers = preparedAnswers(model);
  let shown; // the answer that is drawn
  let asked = 0;
  let timer;
  let pointed = -1;

  const text = () => (model.get("own") === null ? examples[model.get("example")].text : oneLine(model.get("own")));
  const question = () => [text(), model.get("width"), model.get("alpha")];
  const ofDefaults = () => JSON.stringify([text(), sizes.width, sizes.alpha]);

  const captions = h("div", { class: "controls", role: "group", "aria-label": "Captions" }, h("span", { class: "label" }, "Try"),
    ...examples.map((example, i) => h("button", { type: "button", class: "try", onclick: () => {
      model.set("own", null);
      model.set("example", i);
    } }, example.text)));
  const box = h("textarea", {
    class: "own", rows: 2, spellcheck: "false", "aria-label": "A caption in English", maxlength: 300,
    oninput: () => model.set("own", box.value),
  });
  const hint = h("p", { class: "hint", role: "status" });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": "Loading the model" });
  const view = alignmentView({
    onPick: (i) => model.set("word", i),
    onHover: (i) => {
      pointed = i;
      redraw();
    },
  });
  const best = h("p", { class: "best", lang: "de" });
  const says = h("p", { class: "says", role: "status" });
  const ranked = roving("Translations, best first", (i) => {
    model.set("word", 0);
    model.set("chosen", i);
  }, { class: "ranked" });
  let rows = [];
  const widths = radios("beam width", Array.from({ length: WIDEST }, (_, i) => String(i + 1)), (i) => model.set("width", i + 1));
  const slider = h("input", { type: "range", min: 0, max: 2, step: 0.1, "aria-label": "length penalty", oninput: () => model.set("alpha", Number(slider.value)) });
  const penalty = h("span", { class: "number penalty" });
  root.append(h("div", { class: "widget" },
    h("div", { class: "given" }, captions, h("label", { class: "typed" }, h("span", { class: "label" }, "or type a caption of your own, in English"), box), hint, bar),
    h("section", {}, h("h3", {}, "In German"), best, h("h3", {}, "Word by word: tap one"), says, view.element),
    h("section", {}, h("h3", {}, "What the beam found, best first"), ranked.element,
      h("div", { class: "controls" }, widths.element, h("label", { class: "controls" }, penalty, slider))),
    h("p", { class: "note" }, `A Transformer of ${(sizes.parameters / 1e6).toFixed(1)} million parameters that learned from captions of photographs. Of other texts it makes captions.`)));

  /** Words of a text with the tokens they are made of, and the end of the source. */
  const wordsIn = (whole, ids) => wordsOf(whole, ids.map((id) => [...names[id]].length)).map((word) => ({ ...word, text: whole.slice(word.start, word.stop) }));

  /** How much each word of a translation looked at each word of the source: sums over its tokens, the mean over the other's. */
  function byWords({ source }, { ids, looks }) {
    const from = [...wordsIn(source.text, source.ids), { text: "(end)", first: source.ids.length, last: source.ids.length }];
    const to = wordsIn(join(ids.map((id) => names[id])), ids);
    const weights = to.map(({ first, last }) => from.map((word) => {
      let sum = 0;
      for (let i = first; i <= last; i++) for (let j = word.first; j <= word.last; j++) sum += looks[i][j];
      return sum / (last + 1 - first);
    }));
    return { source: from.map((word) => word.text), target: to.map((word) => word.text), weights };
  }

  function draw() {
    widths.select(model.get("width") - 1);
    slider.value = model.get("alpha");
    renew(penalty, `length penalty ${model.get("alpha").toFixed(1)}`);
    [...captions.querySelectorAll("button")].forEach((button, i) => button.setAttribute("aria-pressed", String(model.get("own") === null && i === model.get("example"))));
    if (root.activeElement !== box) box.value = model.get("own") ?? text();
    if (!shown) return;
    const chosen = Math.min(model.get("chosen"), shown.found.length - 1);
    if (rows.length !== shown.found.length) {
      rows = ranked.fill(shown.found.map(() => ({ class: "found", children: [h("span", { class: "said" }), h("span", { class: "number" })] })));
    }
    rows.forEach((row, i) => {
      const one = shown.found[i];
      renew(row.children[0], one.text || "(nothing)");
      renew(row.children[1], `${percent(Math.exp(one.total))} likely, score ${figure(one.score)}`);
      ranked.name(i, `${i + 1}: ${one.text}, ${percent(Math.exp(one.total))} likely, score ${figure(one.score)}${one.ended ? "" : ", without an end"}`);
      row.dataset.exact = JSON.stringify([one.total, one.score]);
    });
    ranked.select(chosen);
    renew(best, shown.found[chosen].text || "(nothing)");
    shown.words ??= [];
    const words = (shown.words[chosen] ??= byWords(shown, shown.found[chosen]));
    if (!words.target.length) return;
    const at = Math.min(pointed < 0 ? model.get("word") : pointed, words.target.length - 1);
    view.draw({ ...words, chosen: at });
    renew(says, h("strong", {}, `${sayLook(words.target[at], words.source, words.weights[at])}.`));
  }

  async function answer() {
    const [given, width, alpha] = question();
    const key = JSON.stringify([given, width, alpha]);
    const number = ++asked; // a later one makes this one's answer worthless
    const late = () => number !== asked;
    if (!answers.has(key)) {
      const { ids } = await encode(given);
      if (late()) return;
      const { next, looks } = readCaption(ask, ids, 2 * width, sizes, (share) => {
        bar.hidden = share >= 1;
        bar.value = share;
      });
      const stoppable = (texts) => (late() ? Promise.reject(new Late()) : next(texts));
      const levels = await search(stoppable, { ends: [sizes.end], width, longest: Math.min(sizes.longest, ids.length + 1 + sizes.more), alpha, penalty: "power" });
      const found = levels.at(-1).found.map((node) => {
        const path = textOf(node);
        const own = node.fate === "ended" ? path.slice(0, -1) : path;
        return { ids: own, total: node.total, score: node.score, ended: node.fate === "ended", text: join(own.map((id) => names[id])).trim(), looks: looks(own) };
      });
      if (answers.size >= MOST_KEPT + examples.length) answers.delete([...answers.keys()][examples.length]);
      answers.set(key, { source: { text: given, ids }, found });
    }
    if (late()) return;
    shown = answers.get(key);
    bar.hidden = true;
    tell("");
    redraw();
  }

  const tell = (news) => renew(hint, news);
  const redraw = soon(root, draw);
  const fail = guard(root, (error) => {
    throw error;
  });

  function ready() {
    clearTimeout(timer);
    asked++;
    if (!text()) return tell("Type a caption, such as: A dog is running.");
    const key = JSON.stringify(question());
    if (!answers.has(key)) tell(answers.has(ofDefaults()) || model.get("own") !== null ? "translating …" : "");
    timer = setTimeout(() => answer().catch((error) => {
      if (error instanceof Late) return;
      if (!(error instanceof Unanswered)) fail(error);
      bar.hidden = true;
      tell(`${error.message} The prepared captions still answer.`);
    }), answers.has(key) ? 0 : PAUSE);
    redraw();
  }

  for (const trait of ["own", "example"]) {
    model.on(`change:${trait}`, () => {
      model.set("chosen", 0);
      model.set("word", 0);
      ready();
    });
  }
  for (const trait of ["width", "alpha"]) model.on(`change:${trait}`, ready);
  for (const trait of ["chosen", "word"]) model.on(`change:${trait}`, redraw);
  onTheme((colours) => view.colours(colours));
  shown = answers.get(JSON.stringify(question()));
  if (!shown) {
    shown = answers.get(ofDefaults());
    ready();
  }
  draw();
  return () => clearTimeout(timer);
});

class Late extends Error {}

/** The answers that came with the widget, by the question. */
function preparedAnswers(model) {
  const all = readArray(model.get("looks"));
  const { width, alpha } = model.get("sizes");
  return new Map(model.get("examples").map(({ text, ids, found }, example) => [JSON.stringify([text, width, alpha]), {
    source: { text, ids },
    found: found.map((one, place) => ({ ...one, looks: one.ids.map((_, i) => all.at(example, place, i).subarray(0, ids.length + 1)) })),
  }]));
}
