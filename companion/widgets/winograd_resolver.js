import css from "./winograd_resolver.css";
import { arcs } from "./lib/arcs.js";
import { readArray } from "./lib/array.js";
import { guard, h, radios, soon } from "./lib/dom.js";
import pickerCss from "./lib/head_picker.css";
import { headPicker } from "./lib/head_picker.js";
import { asker, Unanswered } from "./lib/live.js";
import { parse, reader, shares, Unreadable } from "./lib/resolver.js";
import { paintMatrix } from "./lib/stage.js";
import { defineWidget } from "./lib/widget.js";
import { suggest, tokenize } from "./lib/word_list.js";

const METHODS = {
  naming: "its own answer", attention: "attention", "substitution-full": "substitution",
  "substitution-partial": "substitution, partial", "masked-lm": "masked word",
};
const NETWORKS = {
  word: "values from the words", ordinary: "ordinary values", restarted: "ordinary, started anew", causal: "reads left to right",
};
const AT_THE_PRONOUN = ["attention", "masked-lm"];
const BLIND = "A network that reads from left to right cannot be asked so: at the pronoun it has not yet seen what decides.";
const percent = (share) => `${(100 * share).toFixed(1)} %`;

export default defineWidget(pickerCss + css, ({ model, root, onTheme }) => {
  const variants = model.get("variants");
  const known = { vocabulary: model.get("vocabulary"), nouns: model.get("nouns"), pronouns: model.get("pronouns"), longest: model.get("longest") };
  const { read, rescore } = reader({ ask: asker(model), vocabulary: known.vocabulary, variants });
  const prepared = preparedAnswers(model);
  const pairs = model.get("pairs");
  let colours;
  let own; // what was read of the reader's own sentence
  let asked = 0;

  const current = () => (model.get("own") === null ? prepared[2 * model.get("pair") + model.get("twin")] : own);

  // What to read: the prepared pairs, or a sentence of one's own.
  const choose = radios("Sentences", [...pairs.map((pair) => pair.label), "write your own"], (i) => {
    if (i < pairs.length) {
      model.set("own", null);
      model.set("pair", i);
    } else {
      model.set("own", current()?.words.join(" ") ?? "");
      box.focus();
    }
  });
  const box = h("input", {
    type: "text", class: "own", "aria-label": "Your own sentence", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    oninput: () => model.set("own", box.value),
  });
  const hint = h("p", { class: "hint", role: "status" });
  const suggestions = h("div", { class: "controls suggestions" });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": "Loading the model" });
  const words = known.vocabulary.filter((word) => !word.startsWith("<"));
  const writing = h("div", { class: "writing" }, box, bar, hint, suggestions,
    h("details", {}, h("summary", {}, `The ${words.length} words it knows`), h("p", { class: "words" }, words.join(" · "))));

  // The sentence, its arcs, and the two answers.
  const sentence = h("p", { class: "sentence" });
  const view = arcs(sentence);
  const answers = h("div", { class: "answers", role: "status" });
  const method = radios("Asked by", Object.values(METHODS), (i) => model.set("method", Object.keys(METHODS)[i]));
  const network = radios("Network", variants.map((name) => NETWORKS[name] ?? name), (i) => model.set("variant", i));
  const mean = h("button", { type: "button", "aria-pressed": "true", onclick: () => model.set("head", -1) }, "mean of the last layer");
  const [layers, heads] = prepared[0].shape;
  const picker = headPicker({
    layers, heads,
    onPick: (layer, head) => {
      model.set("layer", layer);
      model.set("head", head);
    },
    paint: (canvas, layer, head) => {
      const read = current();
      if (!read) return;
      const [, , n] = read.shape;
      const flat = read.weights(model.get("variant"), layer, head);
      paintMatrix(canvas, Array.from({ length: n }, (_, i) => flat.subarray(i * n, (i + 1) * n)), { softmax: true, colours, masked: () => false });
    },
  });
  const single = h("details", {
    ontoggle: () => {
      picker.resize();
      picker.repaint();
    },
  }, h("summary", {}, "Arcs of one head alone"), h("div", {}, mean, picker.element));
  root.append(
    h("div", { class: "widget" },
      choose.element, writing, view.element, answers, method.element, network.element, single),
  );

  /** How much the pronoun looks at each word, in the chosen head or on average over the last layer's. */
  function looks({ shape: [layers, heads, n], weights, pronoun }) {
    const variant = model.get("variant");
    const row = (layer, head) => weights(variant, layer, head).subarray(pronoun * n, (pronoun + 1) * n);
    if (model.get("head") >= 0) return [...row(model.get("layer"), model.get("head"))];
    const rows = Array.from({ length: heads }, (_, head) => row(layers - 1, head));
    return Array.from({ length: n }, (_, j) => rows.reduce((sum, each) => sum + each[j], 0) / heads);
  }

  function drawSentence(read) {
    const [first, second] = read.candidates;
    const twin = model.get("own") === null && prepared[2 * model.get("pair") + 1 - model.get("twin")];
    const spans = read.words.map((word, i) => {
      const kind = { [read.pronoun]: "pronoun", [first]: "first", [second]: "second" }[i];
      if (twin && word !== twin.words[i]) {
        return h("button", {
          type: "button", class: "swap", title: `Swap for “${twin.words[i]}”`,
          onclick: () => model.set("twin", 1 - model.get("twin")),
        }, word, h("span", { "aria-hidden": "true" }, " ⇄ "), h("span", { class: "other" }, twin.words[i]));
      }
      return h("span", { class: kind ? `word ${kind}` : "word" }, word);
    });
    const swapped = spans.findIndex((span) => span.tagName === "BUTTON");
    sentence.replaceChildren(...spans.flatMap((span, i) => (i ? [" ", span] : [span])));
    if (swapped >= 0 && refocus) spans[swapped].focus();
    refocus = false;
    view.draw(spans, read.pronoun, looks(read), colours);
  }
  let refocus = false;

  function drawAnswers(read) {
    const name = model.get("method");
    const blind = variants[model.get("variant")] === "causal" && AT_THE_PRONOUN.includes(name);
    const scores = !blind && read.scores[name]?.[model.get("variant")];
    if (!scores) {
      answers.replaceChildren(h("p", {}, blind ? BLIND : "asking …"));
      return;
    }
    const pronoun = h("strong", { class: "pronoun" }, read.words[read.pronoun]);
    const be = read.words[read.pronoun] === "they" ? "are" : "is";
    const [one, other] = shares(name, scores);
    const row = (at, share, kind) =>
      h("div", { class: `answer ${kind}` },
        h("span", { class: "noun" }, read.words[at]),
        h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "fill", style: `width:${100 * share}%` })),
        h("span", { class: "number" }, percent(share)));
    const winner = one === other ? null : read.words[read.candidates[one > other ? 0 : 1]];
    answers.replaceChildren(
      h("p", { class: "verdict" }, pronoun, winner ? ` ${be} the ` : " could be either", winner ? h("strong", {}, winner) : null),
      row(read.candidates[0], one, "first"), row(read.candidates[1], other, "second"));
  }

  /** Fills in the scores that need more questions than one. */
  async function complete(read) {
    const name = model.get("method");
    if (read.scores[name]) return;
    read.scores[name] = await rescore(read, name);
    if (current() === read) drawAnswers(read);
  }

  /** What the reader has written so far, as a sentence; else nothing, and the hint says why not. */
  function parsed(text) {
    try {
      return parse(text, known);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      hint.textContent = error.message;
      return undefined;
    }
  }

  async function readOwn() {
    const text = model.get("own");
    if (root.activeElement !== box) box.value = text;
    suggestWords(text);
    const question = ++asked; // a later one makes this one's answer worthless
    const written = parsed(text);
    if (!written) {
      own = undefined;
      load();
      return;
    }
    hint.textContent = own ? "" : "reading …";
    try {
      const answer = await read(written, tell);
      if (question !== asked) return;
      own = answer;
      hint.textContent = "";
      update();
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (question !== asked) return;
      own = undefined;
      bar.hidden = true;
      hint.textContent = `${error.message} The prepared sentences still answer.`;
      update();
    }
  }

  function tell(share) {
    bar.hidden = share >= 1;
    bar.value = share;
  }

  /** Fetches the model with the first keystroke, before there is a sentence to read. */
  let loaded;
  function load() {
    loaded ??= read(prepared[0], tell).catch(() => (loaded = undefined)); // the first sentence will say what is wrong
  }

  function suggestWords(text) {
    const typed = tokenize(text);
    const missing = typed.find((word) => !words.includes(word));
    const found = missing && missing.length < 30 ? suggest(missing, words) : [];
    const chips = found.map((word) =>
      h("button", {
        type: "button",
        onclick: () => {
          box.value = typed.map((other) => (other === missing ? word : other)).join(" ");
          model.set("own", box.value);
          box.focus();
        },
      }, word));
    suggestions.replaceChildren(...(chips.length ? [h("span", { class: "label" }, "did you mean"), ...chips] : []));
  }

  function showReading() {
    const read = current();
    sentence.hidden = answers.hidden = !read;
    view.element.hidden = !read;
    if (!read) return;
    drawSentence(read);
    drawAnswers(read);
    if (single.open) picker.repaint();
  }

  const fail = guard(root, (error) => {
    throw error;
  });
  const update = soon(root, () => {
    const writes = model.get("own") !== null;
    writing.hidden = !writes;
    choose.select(writes ? pairs.length : model.get("pair"));
    method.select(Object.keys(METHODS).indexOf(model.get("method")));
    network.select(model.get("variant"));
    const one = model.get("head") >= 0;
    mean.setAttribute("aria-pressed", String(!one));
    picker.select(one ? model.get("layer") : layers - 1, Math.max(0, model.get("head")));
    showReading();
    const shown = current();
    if (shown) complete(shown).catch((error) => (hint.textContent = error.message));
  });
  model.on("change:own", () => {
    if (model.get("own") === null) hint.textContent = "";
    else readOwn().catch(fail);
    update();
  });
  model.on("change:twin", () => {
    refocus = root.activeElement?.classList.contains("swap");
    update();
  });
  for (const name of ["pair", "method", "variant", "layer", "head"]) model.on(`change:${name}`, update);
  onTheme((next) => {
    colours = next;
    update();
  });
  if (model.get("own") !== null) readOwn().catch(fail);
  const observer = new ResizeObserver(guard(root, () => {
    picker.resize();
    showReading();
  }));
  observer.observe(view.element);
  return () => observer.disconnect();
});

/** The answers that came with the widget, two for each pair, as `read` of lib/resolver.js gives them. */
function preparedAnswers(model) {
  const all = readArray(model.get("weights"));
  const [, , layers, heads, most] = all.shape;
  return model.get("pairs").flatMap(({ twins }, pair) =>
    twins.map((twin, which) => {
      const n = twin.words.length;
      const weights = (variant, layer, head) => {
        const padded = all.at(2 * pair + which, variant, layer, head);
        return Float32Array.from({ length: n * n }, (_, i) => padded[Math.floor(i / n) * most + (i % n)]);
      };
      return { ...twin, shape: [layers, heads, n], weights };
    }));
}
