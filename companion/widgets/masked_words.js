import css from "./masked_words.css";
import boxCss from "./lib/caption_box.css";
import { captionBox } from "./lib/caption_box.js";
import { h, put, renew, soon } from "./lib/dom.js";
import { asker, encoder, Unanswered } from "./lib/live.js";
import { corrupt, guesser, hiddenAfter, seen } from "./lib/masking.js";
import { defineWidget } from "./lib/widget.js";

const CARDS = 6; // holes whose guesses are listed, on both sides
const MOST_KEPT = 20; // answers that are remembered
const MOST_LETTERS = 2000;
const TYPED = "[MASK]";
const SPEAKER = /^(user|agent):/i;
const WORDS = {
  group: "Sentences", own: "or type a sentence of your own, about booking something, in English", box: "A sentence in English",
  empty: "Type a sentence, such as: I need a table for two.", still: "The prepared sentences still answer.",
};
const percent = (share) => (share < 0.0005 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`);
const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export default defineWidget(boxCss + css, ({ model, root }) => {
  const [names, examples, sizes] = ["names", "examples", "sizes"].map((name) => model.get(name));
  const [encode, guess] = [encoder(model), guesser(asker(model), sizes)];
  const texts = new Map(examples.map(({ text, ids }) => [text, ids])); // cut into pieces
  const answers = new Map(examples.map(({ text, holes }) => [key(text, holes.map(({ place }) => [place, sizes.mask])), holes]));
  const prepared = answers.size;
  let drew = ""; // what the last draw did
  let unanswered; // the question that the model could not be asked
  let chips = [];

  const box = captionBox({
    model, root, answer, captions: examples.map(({ text }) => text), words: WORDS, busy: "reading …",
    choose: (name, value) => {
      model.set(name, value);
      if (name === "own" && value !== null) return model.set("holes", []);
      const { holes } = examples[model.get("example")];
      return model.set("holes", holes.map(({ place }) => [place, sizes.mask]));
    },
    known: () => (answers.has(question()) ? "all" : texts.has(box.text()) && "model"),
  });

  function key(text, holes) {
    return JSON.stringify([text, [...holes].sort(([a], [b]) => a - b)]);
  }
  const question = () => key(box.text(), model.get("holes"));

  const pieces = h("div", { class: "pieces", role: "group", "aria-label": "The sentence: each button hides or shows a piece" });
  const told = h("p", { class: "told", role: "status" });
  const cards = h("div", { class: "cards" });
  const slider = h("input", { type: "range", min: 5, max: 50, step: 5, "aria-label": "share of the pieces to draw", oninput: () => model.set("rate", Number(slider.value) / 100) });
  const rate = h("span", { class: "number" });
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  const hide = button("hide at random", () => draw([1, 0]));
  const corruption = button("draw as BERT does", () => draw());
  const clear = button("show all", () => model.set("holes", []));
  const legend = h("p", { class: "legend" }, "as BERT does, of 10 drawn:", ...[["masked", "8 hidden"], ["replaced", "1 replaced"], ["kept", "1 left as it is"]].map(([kind, text]) => h("span", {}, h("i", { class: kind }), text)));
  root.append(h("div", { class: "widget" },
    box.element,
    h("section", {}, h("h3", {}, "Tap a word to hide it; tap it again to show it"), pieces,
      h("div", { class: "controls" }, h("label", { class: "draw" }, rate, slider), hide, corruption, clear), legend),
    h("section", {}, told, cards),
    h("p", { class: "note" }, `An encoder of ${(sizes.parameters / 1e6).toFixed(1)} million parameters that has read dialogues in which people book things. Of other texts it knows little.`)));

  function draw(shares) {
    const ids = texts.get(box.text());
    const { mask, first } = sizes;
    const holes = corrupt(ids, { rate: model.get("rate"), seed: model.get("seed"), mask, first, size: names.length, shares });
    model.set("seed", model.get("seed") + 1);
    model.set("holes", holes);
    redraw();
    drew = holes.length ? "" : `Nothing was drawn this time: each of the ${ids.length} pieces had a chance of ${percent(model.get("rate"))}. Draw again. `;
  }

  /** Holes of the text: those made, and those typed, as [place, piece seen], from left to right. */
  function holesOf(ids) {
    const typed = ids.flatMap((id, place) => (id === sizes.mask ? [[place, id]] : []));
    return [...model.get("holes").filter(([place]) => place < ids.length), ...typed].sort(([a], [b]) => a - b);
  }

  const kindOf = (ids, [place, id]) => (id === sizes.mask ? "masked" : id === ids[place] ? "kept" : "replaced");

  function flip(place) {
    const holes = model.get("holes");
    const left = holes.filter(([other]) => other !== place);
    model.set("holes", left.length < holes.length ? left : [...holes, [place, sizes.mask]]);
  }

  function drawPieces(ids, holes, found) {
    if (chips.ids !== ids) {
      chips = ids.map((id, place) => ({ guess: h("span", { class: "guess" }), button: h("button", { type: "button", onclick: () => flip(place) }) }));
      chips.ids = ids;
      pieces.replaceChildren(...chips.map(({ guess: best, button: chip }) => h("span", {}, chip, best)));
    }
    const asked = new Map(holes.map((hole, i) => [hole[0], [hole, found?.[i]]]));
    ids.forEach((id, place) => {
      const [hole, answer] = asked.get(place) ?? [];
      const kind = hole ? kindOf(ids, hole) : "";
      const name = names[id];
      const shown = kind === "replaced" ? names[hole[1]] : kind === "masked" ? "____" : name;
      const { guess: best, button: chip } = chips[place];
      put(chip.parentNode, { class: `piece ${kind}` });
      renew(chip, shown);
      chip.disabled = id === sizes.mask;
      const state = { masked: "hidden", replaced: `replaced by ${shown}`, kept: "asked about, left as it is" }[kind] ?? "shown";
      put(chip, { "aria-pressed": String(Boolean(hole)), "aria-label": `${place + 1}: ${id === sizes.mask ? "a hole" : name}, ${state}` });
      renew(best, answer ? `${names[answer.both.best[0][0]]} ${Math.round(100 * answer.both.best[0][1])} %` : "");
    });
  }

  function side(title, { best, own }, id) {
    const lines = best.map(([number, share]) =>
      h("li", { class: number === id ? "right" : "", style: `--share:${(100 * share).toFixed(1)}%`, "data-exact": share },
        h("span", {}, names[number], number === id ? " ✓" : ""), h("span", { class: "number" }, percent(share))));
    const missed = own && !best.some(([number]) => number === id);
    return h("div", { class: "side" }, h("h3", {}, title), h("ol", {}, ...lines),
      h("p", { class: "own-word" }, missed ? `${names[id]}: ${percent(own[0])}, rank ${own[1]}` : null));
  }

  function drawCards(ids, holes, found) {
    renew(cards, ...holes.slice(0, CARDS).map((hole, i) => {
      const id = ids[hole[0]];
      const was = { masked: id === sizes.mask ? "a hole" : `“${names[id]}”, hidden`, replaced: `“${names[id]}”, replaced by “${names[hole[1]]}”`, kept: `“${names[id]}”, left as it is` }[kindOf(ids, hole)];
      return h("div", { class: "card" }, h("p", { class: "title" }, `piece ${hole[0] + 1}: ${was}`),
        h("div", { class: "sides" }, side("both sides", found[i].both, id), side("right side hidden", found[i].left, id)));
    }));
  }

  function say(ids, holes, found) {
    const unknown = ids.filter((id) => id === sizes.unknown).length;
    const strange = unknown ? ` [UNK] stands for what it has no pieces for (${many(unknown, "word")}).` : "";
    if (!holes.length) return `${drew}Nothing is hidden: tap a word.${strange}`;
    const named = (side) => holes.slice(0, CARDS).filter(([place], i) => found[i][side].best[0][0] === ids[place]).length;
    const listed = Math.min(CARDS, holes.length);
    const first = holes.length > CARDS ? ` The first ${CARDS} are listed; under each hole stands the best guess.` : "";
    return `${many(holes.length, "piece")} asked for.${first} Named first, of ${listed}: ${named("both")} from both sides, ${named("left")} with the right side hidden.${strange}`;
  }

  function update() {
    put(slider, { "aria-valuetext": `${Math.round(100 * model.get("rate"))} %` });
    if (Number(slider.value) !== Math.round(100 * model.get("rate"))) slider.value = Math.round(100 * model.get("rate"));
    renew(rate, `${Math.round(100 * model.get("rate"))} %`);
    box.draw();
    const ids = texts.get(box.text());
    hide.disabled = corruption.disabled = !ids;
    clear.disabled = !model.get("holes").length;
    if (!ids) return rest();
    const holes = holesOf(ids);
    const found = answers.get(question());
    drawPieces(ids, holes, found);
    if (holes.length && !found) {
      if (unanswered === question()) forget();
      return; // what is shown stays until the answer comes
    }
    drawCards(ids, holes, found ?? []);
    renew(told, say(ids, holes, found));
  }

  /** What is shown is of another text than that in the box. */
  function rest() {
    for (const { button: chip, guess: best } of chips) {
      chip.disabled = true;
      renew(best);
    }
    forget();
  }

  function forget() {
    drawCards([], [], []);
    renew(told);
  }

  async function read(text, unlessLate) {
    if (text.length > MOST_LETTERS) throw new Unanswered(`That is ${text.length} letters; it reads at most ${MOST_LETTERS}.`);
    const parts = [];
    const said = SPEAKER.test(text) ? text : `User: ${text}`; // every text that the model has read begins so
    for (const part of said.split(TYPED)) parts.push((await unlessLate(encode(part))).ids);
    const ids = parts.flatMap((part, i) => (i ? [sizes.mask, ...part] : part));
    if (ids.length > sizes.room) throw new Unanswered(`That is ${ids.length} pieces; it reads at most ${sizes.room} here.`);
    return ids;
  }

  async function answer(unlessLate, onProgress) {
    const [text, asked] = [box.text(), question()];
    if (!texts.has(text)) texts.set(text, await read(text, unlessLate));
    redraw();
    const ids = texts.get(text);
    const holes = holesOf(ids);
    if (answers.has(asked) || !holes.length) return;
    const given = seen(ids, holes);
    const asks = holes.map(([place]) => [place, ids[place]]);
    const left = asks.slice(0, CARDS).map((at) => ({ ids: hiddenAfter(given, at[0], sizes.mask), at: [at] }));
    const [both, ...lefts] = await unlessLate(guess([{ ids: given, at: asks }, ...left], onProgress)).catch((error) => {
      if (error instanceof Unanswered) unanswered = asked;
      redraw();
      throw error;
    });
    if (answers.size >= MOST_KEPT + prepared) answers.delete([...answers.keys()][prepared]);
    answers.set(asked, holes.map(([place], i) => ({ place, both: both[i], left: lefts[i]?.[0] })));
    redraw();
  }

  const redraw = soon(root, update);
  function ready() {
    box.ready();
    redraw();
  }

  for (const trait of ["own", "example"]) model.on(`change:${trait}`, ready);
  model.on("change:holes", () => {
    drew = "";
    ready();
  });
  for (const trait of ["rate", "seed"]) model.on(`change:${trait}`, redraw);
  if (!answers.has(question())) ready();
  update();
  return box.stop;
});
