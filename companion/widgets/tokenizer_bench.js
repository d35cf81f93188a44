import css from "./tokenizer_bench.css";
import { bytePairs, learnPairs, merged, symbols, vocabularyOf } from "./lib/byte_pair_encoding.js";
import { chips } from "./lib/chips.js";
import { h, put, renew, soon } from "./lib/dom.js";
import { bertWords, bytes, count, markedWords, spelled, UNKNOWN, wholeWords, wordPiece } from "./lib/tokenization.js";
import { learnUnigram } from "./lib/unigram.js";
import { defineWidget } from "./lib/widget.js";

const MOST = { text: 5000, cut: 200, word: 24 }; // characters; mirrored in Python
const [END, PREFIX] = ["</w>", "##"];
const SHOWN = { words: 10, cuts: 8 };
const DRAWS = 100;
const METHODS = ["words", "characters", "BPE", "WordPiece", "unigram", "bytes"];
const many = (n, thing) => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`;
const lengthOf = (text) => [...text].length;

export default defineWidget(css, ({ model, root }) => {
  const redraw = soon(root, () => drawAll());
  // What is learned, and how far it has come.
  const text = field("text", "Learn from this text: write in it", 4, learnLater);
  const met = h("p", { class: "label" });
  const slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "merges", oninput: () => go(Number(slider.value)) });
  const merges = h("span", { class: "number" });
  const back = h("button", { type: "button", "aria-label": "one merge back", onclick: () => go(model.get("merges") - 1) }, "◀");
  const on = h("button", { type: "button", "aria-label": "one merge on", onclick: () => go(model.get("merges") + 1) }, "▶");
  const play = h("button", { type: "button", onclick: () => (playing ? stop() : start()) }, "play");
  const next = h("p", { class: "next", role: "status" });
  const words = h("ul", { class: "words", "aria-label": "Words that are not one token yet, those with the next pair first" });

  // What is cut.
  const cut = field("cut", "Cut this one", 2, redraw);
  const rows = METHODS.map((name, row) => {
    const pieces = chips(`Tokens of ${name}`, (i) => tell(row, i));
    const [number, size] = [h("span", { class: "number" }), h("span", { class: "label" })];
    return { name, pieces, number, size, found: [], drawn: null, element: h("div", { class: "row" }, h("p", { class: "head" }, h("b", {}, name), number, size), pieces.element) };
  });
  const covers = h("p", { class: "covers" });

  // Cuts of a word that are drawn.
  const word = field("word", "Cut this word by the unigram model, by chance", 1, redraw);
  const alpha = h("input", { type: "range", min: 0, max: 2, step: 0.05, "aria-label": "alpha", oninput: () => model.set("alpha", Number(alpha.value)) });
  const shownAlpha = h("span", { class: "number" });
  const draw = h("button", { type: "button", onclick: drawMore }, `draw ${DRAWS} times`);
  const cuts = h("table", {});
  const said = h("p", { class: "label", role: "status" });

  root.append(h("div", { class: "widget" },
    text.element, met,
    h("div", { class: "controls" }, h("label", { class: "slider" }, "merges ", slider), merges, back, on, play),
    next, words,
    h("div", { class: "part" }, cut.element, ...rows.map(({ element }) => element), covers),
    h("div", { class: "part" }, word.element,
      h("div", { class: "controls" }, h("label", { class: "slider" }, "α ", alpha), shownAlpha, draw), said, h("div", { class: "scroller" }, cuts))));

  let learned = null; // null: there is nothing to learn from
  let models = {};
  let unigramOf = 0; // the size that the unigram model was learned for
  let drawn = new Map();
  let [sampler, spelt, shown] = [null, null, {}];
  let [waiting, thinking, playing] = [0, 0, 0];

  function field(name, label, lines, changed) {
    const problem = h("span", { class: "problem" });
    const box = h("textarea", { rows: lines, "aria-label": label, spellcheck: "false", autocomplete: "off", oninput: () => {
      const n = lengthOf(box.value);
      problem.textContent = n > MOST[name] ? `${many(n, "character")}: too long. What is shown is for the text before; at most ${MOST[name].toLocaleString("en")} are read.` : "";
      if (n <= MOST[name]) model.set(name, box.value);
    } });
    model.on(`change:${name}`, changed);
    const show = () => {
      if (!problem.textContent && box.value !== model.get(name)) box.value = model.get(name);
    };
    return { element: h("div", { class: "field" }, h("span", { class: "label" }, label), box, problem), show };
  }

  function learnLater() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      learn();
      redraw();
    }, 150);
  }

  function learn() {
    stop();
    const all = bertWords(model.get("text"));
    const counts = count(all.map(spelled));
    const given = [...counts];
    const marked = [...count(markedWords(model.get("text")).map(spelled))];
    unigramOf = 0;
    const singles = [...count(all.flat().map(({ text: character }) => character))];
    learned = given.length ? { singles, given, marked, pairs: learnPairs(given, { suffix: END }), pieces: learnPairs(given, { prefix: PREFIX }) } : null;
    met.textContent = learned ? `${many(lengthOf(model.get("text")), "character")}; ${many(all.length, "word")}, ${counts.size.toLocaleString("en")} of them different` : "Write something to learn from.";
  }

  const last = () => learned?.pairs.merges.length ?? 0;
  const at = () => Math.min(model.get("merges"), last());
  const go = (n) => model.set("merges", Math.max(0, Math.min(last(), n)));

  function start() {
    if (at() === last()) go(0);
    playing = setInterval(() => (at() < last() ? go(at() + 1) : stop()), 700);
    put(play, { "aria-pressed": true });
    play.textContent = "pause";
    put(next, { "aria-live": "off" });
  }
  function stop() {
    clearInterval(playing);
    playing = 0;
    put(play, { "aria-pressed": false });
    play.textContent = "play";
    put(next, { "aria-live": "polite" });
  }

  function drawAll() {
    for (const each of [text, cut, word]) each.show();
    put(slider, { max: last() });
    slider.value = at();
    alpha.value = model.get("alpha");
    shownAlpha.textContent = model.get("alpha").toFixed(2);
    [back.disabled, on.disabled, play.disabled] = [!at(), at() === last(), !last()];
    if (shown.of !== learned || shown.n !== at()) drawMerge();
    shown = { of: learned, n: at() };
    if (learned) drawCuts();
    for (const { element } of rows) element.hidden = !learned;
    clearTimeout(thinking);
    const { size } = models;
    if (!learned || unigramOf === size) return drawUnigram();
    put(rows[4].element, { "aria-busy": true });
    thinking = setTimeout(() => {
      models.unigram = learnUnigram(learned.marked, size);
      unigramOf = size;
      drawUnigram();
    }, playing ? 0 : 60);
  }

  function drawMerge() {
    const n = at();
    merges.textContent = `${n} of ${last()}`;
    if (!learned) return renew(next), renew(words);
    const step = learned.pairs.merges[n];
    renew(next, ...(step
      ? ["Next: ", mono(step.left), " + ", mono(step.right), " becomes ", mono(step.joined), `; side by side ${many(step.count, "time")}.`]
      : ["Every word is one token."]));
    const joins = (parts, i) => step && parts[i] === step.left && parts[i + 1] === step.right;
    const unfinished = spellings(n).filter(({ parts }) => parts.length > 1)
      .map((each) => ({ ...each, changes: each.parts.some((_, i) => joins(each.parts, i)) }))
      .sort((one, other) => other.changes - one.changes || other.times - one.times);
    renew(words, ...unfinished.slice(0, SHOWN.words).map(({ parts, times }) => h("li", {},
      ...parts.map((part, i) => h("code", { class: joins(parts, i) || joins(parts, i - 1) ? "joins" : null }, part)), h("span", { class: "label" }, `${times} ×`))));
  }

  /** The words as they are spelled after n merges; the last answer is the beginning of the next. */
  function spellings(n) {
    if (!spelt || spelt.of !== learned || spelt.n > n) {
      spelt = { of: learned, n: 0, words: learned.given.map(([each, times]) => ({ times, parts: symbols([...each], "", END) })) };
    }
    for (const merge of learned.pairs.merges.slice(spelt.n, n)) for (const each of spelt.words) if (each.parts.includes(merge.left)) each.parts = merged(each.parts, merge);
    spelt.n = n;
    return spelt.words;
  }

  /** All models but the unigram one, as they are after the merges that are done. */
  function build() {
    const n = at();
    const vocabulary = vocabularyOf(learned.pairs, { n });
    const size = vocabulary.length;
    models = {
      ...models, n, of: learned, size, words: wholeWords(learned.given, size), BPE: bytePairs(vocabulary, learned.pairs.merges.slice(0, n), END),
      WordPiece: wordPiece(vocabularyOf(learned.pieces, { size })), characters: wholeWords(learned.singles, Infinity),
    };
  }

  function drawCuts() {
    if (models.of !== learned || models.n !== at()) build();
    const found = bertWords(model.get("cut"));
    for (const name of ["words", "BPE", "WordPiece"]) drawRow(METHODS.indexOf(name), models[name].encode(found), models[name].vocabulary.length);
    drawRow(1, models.characters.encode(found.flat().map((character) => [character])), models.characters.vocabulary.length);
    drawRow(5, bytes(model.get("cut")), 256);
  }

  function drawRow(at, found, size) {
    const row = rows[at];
    const unknown = found.filter(({ id }) => at < 5 && !id).length;
    row.number.textContent = many(found.length, "token") + (unknown ? `, ${unknown} unknown` : "");
    row.size.textContent = `vocabulary: ${size.toLocaleString("en")}`;
    const looks = JSON.stringify([model.get("cut"), found]);
    if (row.drawn === looks) return;
    Object.assign(row, { drawn: looks, found });
    row.pieces.fill(found.map(({ token, id, start, end }) => ({
      text: token, label: `${token}, ${covered(start, end)}`, class: at < 5 && !id ? "piece unknown" : "piece",
    })));
    renew(covers, "Point to a token, or walk with the arrow keys, to see what it covers.");
  }

  function tell(at, i) {
    const { found, pieces, name } = rows[at];
    const { token, id, start, end } = found[i];
    for (const row of rows) if (row.pieces !== pieces) row.pieces.select(-1);
    pieces.select(i);
    const characters = [...model.get("cut")];
    const part = (from, to) => characters.slice(from, to).join("");
    renew(covers, `${name}: `, mono(token), at < 5 ? `, number ${id}, ${covered(start, end)}: ` : `, ${covered(start, end)}: `,
      part(Math.max(0, start - 30), start), h("mark", {}, part(start, end)), part(end, end + 30));
  }

  function drawUnigram() {
    const row = rows[4].element;
    put(row, { "aria-busy": false });
    if (!learned) return drawSamples();
    drawRow(4, models.unigram.encode(markedWords(model.get("cut"))), models.unigram.vocabulary.length);
    drawSamples();
  }

  function drawSamples(more = false) {
    const [only] = markedWords(model.get("word"));
    const characters = only?.map(({ text: character }) => character) ?? [];
    const now = learned && characters.length ? JSON.stringify([characters, model.get("alpha")]) : "";
    if (sampler && sampler.of === now && sampler.model === models.unigram && !more) return;
    if (sampler?.of !== now || sampler.model !== models.unigram) {
      sampler = now ? { of: now, model: models.unigram, ...models.unigram.sampler(characters, model.get("alpha")), best: models.unigram.best(characters) } : null;
      drawn = new Map();
    }
    draw.disabled = !sampler;
    if (!sampler) return renew(said, "Write a word."), renew(cuts);
    const spell = (path) => path.map(({ token, start }) => (token === UNKNOWN ? characters[start] : token)).join(" · ");
    const total = [...drawn.values()].reduce((sum, { times }) => sum + times, 0);
    const best = spell(sampler.best);
    const lines = [...drawn.values()].map((each) => ({ ...each, name: spell(each.path) }));
    if (!drawn.has(keyOf(sampler.best))) lines.push({ path: sampler.best, name: best, times: 0 });
    lines.forEach((line) => (line.share = sampler.probability(line.path)));
    lines.sort((one, other) => other.share - one.share || other.times - one.times);
    const some = lines.slice(0, SHOWN.cuts);
    const rest = lines.slice(SHOWN.cuts).reduce((sum, { times }) => sum + times, 0);
    renew(said, `“${model.get("word").trim()}” can be cut in ${many(sampler.cuts, "way")}. `, total ? `Drawn ${total} times, ${drawn.size} different.` : "Nothing is drawn yet.",
      rest ? ` ${rest} times one that is not listed.` : "");
    renew(cuts, h("thead", {}, h("tr", {}, ...["cut", "drawn", "share", "probability"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...some.map(({ name, times, share }) => h("tr", {},
        h("td", {}, mono(name), name === best ? h("span", { class: "label" }, " likeliest") : ""),
        h("td", { class: "number" }, String(times)), h("td", { class: "number" }, total ? (times / total).toFixed(3) : "–"),
        h("td", { class: "number", "data-exact": share }, share.toFixed(3), h("span", { class: "bar", "aria-hidden": "true", style: `width:${(60 * share).toFixed(1)}px` }))))));
  }

  function drawMore() {
    for (let i = 0; i < DRAWS; i++) {
      const path = sampler.draw();
      const line = drawn.get(keyOf(path)) ?? { path, times: 0 };
      line.times++;
      drawn.set(keyOf(path), line);
    }
    drawSamples(true);
  }

  learn();
  for (const name of ["merges", "alpha"]) model.on(`change:${name}`, redraw);
  drawAll();
  return () => {
    stop();
    clearTimeout(waiting);
    clearTimeout(thinking);
  };
});

const keyOf = (path) => path.map(({ end }) => end).join();
const mono = (token) => h("code", {}, token);
const covered = (start, end) => (end - start === 1 ? `character ${start + 1}` : `characters ${start + 1} to ${end}`);
