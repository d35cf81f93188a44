import { guard, h, renew } from "./dom.js";
import { Unanswered } from "./live.js";

const PAUSE = 500; // milliseconds without a change, before the model is asked
const CAPTIONS = { // what is said of texts that are captions; `longest`: characters
  group: "Captions", own: "or type a caption of your own, in English", box: "A caption in English",
  empty: "Type a caption, such as: A dog is running.", still: "The prepared captions still answer.", longest: 300,
};
const oneLine = (text) => text.replace(/[\s\p{Cc}]+/gu, " ").trim();

/** A later question has made the answer to this one worthless. */
export class Late extends Error {}

/**
 * Where a caption is chosen or typed, and when it is asked for. It reads and writes the traits `example` (one of `captions`)
 * and `own` (what was typed; null: nothing), by `choose(name, value)`.
 * `ready()` asks the present question: `answer(unlessLate, onProgress)` resolves when it has been shown; what it awaits it
 * hands through `await unlessLate(promise)`, which rejects with `Late`. `known()` tells what is at hand: "all"; or "model", if
 * it has read the caption and need not be waited for; or nothing. `busy` is said meanwhile. Of other texts than captions, `words` tells what is said (see CAPTIONS), and `titles` are
 * shorter names of the prepared ones.
 * Returns {element, text, draw, ready, stop}; `text()` is the caption.
 */
export function captionBox({ model, root, captions, choose, known, answer, busy, words = CAPTIONS, titles = captions }) {
  let asked = 0;
  let timer;
  const text = () => (model.get("own") === null ? captions[model.get("example")] : oneLine(model.get("own")));
  const tries = titles.map((title, i) => h("button", { type: "button", class: "try", onclick: () => {
    choose("own", null);
    choose("example", i);
  } }, title));
  const box = h("textarea", {
    class: "own", rows: 2, spellcheck: "false", "aria-label": words.box, maxlength: words.longest,
    oninput: () => choose("own", box.value),
  });
  const hint = h("p", { class: "hint", role: "status" });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": "Loading the model" });
  const element = h("div", { class: "given" },
    h("div", { class: "controls", role: "group", "aria-label": words.group }, h("span", { class: "label" }, "Try"), ...tries),
    h("label", { class: "typed" }, h("span", { class: "label" }, words.own), box), hint, bar);
  const tell = (news) => renew(hint, news);
  const fail = guard(root, (error) => {
    throw error;
  });

  function draw() {
    tries.forEach((button, i) => button.setAttribute("aria-pressed", String(model.get("own") === null && i === model.get("example"))));
    if (root.activeElement !== box) box.value = model.get("own") ?? text();
  }

  function loaded(share) {
    bar.hidden = share >= 1;
    bar.value = share;
  }

  async function ask(number) {
    const late = () => number !== asked; // a later one makes this one's answer worthless
    const unlessLate = async (promise) => {
      const value = await promise;
      if (late()) throw new Late();
      return value;
    };
    try {
      await unlessLate(answer(unlessLate, loaded));
      bar.hidden = true;
      tell("");
    } catch (error) {
      if (late() && error instanceof Unanswered || error instanceof Late) return;
      if (!(error instanceof Unanswered)) fail(error);
      bar.hidden = true;
      tell(`${error.message} ${words.still}`);
    }
  }

  function ready() {
    clearTimeout(timer);
    const number = ++asked;
    if (!text()) return tell(words.empty);
    if (known() === "all") return ask(number);
    tell(busy);
    timer = setTimeout(() => ask(number), known() ? 0 : PAUSE);
  }

  return { element, text, draw, ready, stop: () => clearTimeout(timer) };
}
