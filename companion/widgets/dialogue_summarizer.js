import css from "./dialogue_summarizer.css";
import { readArray } from "./lib/array.js";
import { join, wordsOf } from "./lib/byte_pieces.js";
import { guard, h, radios, soon } from "./lib/dom.js";
import { asker, encoder, Unanswered } from "./lib/live.js";
import { writer } from "./lib/summarizer.js";
import { defineWidget } from "./lib/widget.js";

const PAUSE = 500; // milliseconds without a keystroke, before an edited dialogue is read again
const percent = (share) => `${Math.round(100 * share)} %`;

export default defineWidget(css, ({ model, root }) => {
  const names = model.get("names");
  const examples = model.get("examples");
  const { layers, heads, d_k: dK, separator, end, most, longest } = model.get("sizes");
  const write = writer({ ask: asker(model), encode: encoder(model), names, separator, end, most, longest, layers, heads, dK });
  const prepared = preparedAnswers(model);
  let own; // what was written of the reader's own dialogue
  let asked = 0;
  let waiting = false;
  let timer;

  const text = () => model.get("own") ?? examples[model.get("example")].text;
  const current = () => (model.get("own") === null ? prepared[model.get("example")] : own);

  const choose = radios("Dialogue", [...examples.map(({ title }) => title), "edit, or write your own"], (i) => {
    if (i < examples.length) {
      model.set("own", null);
      model.set("example", i);
    } else {
      model.set("own", text());
      box.focus();
    }
  });
  const box = h("textarea", {
    class: "own", rows: 9, spellcheck: "false", "aria-label": "Your dialogue: a turn on each line, beginning with User: or Agent:",
    oninput: () => model.set("own", box.value),
  });
  const hint = h("p", { class: "hint", role: "status" });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": "Loading the model" });
  const again = h("button", { type: "button", onclick: () => model.set("own", null) }, "back to the example");
  const editor = h("div", { class: "editor" }, box, bar, h("div", { class: "controls" }, hint, again));
  const turns = h("ol", { class: "turns", "aria-label": "The dialogue" });
  const summary = h("p", { class: "summary" });
  const told = h("p", { class: "told", role: "status" });
  root.append(
    h("div", { class: "widget" }, choose.element, editor,
      h("div", { class: "sides" },
        h("section", { "aria-label": "Dialogue" }, turns),
        h("section", { class: "result", "aria-label": "Summary" }, h("h3", {}, "Summary"), summary, told))));

  /** The summary's words, each with the tokens it is made of. */
  function summaryWords(read) {
    const whole = join(read.ids.map((id) => names[id]));
    return wordsOf(whole, read.ids.map((id) => [...names[id]].length)).map((word) => ({ ...word, text: whole.slice(word.start, word.stop) }));
  }

  /** How much a word of the summary looked at each token of the dialogue, on average over its own tokens. */
  function looksOf(read, { first, last }) {
    const sums = new Float32Array(read.lengths.length);
    for (let i = first; i <= last; i++) read.sources[i].forEach((x, j) => (sums[j] += x / (last + 1 - first)));
    return sums;
  }

  let cells = []; // of the dialogue's words: {element, first, last, turn}
  let shownText;

  function drawDialogue(read) {
    const key = text();
    if (shownText === key && cells.lengths === read?.lengths) return;
    shownText = key;
    const all = read ? wordsOf(key, read.lengths) : [];
    cells = [];
    cells.lengths = read?.lengths;
    let offset = 0;
    const lines = key.split("\n").flatMap((line) => {
      const start = offset;
      offset += line.length + 1;
      return line.trim() ? [{ line, start, stop: start + line.length }] : [];
    });
    turns.replaceChildren(...lines.map(({ line, start, stop }, turn) => {
      const speaker = /^\s*(user|agent):/i.exec(line)?.[1].toLowerCase();
      const words = all.filter((word) => word.start >= start && word.stop <= stop);
      const parts = words.map((word) => ({ element: h("span", { class: "word" }, key.slice(word.start, word.stop)), ...word, turn }));
      cells.push(...parts);
      const content = parts.length ? parts.flatMap(({ element }) => [element, " "]) : [line];
      return h("li", { class: speaker ?? "other" }, h("span", { class: "turn-number", "aria-hidden": "true" }, `${turn + 1}`), h("span", { class: "said" }, ...content));
    }));
  }

  function drawSummary(read, done) {
    if (!read) {
      summary.replaceChildren(h("span", { class: "waiting" }, waiting ? "…" : ""));
      return;
    }
    const chosen = model.get("word");
    summary.replaceChildren(...summaryWords(read).flatMap((word, i) => [
      h("button", {
        type: "button", class: "token", "aria-pressed": `${i === chosen}`,
        onclick: () => model.set("word", model.get("word") === i ? -1 : i),
      }, word.text), " "]));
    if (!done) summary.append(h("span", { class: "waiting" }, "…"));
    else if (!read.ended) summary.append(h("span", { class: "waiting" }, "… (it found no end)"));
  }

  function drawSources(read) {
    const word = read && summaryWords(read)[model.get("word")];
    if (!word) {
      for (const { element } of cells) element.style.removeProperty("--look");
      told.textContent = read?.ids.length ? "Tap a word of the summary: what did the model look at when it wrote it?" : "";
      return;
    }
    const looks = looksOf(read, word);
    const shares = [];
    for (const cell of cells) {
      let sum = 0;
      for (let j = cell.first; j <= cell.last; j++) sum += looks[j];
      cell.element.style.setProperty("--look", `${Math.min(100, 100 * sum).toFixed(1)}%`);
      shares[cell.turn] = (shares[cell.turn] ?? 0) + sum;
    }
    const all = shares.reduce((a, b) => a + b, 0);
    const best = shares.indexOf(Math.max(...shares));
    const who = turns.children[best]?.className === "agent" ? "the agent" : turns.children[best]?.className === "user" ? "the user" : "the text";
    told.replaceChildren(
      h("strong", {}, word.text), all < 0.005 ? " looked at nothing in the dialogue, only at the summary so far."
        : ` came mostly from turn ${best + 1} (${who}): ${percent(shares[best])} of what it looked at. All turns together: ${percent(all)}; the rest is the summary so far.`);
  }

  function update() {
    const writing = model.get("own") !== null;
    choose.select(writing ? examples.length : model.get("example"));
    editor.hidden = !writing;
    const read = current();
    drawDialogue(read);
    drawSummary(read, read?.done ?? true);
    drawSources(read);
  }

  async function readOwn() {
    const given = model.get("own");
    if (given === null) return;
    const question = ++asked; // a later one makes this one's answer worthless
    const late = () => question !== asked;
    if (root.activeElement !== box) box.value = given;
    own = undefined;
    waiting = given.trim() !== "";
    if (!waiting) {
      hint.textContent = "Write a turn on each line, beginning with User: or Agent:";
      update();
      return;
    }
    hint.textContent = "reading …";
    try {
      await write(given, (answer) => {
        if (late() || model.get("own") === null) return false;
        own = { ...answer, ids: [...answer.ids], sources: [...answer.sources], done: answer.ended || answer.ids.length >= most };
        hint.textContent = own.done ? `${answer.lengths.length} tokens read, ${answer.ids.length} written` : "writing …";
        redraw();
        return true;
      }, (share) => {
        bar.hidden = share >= 1;
        bar.value = share;
      });
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (late()) return;
      bar.hidden = true;
      waiting = false;
      hint.textContent = `${error.message} The prepared dialogues still answer.`;
      update();
    }
  }

  const fail = guard(root, (error) => {
    throw error;
  });
  const redraw = soon(root, update);
  model.on("change:own", () => {
    clearTimeout(timer);
    model.set("word", -1);
    hint.textContent = "reading …";
    if (model.get("own") !== null) timer = setTimeout(() => readOwn().catch(fail), own || root.activeElement === box ? PAUSE : 0);
    else asked++;
    if (root.activeElement !== box) box.value = model.get("own") ?? "";
    redraw();
  });
  model.on("change:example", () => {
    model.set("word", -1);
    redraw();
  });
  model.on("change:word", redraw);
  if (model.get("own") !== null) readOwn().catch(fail);
  update();
  return () => clearTimeout(timer);
});

/** The answers that came with the widget, as `write` of lib/summarizer.js gives them. */
function preparedAnswers(model) {
  const all = readArray(model.get("sources"));
  return model.get("examples").map(({ lengths, ids, ended }, example) => ({
    lengths, ids, ended, done: true,
    sources: ids.map((_, i) => all.at(example, i).subarray(0, lengths.length)),
  }));
}
