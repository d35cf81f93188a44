import css from "./token_trace.css";
import { arcs } from "./lib/arcs.js";
import { guard, h, radios, soon } from "./lib/dom.js";
import { asker, encoder, Unanswered } from "./lib/live.js";
import { roving } from "./lib/roving.js";
import { paintBars, paintStrip, spread } from "./lib/strip.js";
import { askTrace, cosine, cutText, joined, length, looks, preparedTraces, stageName } from "./lib/trace.js";
import { defineWidget } from "./lib/widget.js";

const PACE = 1000; // milliseconds a stage, when it plays
const WIDE = 2.5; // spreads of a vector that its strip's colours reach
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const two = (x) => x.toFixed(2).replace("-", "−");
const visible = (piece) => piece.replaceAll("\n", "⏎").replace(/ +$/, "␣") || "␣";
const plain = (piece) => visible(piece.replace(/^ (?=\S)/, ""));

/** A token's text, with a mark for the space that begins it. */
const marked = (piece) =>
  /^ \S/.test(piece) ? [h("span", { class: "space", "aria-hidden": "true" }, "␣"), plain(piece)] : [visible(piece)];

export default defineWidget(css, ({ model, root, onTheme }) => {
  const texts = model.get("pieces").map((pieces, i) => ({ pieces, begin: model.get("begins")[i] }));
  const vocabulary = model.get("vocabulary");
  const [separator, end] = [model.get("separator"), model.get("end")];
  const prepared = preparedTraces(model);
  const { sizes } = prepared;
  const [ask, encode] = [asker(model), encoder(model)];
  const longest = model.get("longest");
  let colours;
  let own; // {text, ids, pieces, begin, traces: by token} of the reader's own text
  let asked = 0;
  let refused = false; // the reader's text

  /** The tokens, which one is followed, and its trace; nothing as long as the reader's text is not read. */
  function current() {
    const writes = model.get("own") !== null;
    const text = writes ? own : texts[model.get("example")];
    if (!text || behind()) return undefined;
    const at = chosenToken(text);
    const trace = writes ? own.traces.get(at) : prepared.trace(model.get("example"), at);
    return trace && { ...text, at, trace };
  }
  /** Whether the reader's text is not read yet, so that what is shown is older. */
  const behind = () => model.get("own") !== null && own?.text !== model.get("own");
  function chosenToken({ pieces, begin }) {
    const [last, token] = [pieces.length - 1, model.get("token")];
    return token < 0 ? last : Math.min(Math.max(token, begin), last);
  }

  // The text.
  const labels = texts.map(({ pieces, begin }) => short(pieces.slice(0, begin || pieces.length).join("").trim()));
  const choose = radios("Text", [...labels, "write your own"], (i) => {
    if (i < texts.length) {
      model.set("own", null);
      model.set("token", -1);
      model.set("example", i);
    } else {
      const shown = current();
      model.set("own", shown ? joined(shown.pieces, shown.begin, separator) : "");
      writing.hidden = false; // what is hidden takes no focus
      box.focus();
    }
  });
  const box = h("textarea", {
    rows: 5, class: "own", "aria-label": "Your own text", autocomplete: "off", spellcheck: "false",
    oninput: () => {
      model.set("token", -1);
      model.set("own", box.value);
    },
  });
  const bar = h("progress", { max: 1, hidden: true, "aria-label": "Loading the model" });
  const hint = h("p", { class: "hint", role: "status" });
  const writing = h("div", { class: "writing" }, box,
    separator ? h("p", { class: "label" }, `The dialogue, then ${separator}, then how the summary begins.`) : null, bar, hint);

  // Its tokens, with arcs to where the chosen one looks.
  const given = h("div", { class: "inline" }); // what is read only
  const tokens = roving("Token to follow", (i) => {
    if (!behind()) model.set("token", shownText.begin + i); // what is shown may be the text before this one
  }, { class: "inline" });
  const view = arcs(h("div", { class: "sentence" }, given, tokens.element));

  // The stages, one line each.
  const stages = roving("Stage", (i) => {
    stop();
    model.set("stage", i);
  }, { class: "stages" });
  const lines = Array.from({ length: sizes.stages }, (_, stage) => ({
    strip: h("canvas", { class: "strip", "aria-hidden": "true" }), long: h("span", { class: "number long" }), says: h("span", { class: "says" }), ...stageName(stage),
  }));
  stages.fill(lines.map(({ name, kind, strip, long, says }) =>
    ({ label: name, class: `stage ${kind}`, children: [h("span", { class: "name" }, name), strip, long, says] })));
  const titles = h("div", { class: "stage titles", "aria-hidden": "true" },
    h("span", {}, "stage"), h("span", {}, "its vector", h("span", { class: "more" }, `: ${sizes.width} numbers`)), h("span", { class: "long" }, "length"), h("span", { class: "says" }, "says next"));
  const slider = h("input", {
    type: "range", min: 0, max: sizes.stages - 1, step: 1, "aria-label": "Stage",
    oninput: () => {
      stop();
      model.set("stage", Number(slider.value));
    },
  });
  const play = h("button", { type: "button", class: "play", onclick: () => (timer ? stop() : start()) }, "▶ play");
  play.hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const more = h("button", { type: "button", onclick: goOn });
  const controls = h("div", { class: "controls" }, play, h("label", { class: "controls" }, "stage", slider), more);
  const legend = h("p", { class: "legend" }, "Each strip is on a scale of its own: purple above 0, orange below. ␣ is a space, part of its token.");

  // The chosen stage: what was added, what would be said, what was looked at.
  const title = h("p", { class: "title" });
  const told = h("p", { class: "told" });
  const sum = ["before", "+ added", "= after"].map((name) => ({
    name: h("span", { class: "name" }, name), strip: h("canvas", { class: "strip" }), long: h("span", { class: "number long" }),
  }));
  const sums = h("div", { class: "sums", "aria-hidden": "true" }, ...sum.flatMap(({ name, strip, long }) => [name, strip, long]));
  const answers = h("div", { class: "answers" });
  const heads = roving("Heads", (i) => model.set("head", i - 1), { class: "heads-line" });
  const graphs = Array.from({ length: sizes.heads + 1 }, () => h("canvas", { class: "bars", "aria-hidden": "true" }));
  heads.fill(graphs.map((canvas, i) => {
    const name = i ? `head ${i}` : "mean";
    return { label: name, class: "head", children: [canvas, h("span", {}, name)] };
  }));
  const headline = h("span", { class: "label" });
  const looking = h("div", { class: "looking" }, headline, heads.element);
  const panel = h("div", { class: "panel" },
    h("div", { role: "status" }, title, told, sums),
    h("div", {}, h("p", { class: "label" }, "If the model stopped here, it would go on with"), answers),
    looking);
  const figure = h("div", { class: "figure" },
    h("p", { class: "label" }, "Tap the token to follow, then go through the stages. Arcs show where it looks."), view.element, controls, h("div", {}, titles, stages.element), legend, panel);
  root.append(h("div", { class: "widget" }, choose.element, writing, figure));

  // Playing.
  let timer;
  function stop() {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "▶ play";
  }
  function start() {
    if (model.get("stage") === sizes.stages - 1) model.set("stage", 0);
    play.textContent = "❚❚ pause";
    timer = setInterval(guard(root, () => {
      model.set("stage", model.get("stage") + 1);
      if (model.get("stage") >= sizes.stages - 1) stop();
    }), PACE);
  }

  /** Writes the model's next token behind the token that is followed. */
  function goOn() {
    const shown = current();
    if (!shown) return; // the answer to the last click is awaited
    const { pieces, begin, at, trace } = shown;
    model.set("token", -1);
    model.set("own", joined([...pieces.slice(0, at + 1), nextToken(trace)], begin, separator));
  }
  const nextToken = (trace) => trace.says(sizes.stages - 1)[0][0];

  let spans;
  let shownText = {};
  function drawTokens({ pieces, begin, at, trace }) {
    if (pieces !== shownText.pieces) {
      shownText = { pieces, begin };
      const words = pieces.slice(0, begin).map((piece) => h("span", { class: "given" }, visible(piece)));
      const turns = words.reduce((lines, word, i) => {
        lines.at(-1).push(word);
        return pieces[i].includes("\n") ? [...lines, []] : lines;
      }, [[]]);
      given.replaceChildren(...turns.filter((turn) => turn.length).map((turn) => h("div", { class: "turn" }, ...turn)));
      const chips = pieces.slice(begin).map((piece, i) => ({ label: `${plain(piece)}, token ${begin + i + 1}`, class: "token", children: marked(piece) }));
      spans = [...words, ...tokens.fill(chips)];
    }
    tokens.select(at - begin);
    spans.forEach((span, i) => span.classList.toggle("later", i > at));
    const stage = model.get("stage");
    view.draw(spans, at, stage % 2 ? looks(trace, (stage - 1) / 2, model.get("head")) : pieces.map(() => 0), colours);
    const word = nextToken(trace);
    more.disabled = word === end;
    more.textContent = more.disabled ? "it ends here" : `write its next token: ${plain(word)}`;
  }

  function drawStages({ trace }) {
    lines.forEach(({ name, strip, long, says }, stage) => {
      const vector = trace.state(stage);
      const [[word, share]] = trace.says(stage);
      paintStrip(strip, vector, WIDE * spread(vector), colours);
      long.textContent = two(length(vector));
      says.replaceChildren(h("span", { class: "word" }, ...marked(word)), ` ${Math.round(100 * share)} %`);
      stages.name(stage, `${name}: length ${two(length(vector))}, would say ${plain(word)}, ${percent(share)}`);
    });
    stages.select(model.get("stage"));
    slider.value = model.get("stage");
    slider.setAttribute("aria-valuetext", lines[model.get("stage")].name);
  }

  function drawPanel({ pieces, at, trace }) {
    const stage = model.get("stage");
    const { name, kind } = lines[stage];
    const after = trace.state(stage);
    const before = stage ? trace.state(stage - 1) : after.map(() => 0);
    const added = after.map((x, i) => x - before[i]);
    const peak = WIDE * Math.max(...[before, added, after].map(spread));
    [before, added, after].forEach((vector, i) => {
      paintStrip(sum[i].strip, vector, peak, colours);
      sum[i].long.textContent = two(length(vector));
    });
    title.textContent = name.replace("+ ", "After ").replace("embedding", "The embedding");
    title.className = `title ${kind}`;
    const token = `“${plain(pieces[at])}”`;
    const moved = `It added a vector of length ${two(length(added))}; cosine of before and after ${two(cosine(before, after))}.`;
    told.textContent = {
      start: `${token} begins as its row of a table: ${sizes.width} numbers, the same wherever it stands.`,
      attention: `${token} looked most at ${strongest(pieces, trace)}. ${moved}`,
      thought: `${token} by itself: no other token is looked at. ${moved}`,
    }[kind];
    answers.replaceChildren(...trace.says(stage).map(([word, share]) =>
      h("div", { class: "answer" }, h("span", { class: "noun" }, ...marked(word)),
        h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "fill", style: `width:${100 * share}%` })),
        h("span", { class: "number" }, percent(share)))));
    looking.classList.toggle("idle", kind !== "attention");
    headline.textContent = kind === "attention"
      ? "Where each head looked: a bar for each token, in their order" : "The heads rest: this stage looks at no other token.";
    if (kind !== "attention") return;
    heads.select(model.get("head") + 1);
    graphs.forEach((canvas, i) => paintBars(canvas, looks(trace, (stage - 1) / 2, i - 1), colours));
  }

  function strongest(pieces, trace) {
    const weights = looks(trace, (model.get("stage") - 1) / 2, model.get("head"));
    const order = weights.map((_, j) => j).sort((a, b) => weights[b] - weights[a]).slice(0, 3).filter((j) => weights[j] >= 0.005);
    return order.map((j) => `“${plain(pieces[j])}” (${two(weights[j])})`).join(", ");
  }

  async function readOwn() {
    const text = model.get("own");
    if (root.activeElement !== box) box.value = text;
    const question = ++asked; // a later one makes this one's answer worthless
    if (!text.trim()) return refuse("Write a few words.");
    hint.textContent = "reading …";
    refused = false;
    try {
      const read = own?.text === text ? own : { ...(await cutText(encode, text, { separator, vocabulary })), text, traces: new Map() };
      if (question !== asked) return;
      if (read.ids.length > longest) return refuse(`That is ${read.ids.length} tokens; here it reads at most ${longest}.`);
      own = read;
      const at = chosenToken(own);
      if (!own.traces.has(at)) {
        const trace = await askTrace(ask, { ids: own.ids, at, sizes, vocabulary }, tell);
        if (question !== asked) return;
        own.traces.set(at, trace);
      }
      hint.textContent = "";
      update();
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (question !== asked) return;
      bar.hidden = true;
      refuse(`${error.message} The prepared texts still answer.`);
    }
  }

  function refuse(why) {
    own = undefined;
    refused = true;
    hint.textContent = why;
    update();
  }

  function tell(share) {
    bar.hidden = share >= 1;
    bar.value = share;
  }

  const fail = guard(root, (error) => {
    throw error;
  });
  const reread = () => model.get("own") !== null && readOwn().catch(fail);
  const update = soon(root, () => {
    const writes = model.get("own") !== null;
    writing.hidden = !writes;
    choose.select(writes ? texts.length : model.get("example"));
    const shown = current();
    figure.hidden = !shown && refused; // while the answer is awaited, the last one stays
    figure.setAttribute("aria-busy", String(!shown));
    if (!shown) return;
    drawTokens(shown);
    drawStages(shown);
    drawPanel(shown);
  });
  model.on("change:own", () => {
    if (model.get("own") === null) {
      hint.textContent = "";
      asked++;
    }
    reread();
    update();
  });
  model.on("change:token", () => {
    reread();
    update();
  });
  for (const name of ["example", "stage", "head"]) model.on(`change:${name}`, update);
  onTheme((next) => {
    colours = next;
    update();
  });
  reread();
  const observer = new ResizeObserver(guard(root, update));
  observer.observe(view.element);
  return () => {
    stop();
    observer.disconnect();
  };
});

const short = (text) => (text.length > 26 ? `${text.slice(0, 25).trim()} …` : text);
