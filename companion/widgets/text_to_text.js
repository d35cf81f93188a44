import css from "./text_to_text.css";
import { join } from "./lib/byte_pieces.js";
import boxCss from "./lib/caption_box.css";
import { captionBox } from "./lib/caption_box.js";
import { h, put, renew, soon } from "./lib/dom.js";
import { asker, encoder } from "./lib/live.js";
import { prefixesOf, readAs } from "./lib/text_to_text.js";
import { readCaption } from "./lib/translator.js";
import { defineWidget } from "./lib/widget.js";

const WORDS = {
  group: "Prepared lines", own: "One line goes in: change anything, the prefix too", box: "The line that the model reads",
  empty: "Type a line, such as: cola sentence: We book the hotel.", still: "The prepared lines still answer.", longest: 700,
};

export default defineWidget(boxCss + css, ({ model, root }) => {
  const [names, templates, examples, sizes] = ["names", "templates", "examples", "sizes"].map((name) => model.get(name));
  const [ask, encode] = [asker(model), encoder(model)];
  const prefixes = prefixesOf(templates);
  const answers = new Map(examples.map(({ line, ids, ended }) => [line, { line, ids, ended, done: true }]));
  let shown; // the answer that is drawn

  const box = captionBox({
    model, root, answer, captions: examples.map(({ line }) => line), titles: titlesOf(examples), words: WORDS,
    choose: (name, value) => model.set(name, value), known: () => answers.has(box.text()) && "all", busy: "writing …",
  });
  const kinds = [...prefixes.list, { task: "", prefix: "" }];
  const buttons = kinds.map(({ prefix }) => h("button", { type: "button", class: "prefix", onclick: () => model.set("own", prefix + prefixes.body(box.text())) }, prefix.trim() || "(no prefix)"));
  const out = h("p", { class: "out" });
  const says = h("p", { class: "says", role: "status" });
  root.append(h("div", { class: "widget" },
    box.element,
    h("div", { class: "controls prefixes", role: "group", "aria-label": "Put another prefix before this text" }, h("span", { class: "label" }, "same text, other prefix"), ...buttons),
    h("section", {}, h("h3", {}, "The model writes, token by token"), out, says),
    h("p", { class: "note" }, `An encoder-decoder of ${(sizes.parameters / 1e6).toFixed(2)} million parameters. It has met the few hundred words of this book's own texts, and no others.`)));

  const piece = (id) => join([names[id]]);
  const textOf = (ids) => join(ids.map((id) => names[id])).trim();

  function draw() {
    box.draw();
    const known = prefixes.of(box.text());
    kinds.forEach(({ task }, i) => put(buttons[i], { "aria-pressed": String(task === (known?.task ?? "")) }));
    if (!shown) return;
    const { ids, done, ended } = shown;
    renew(out, ...ids.map((id, i) => h("span", { class: "token" }, i ? piece(id) : piece(id).trimStart())), !done && h("span", { class: "waiting" }, " …") || null);
    if (done && !ids.length) renew(out, h("span", { class: "waiting" }, "(nothing)"));
    if (!done) return;
    const task = prefixes.of(shown.line)?.task;
    const count = `${ids.length} token${ids.length === 1 ? "" : "s"}${ended ? "" : ", and no end"}.`;
    renew(says, `${task ? `Prefix of ${task}. ` : "No prefix that it was trained on. "}${count} ${readAs(task, textOf(ids))}`);
    put(says, { "data-text": textOf(ids), "data-ids": ids.join() });
  }

  async function answer(unlessLate, onProgress) {
    const line = box.text();
    if (!answers.has(line)) {
      const { ids: given } = await unlessLate(encode(line));
      const { next, longest } = readCaption(ask, given, 1, sizes, onProgress);
      const ids = [];
      let ended = false;
      while (ids.length < longest && !ended) {
        const [{ tokens: [token] }] = await unlessLate(next([[...ids]]));
        ended = token === sizes.end;
        if (!ended) ids.push(token);
        shown = { line, ids: [...ids], ended, done: ended || ids.length === longest };
        redraw();
      }
      answers.set(line, shown);
    }
    shown = answers.get(line);
    redraw();
  }

  const redraw = soon(root, draw);
  function ready() {
    box.ready();
    redraw();
  }
  for (const trait of ["own", "example"]) model.on(`change:${trait}`, ready);
  shown = answers.get(box.text());
  if (!shown) ready();
  draw();
  return box.stop;
});

/** Names for the prepared lines: their task, numbered where it has several. */
function titlesOf(examples) {
  return examples.map(({ task }, i) => {
    const same = examples.filter((other) => other.task === task);
    return same.length > 1 ? `${task} ${same.indexOf(examples[i]) + 1}` : task;
  });
}
