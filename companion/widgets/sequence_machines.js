import css from "./sequence_machines.css";
import { guard, h, radios, soon } from "./lib/dom.js";
import { doneAt, pathLength, pathOf, sequentialSteps, sources, work } from "./lib/machines.js";
import { defineWidget } from "./lib/widget.js";

const MOST = 10;
const MODES = ["reading", "generating"];
const KINDS = ["recurrent", "attention"];
const TITLES = { recurrent: "Recurrent network", attention: "Transformer" };
const NS = "http://www.w3.org/2000/svg";
const [COLUMN, ROW, LEFT] = [40, 46, 56]; // of the drawings, in units of the SVG

const wordsOf = (text) => text.trim().split(/\s+/).filter(Boolean);
const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const times = (count) => (count === 1 ? "once" : `${count} times`);
const grouped = (x) => x.toLocaleString("en-GB");
const short = (word) => ([...word].length > 9 ? `${[...word].slice(0, 8).join("")}…` : word);
const twoDigits = (x) => Number((10 ** x).toPrecision(2));
const factor = (x) => (x < 100 ? x.toFixed(1) : grouped(Math.round(x)));

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export default defineWidget(css, ({ model, root, onTheme }) => {
  let timer;
  const words = () => wordsOf(model.get("text"));
  const generating = () => model.get("mode") === "generating";
  const steps = (kind) => sequentialSteps(kind, words().length, model.get("layers"), generating());
  const most = () => Math.max(...KINDS.map(steps));
  const pair = () => model.get("pair").map((i) => Math.min(i, words().length - 1)).sort((a, b) => a - b);

  // The sentence.
  const box = h("input", { type: "text", class: "own", id: "sentence", maxlength: 120, "aria-describedby": "trouble", autocomplete: "off", spellcheck: "false", oninput: read });
  const trouble = h("p", { class: "trouble", id: "trouble", role: "status" });

  function read() {
    const found = wordsOf(box.value);
    trouble.textContent = found.length > MOST
      ? `${found.length} words, but ${MOST} fit: take some out.`
      : found.length < 2 ? "Type at least two words." : "";
    if (trouble.textContent) return;
    stop();
    if (Math.max(...model.get("pair")) >= found.length) model.set("pair", [0, found.length - 1]);
    model.set("text", found.join(" "));
    model.set("step", Math.min(model.get("step"), most()));
  }

  // Time.
  const modes = radios("mode", MODES, (i) => {
    stop();
    model.set("mode", MODES[i]);
    model.set("step", 0);
  });
  const go = (step) => model.set("step", Math.max(0, Math.min(most(), step)));
  const button = (label, onclick) => h("button", { type: "button", onclick }, label);
  const play = h("button", { type: "button", class: "play", onclick: toggle }, "▶ play");
  const back = button("back", () => { stop(); go(model.get("step") - 1); });
  const on = button("next", () => { stop(); go(model.get("step") + 1); });
  const scrub = h("input", { type: "range", min: 0, step: 1, "aria-label": "step", oninput: () => { stop(); go(Number(scrub.value)); } });
  const clock = h("span", { class: "number clock" });
  const layers = h("input", { type: "range", min: 1, max: 4, step: 1, "aria-label": "layers", oninput: () => {
    stop();
    model.set("layers", Number(layers.value));
    go(model.get("step"));
  } });
  const layerCount = h("span", { class: "number layers" });

  function stop() {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "▶ play";
  }

  function toggle() {
    if (timer) return stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(most());
    if (model.get("step") >= most()) go(0);
    play.textContent = "❚❚ pause";
    timer = setInterval(guard(root, () => {
      go(model.get("step") + 1);
      if (model.get("step") >= most()) stop();
    }), 700);
  }

  // The two words whose way is shown: a tap replaces the one that was tapped first.
  const choose = h("div", { class: "words", role: "group", "aria-label": "Two words" });
  function tap(i) {
    const [, last] = model.get("pair");
    if (i !== last) model.set("pair", [last, i]);
  }

  // The machines.
  const panels = Object.fromEntries(KINDS.map((kind) => {
    const drawing = svg("svg", { "aria-hidden": "true" });
    const [count, way] = [h("p", { class: "number count" }), h("p", { class: "way" })];
    return [kind, { drawing, count, way, element: h("div", { class: `machine ${kind}` }, h("p", { class: "title" }, TITLES[kind]), drawing, count, way) }];
  }));
  const told = h("p", { class: "told", role: "status" });

  // What a layer costs.
  const size = (name, label) => {
    const slider = h("input", { type: "range", min: 1, max: 4, step: 0.01, "aria-label": label, oninput: () => model.set(name, twoDigits(Number(slider.value))) });
    const shown = h("span", { class: "number size" });
    return { slider, shown, element: h("label", { class: "controls" }, shown, slider) };
  };
  const sizes = { length: size("length", "words"), width: size("width", "numbers a word") };
  const bars = ["state", "looking"].map((part) => ({ part, bar: h("span", { class: `bar ${part}` }), number: h("span", { class: "number" }) }));
  const verdict = h("p", {});
  const rest = h("p", {});

  root.append(h("div", { class: "widget" },
    h("div", {},
      h("div", { class: "controls" }, h("label", { class: "label", for: "sentence" }, `your sentence, 2 to ${MOST} words`), trouble),
      box),
    h("div", { class: "controls" }, modes.element, h("label", { class: "controls" }, layerCount, layers)),
    h("div", { class: "controls" }, play, back, on, scrub, clock),
    h("div", { class: "machines" }, ...KINDS.map((kind) => panels[kind].element)),
    told,
    h("p", { class: "label" }, "Tap two words to see the way from the earlier to the later (in orange above):"),
    choose,
    h("section", { class: "cost" },
      h("p", { class: "title" }, "What one layer multiplies"),
      h("div", { class: "controls" }, sizes.length.element, sizes.width.element),
      h("div", { class: "bars" }, ...bars.map(({ part, bar, number }) => h("div", { class: "line" },
        h("span", {}, part === "state" ? "passing a state, n d²" : "looking at all, n² d"), number, h("span", { class: "rail" }, bar)))),
      h("div", { class: "costs", role: "status" }, verdict, rest))));

  function drawMachine(kind) {
    const { drawing, count, way } = panels[kind];
    const [n, depth, now, write] = [words().length, model.get("layers"), model.get("step"), generating()];
    const x = (i) => LEFT + i * COLUMN;
    const y = (layer) => 22 + (depth - 1 - layer) * ROW;
    const done = (layer, i) => (layer < 0 ? (write ? i * depth : 0) : doneAt(kind, i, layer, depth, write));
    const state = (step) => (step > now ? "later" : step === now ? "now" : "done");
    const arrows = [];
    const nodes = [];
    words().forEach((word, i) => {
      const known = done(-1, i) <= now;
      nodes.push(
        svg("circle", { class: known ? "input" : "input later", cx: x(i), cy: y(-1), r: 4 }),
        svg("text", { class: pair().includes(i) ? "word asked" : "word", transform: `translate(${x(i) + 4} ${y(-1) + 17}) rotate(-42)` }, known ? short(word) : "?"));
      for (let layer = 0; layer < depth; layer++) {
        const when = state(done(layer, i));
        nodes.push(svg("rect", { class: `node ${when}`, "data-layer": layer, "data-word": i, x: x(i) - 9, y: y(layer) - 9, width: 18, height: 18, rx: kind === "recurrent" ? 4 : 9 }));
        for (const [from, j] of sources(kind, i, layer, n, write)) {
          arrows.push(svg("line", { class: `arrow ${when}`, x1: x(j), y1: y(from), x2: x(i), y2: y(layer) }));
        }
      }
    });
    const [a, b] = pair();
    const route = svg("polyline", { class: "route", points: pathOf(kind, a, b).map(([layer, i]) => `${x(i)},${y(layer)}`).join(" ") });
    drawing.setAttribute("viewBox", `0 0 ${LEFT + n * COLUMN} ${22 + depth * ROW + 62}`);
    drawing.style.height = `${depth * ROW + 84}px`;
    const order = { later: 0, done: 1, now: 2 };
    arrows.sort((one, other) => order[one.classList[1]] - order[other.classList[1]]);
    drawing.replaceChildren(...arrows, route, ...nodes);
    count.textContent = `step ${Math.min(now, steps(kind))} of ${steps(kind)}${now >= steps(kind) ? ": done" : ""}`;
    way.replaceChildren("“", h("b", {}, short(words()[a])), "” reaches “", h("b", {}, short(words()[b])), `”, handed on ${times(pathLength(kind, b - a))}`);
  }

  function tell() {
    const [now, n] = [model.get("step"), words().length];
    const [slow, quick] = KINDS.map(steps);
    if (!now) return generating() ? "Only the first word is there. Press play." : "All words are there, and nothing is read yet. Press play.";
    if (generating()) {
      return `Each new word waits for the one before, in both: ${many(slow, "step")} for ${n} words. The Transformer looks back at all words so far, the recurrent network at its state alone.`;
    }
    const left = Math.max(0, slow - now);
    const ready = now >= quick ? `The Transformer is done after ${many(quick, "step")}, one a layer. ` : "The Transformer reads all words at once, layer by layer. ";
    return ready + (left ? `The recurrent network has ${many(left, "step")} to go.` : `The recurrent network took ${many(slow, "step")}: it reads word by word.`);
  }

  function showCost() {
    const [n, d] = [model.get("length"), model.get("width")];
    const cost = work(n, d);
    sizes.length.shown.textContent = `n = ${grouped(n)} words`;
    sizes.width.shown.textContent = `d = ${grouped(d)} numbers`;
    sizes.length.slider.value = Math.log10(n);
    sizes.width.slider.value = Math.log10(d);
    const largest = Math.max(cost.state, cost.looking);
    for (const { part, bar, number } of bars) {
      bar.style.width = `${(100 * cost[part]) / largest}%`;
      number.textContent = grouped(cost[part]);
    }
    const [less, ratio] = n < d ? ["Looking", d / n] : ["Passing a state", n / d];
    verdict.textContent = n === d ? "Both cost the same, as n = d." : `${less} is the cheaper, ${factor(ratio)} times. At n = d they are equal.`;
    const share = (200 * cost.looking) / (2 * cost.looking + cost.other);
    rest.textContent = `But a Transformer’s layer has other matrices, too: 12 n d² = ${grouped(cost.other)}. Looking, with both its products 2 n² d, is ${share.toFixed(1)} % of the layer.`;
  }

  function draw() {
    const [a, b] = pair();
    if (root.activeElement !== box || !trouble.textContent) {
      if (wordsOf(box.value).join(" ") !== model.get("text")) box.value = model.get("text");
    }
    modes.select(MODES.indexOf(model.get("mode")));
    layers.value = model.get("layers");
    layerCount.textContent = many(model.get("layers"), "layer");
    scrub.max = most();
    scrub.value = model.get("step");
    clock.textContent = `step ${model.get("step")} of ${most()}`;
    back.disabled = model.get("step") === 0;
    on.disabled = model.get("step") >= most();
    const texts = words();
    if (choose.dataset.text !== model.get("text")) {
      choose.dataset.text = model.get("text");
      choose.replaceChildren(...texts.map((word, i) => h("button", { type: "button", onclick: () => tap(i) }, short(word))));
    }
    [...choose.children].forEach((chip, i) => chip.setAttribute("aria-pressed", String(i === a || i === b)));
    KINDS.forEach(drawMachine);
    told.textContent = tell();
    showCost();
  }

  const redraw = soon(root, draw);
  for (const name of ["text", "mode", "step", "layers", "pair", "length", "width"]) model.on(`change:${name}`, redraw);
  onTheme(draw);
  return stop;
});
