import css from "./caption_translator.css";
import viewCss from "./lib/alignment_view.css";
import { alignmentView, sayLook } from "./lib/alignment_view.js";
import { readArray } from "./lib/array.js";
import { search, textOf } from "./lib/beam.js";
import { join, wordsOf } from "./lib/byte_pieces.js";
import boxCss from "./lib/caption_box.css";
import { captionBox } from "./lib/caption_box.js";
import { h, radios, renew, soon } from "./lib/dom.js";
import { asker, encoder } from "./lib/live.js";
import { roving } from "./lib/roving.js";
import { readCaption } from "./lib/translator.js";
import { defineWidget } from "./lib/widget.js";

const WIDEST = 5;
const MOST_KEPT = 20; // answers that are remembered
const percent = (share) => `${share < 0.0995 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`;
const figure = (x) => x.toFixed(2).replace("-", "−");

export default defineWidget(boxCss + viewCss + css, ({ model, root, onTheme }) => {
  const [names, examples, sizes] = ["names", "examples", "sizes"].map((name) => model.get(name));
  const [ask, encode] = [asker(model), encoder(model)];
  const answers = preparedAnswers(model);
  let shown; // the answer that is drawn
  let pointed = -1;

  const box = captionBox({
    model, root, answer, captions: examples.map(({ text }) => text), choose: (name, value) => model.set(name, value),
    known: () => answers.has(JSON.stringify(question())) && "all", busy: "translating …",
  });
  const question = () => [box.text(), model.get("width"), model.get("alpha")];
  const ofDefaults = () => JSON.stringify([box.text(), sizes.width, sizes.alpha]);

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
    box.element,
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
    box.draw();
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

  async function answer(unlessLate, onProgress) {
    const [given, width, alpha] = question();
    const key = JSON.stringify([given, width, alpha]);
    if (!answers.has(key)) {
      const { ids } = await unlessLate(encode(given));
      const { next, longest, looks } = readCaption(ask, ids, 2 * width, sizes, onProgress);
      const levels = await search((texts) => unlessLate(next(texts)), { ends: [sizes.end], width, longest, alpha, penalty: "power" });
      const found = levels.at(-1).found.map((node) => {
        const path = textOf(node);
        const own = node.fate === "ended" ? path.slice(0, -1) : path;
        return { ids: own, total: node.total, score: node.score, ended: node.fate === "ended", text: join(own.map((id) => names[id])).trim(), looks: looks(own) };
      });
      if (answers.size >= MOST_KEPT + examples.length) answers.delete([...answers.keys()][examples.length]);
      answers.set(key, { source: { text: given, ids }, found });
    }
    shown = answers.get(key);
    redraw();
  }

  const redraw = soon(root, draw);
  function ready() {
    box.ready();
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
  return box.stop;
});

/** The answers that came with the widget, by the question. */
function preparedAnswers(model) {
  const all = readArray(model.get("looks"));
  const { width, alpha } = model.get("sizes");
  return new Map(model.get("examples").map(({ text, ids, found }, example) => [JSON.stringify([text, width, alpha]), {
    source: { text, ids },
    found: found.map((one, place) => ({ ...one, looks: one.ids.map((_, i) => all.at(example, place, i).subarray(0, ids.length + 1)) })),
  }]));
}
