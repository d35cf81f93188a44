import css from "./dialogue_reader.css";
import { readArray } from "./lib/array.js";
import { guard, h, put, radios, renew, soon } from "./lib/dom.js";
import { asker, Unanswered } from "./lib/live.js";
import { bestSpan, joined, softmax, spanAsker } from "./lib/reader.js";
import { bertWords, wordPiece } from "./lib/tokenization.js";
import { defineWidget } from "./lib/widget.js";

const LONGEST_ANSWER = 30; // tokens
const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.095 ? 1 : 0)} %`;

export default defineWidget(css, ({ model, root }) => {
  const examples = model.get("examples");
  const { special, longest } = model.get("sizes");
  const { encode } = wordPiece(model.get("vocabulary"));
  const cut = (given) => inUnits(given, encode(bertWords(given)));
  const read = spanAsker(asker(model));
  const answered = prepared(model);
  let busy = false; // the model reads; what is asked meanwhile is read after that

  const text = () => model.get("own") ?? examples[model.get("example")].text;
  const key = () => JSON.stringify([model.get("question"), text()]);

  const choose = radios("Dialogue", [...examples.map(({ title }) => title), "edit, or write your own"], (i) => {
    if (i < examples.length) {
      model.set("own", null);
      model.set("example", i);
      model.set("question", examples[i].questions[0]);
    } else {
      model.set("own", text());
      box.focus();
    }
  });
  const box = h("textarea", {
    class: "own", rows: 8, spellcheck: "false", "aria-label": "Your dialogue: a turn on each line, beginning with User: or Agent:",
    oninput: () => model.set("own", box.value),
  });
  const question = h("input", {
    class: "own", type: "text", spellcheck: "false", autocomplete: "off", "aria-label": "Your question about the dialogue",
    oninput: () => model.set("question", question.value),
  });
  const offers = h("div", { class: "controls offers", role: "group", "aria-label": "Questions to try" });
  const caution = h("input", {
    type: "range", min: -40, max: 40, step: 1, "aria-label": "Caution: how much better than no answer an answer must be",
    oninput: () => model.set("caution", Number(caution.value)),
  });
  const cautionTold = h("output", { class: "number" });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": "Loading the model" });
  const hint = h("p", { class: "hint", role: "status" });
  const answer = h("p", { class: "answer", role: "status" });
  const told = h("p", { class: "told", role: "status" });
  const turns = h("ol", { class: "turns", "aria-label": "The dialogue, each word with its chance to begin and to end the answer" });
  root.append(
    h("div", { class: "widget" }, choose.element, box,
      h("label", { class: "asked" }, h("span", { class: "label" }, "Question"), question), offers,
      h("section", { class: "result", "aria-label": "Answer" }, answer, bar, hint),
      h("p", { class: "legend" }, h("span", { class: "start-key" }, "begins the answer"), h("span", { class: "end-key" }, "ends it"),
        h("label", {}, h("span", { class: "label" }, "caution "), caution, cautionTold)),
      turns, told));

  /** What is known of the present question: {pieces, start, end, found}, or undefined while it is asked. */
  function reading() {
    const known = answered.get(key());
    if (!known) return undefined;
    const { ids, begin, pieces } = joined(cut, model.get("question"), text(), special);
    if (ids.length !== known.start.length) throw new Error("The prepared answer does not fit its text.");
    const found = bestSpan(known.start, known.end, begin, pieces.length, LONGEST_ANSWER);
    const chances = [known.start, known.end].map((logits) => softmax(logits));
    return { pieces, found, start: chances[0].slice(begin), end: chances[1].slice(begin), none: [chances[0][0], chances[1][0]] };
  }

  function drawAnswer(now) {
    if (!now) return renew(answer, busy ? "…" : "");
    const { found, pieces } = now;
    const margin = found.score - found.none;
    const said = text().slice(pieces[found.first].start, pieces[found.last].end);
    const refused = margin <= model.get("caution");
    answer.classList.toggle("none", refused);
    renew(answer, refused ? "The dialogue does not say." : said);
    hint.textContent = refused
      ? `The best span, “${said}”, scores ${Math.abs(margin).toFixed(1)} ${margin < 0 ? "below" : "above"} “no answer”.`
      : `${margin.toFixed(1)} above “no answer”.`;
  }

  function drawTurns(now) {
    const whole = text();
    const chosen = model.get("word");
    const refused = !now || now.found.score - now.found.none <= model.get("caution");
    const [from, to] = refused ? [-1, -1] : [now.pieces[now.found.first].start, now.pieces[now.found.last].end];
    let at = 0;
    let count = 0;
    const lines = whole.split("\n").flatMap((line) => {
      const words = [...line.matchAll(/\S+/gu)].map((match) => ({ start: at + match.index, stop: at + match.index + match[0].length, number: count++ }));
      at += line.length + 1;
      if (!words.length) return [];
      const speaker = /^\s*(user|agent):/i.exec(line)?.[1].toLowerCase() ?? "other";
      return [h("li", { class: speaker }, ...words.flatMap((word) => [drawWord(word), " "]))];
    });
    renew(turns, ...lines);

    function drawWord({ start, stop, number }) {
      const inside = (now?.pieces ?? []).flatMap((piece, i) => (piece.start < stop && piece.end > start ? [i] : []));
      const sum = (chances) => inside.reduce((all, i) => all + chances[i], 0);
      const [begins, ends] = now ? [sum(now.start), sum(now.end)] : [0, 0];
      const parts = [[start, Math.min(stop, Math.max(start, from))], [Math.max(start, from), Math.min(stop, to)], [Math.max(start, Math.min(stop, to)), stop]];
      const lit = from < stop && to > start;
      const content = lit
        ? parts.map(([a, b], i) => (b > a ? (i === 1 ? h("mark", {}, whole.slice(a, b)) : whole.slice(a, b)) : null))
        : [whole.slice(start, stop)];
      return h("button", {
        type: "button", class: "word", "data-number": number, "aria-pressed": String(number === chosen),
        style: `--begins:${(100 * begins).toFixed(1)}%;--ends:${(100 * ends).toFixed(1)}%`,
      }, ...content);
    }
  }
  turns.addEventListener("click", guard(root, (event) => {
    const number = Number(event.target.closest(".word")?.dataset.number ?? -1);
    if (number >= 0) model.set("word", model.get("word") === number ? -1 : number);
  }));

  function drawTold(now) {
    const word = turns.querySelector('[aria-pressed="true"]');
    if (!now) return renew(told, "");
    if (!word) return renew(told, `No beginning at all: ${percent(now.none[0])}; no end: ${percent(now.none[1])}. Tap a word for its own chances.`);
    const [begins, ends] = ["--begins", "--ends"].map((name) => Number.parseFloat(word.style.getPropertyValue(name)) / 100);
    renew(told, h("strong", {}, word.textContent), ` begins the answer with ${percent(begins)}, and ends it with ${percent(ends)}.`);
  }

  function update() {
    const own = model.get("own");
    choose.select(own === null ? model.get("example") : examples.length);
    box.hidden = own === null;
    if (root.activeElement !== box) box.value = own ?? "";
    if (root.activeElement !== question) question.value = model.get("question");
    const offered = own === null ? examples[model.get("example")].questions : examples.flatMap(({ questions }) => questions);
    renew(offers, ...[...new Set(offered)].map((way) => h("button", { type: "button", "aria-pressed": String(way === model.get("question")) }, way)));
    put(caution, { "aria-valuetext": `${model.get("caution")}` });
    caution.value = model.get("caution");
    cautionTold.textContent = ` ${model.get("caution")}`;
    const now = reading();
    drawAnswer(now);
    drawTurns(now);
    drawTold(now);
  }
  offers.addEventListener("click", guard(root, (event) => {
    const way = event.target.closest("button")?.textContent;
    if (way) model.set("question", way);
  }));

  async function readNow() {
    const wanted = key();
    redraw();
    if (answered.has(wanted)) return;
    const { ids, segments, begin, pieces } = joined(cut, model.get("question"), text(), special);
    const lacks = begin === 2 ? "Ask a question." : pieces.length ? null : "Write a dialogue: a turn on each line, beginning with User: or Agent:";
    if (lacks || ids.length > longest) {
      hint.textContent = lacks ?? `Question and dialogue have ${ids.length} tokens; the model reads ${longest} at most. Leave out some turns.`;
      return;
    }
    hint.textContent = "reading …";
    if (busy) return;
    busy = true;
    let excuse = "";
    try {
      const found = await read(ids, segments, (share) => {
        bar.hidden = share >= 1;
        bar.value = share;
      });
      answered.set(wanted, found);
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      excuse = `${error.message} The prepared questions still answer.`;
    } finally {
      busy = false;
      bar.hidden = true;
    }
    if (key() !== wanted) return readNow();
    if (excuse) hint.textContent = excuse;
    redraw();
  }

  const fail = guard(root, (error) => {
    throw error;
  });
  const redraw = soon(root, update);
  const ask = () => {
    model.set("word", -1);
    readNow().catch(fail);
  };
  for (const name of ["own", "question", "example"]) model.on(`change:${name}`, ask);
  for (const name of ["caution", "word"]) model.on(`change:${name}`, redraw);
  update();
  readNow().catch(fail);
});

/** `pieces`, whose places count characters, with places that count a string's units, of which an emoji has two. */
function inUnits(text, pieces) {
  const units = [0];
  for (const character of text) units.push(units.at(-1) + character.length);
  return pieces.map(({ id, start, end }) => ({ id, start: units[start], end: units[end] }));
}

/** The answers that came with the widget, by question and text. */
function prepared(model) {
  const logits = readArray(model.get("logits"));
  let row = 0;
  return new Map(model.get("examples").flatMap(({ text, questions, lengths }) => questions.map((question, i) => {
    const [start, end] = [0, 1].map((which) => logits.at(row, which).subarray(0, lengths[i]));
    row++;
    return [JSON.stringify([question, text]), { start, end }];
  })));
}
