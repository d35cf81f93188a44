import { pathTo, PENALTIES } from "./beam.js";
import { guard, h, radios, renew, soon } from "./dom.js";
import { spacedWord, tree } from "./tree.js";

const WIDEST = 5;
const KINDS = ["gnmt", "power"];
const FATES = { kept: "kept", ended: "ended: a hypothesis", cut: "cut, as there is no more room: a hypothesis", pruned: "pruned" };
const two = (number) => number.toFixed(2).replace("-", "−");
const share = (odds) => {
  const p = Math.exp(odds);
  return p < 0.0005 ? "<.001" : p < 0.0995 ? p.toFixed(3).slice(1) : p > 0.995 ? "1.0" : p.toFixed(2).slice(1);
};
const many = (count) => `${count} new hypothes${count === 1 ? "i" : "e"}s`;

/** A probability of a whole text, by its logarithm. */
function chance(total) {
  const p = Math.exp(total);
  if (p > 0.9995) return "1.0";
  return p >= 0.001 ? p.toFixed(3).replace(/0$/, "").slice(1) : p.toExponential(0).replace("e-", " · 10^−");
}

/**
 * A beam search as a tree that grows, with its settings, its clock and what it found. It reads and writes the traits `width`,
 * `alpha`, `penalty`, `step` and `followed` (Python: `BeamState`). `word(token)` is what a box says, `join(tokens)` a text;
 * `spaced(token)` tells whether a token begins with a space that is to be seen; `about` says what a box holds.
 * Returns {parts, choose, settings, show, redraw, stop}: `parts` are put into the widget in their order; `choose(name, value)`
 * sets a trait that changes the search; `show(levels)` shows what `search` of lib/beam.js has found.
 */
export function beamView({ model, root, word, join, spaced = () => false, about }) {
  let levels = []; // of the last search
  let timer;

  // How it is searched.
  const choose = (name, value) => {
    stop();
    if (model.get("followed").length) model.set("followed", []);
    model.set(name, value);
  };
  const widths = radios("Beam width", Array.from({ length: WIDEST }, (_, i) => String(i + 1)), (i) => choose("width", i + 1));
  const alpha = h("input", { type: "range", min: 0, max: 2, step: 0.1, "aria-label": "length penalty α", oninput: () => choose("alpha", Number(alpha.value)) });
  const alphaShown = h("span", { class: "number strength" });
  const kinds = radios("divide by", ["((5 + n) / 6)^α", "n^α"], (i) => choose("penalty", KINDS[i]));

  // Time.
  const shown = () => Math.min(model.get("step"), levels.length);
  const go = (step) => model.set("step", step >= levels.length ? 99 : Math.max(0, step));
  const button = (text, onclick, kind) => h("button", { type: "button", class: kind, onclick }, text);
  const play = button("▶ play", toggle, "play");
  const back = button("back", () => { stop(); go(shown() - 1); });
  const on = button("next", () => { stop(); go(shown() + 1); });
  const scrub = h("input", { type: "range", min: 0, step: 1, "aria-label": "step", oninput: () => { stop(); go(Number(scrub.value)); } });
  const clock = h("span", { class: "number clock" });

  function stop() {
    clearInterval(timer);
    timer = undefined;
    renew(play, "▶ play");
  }

  function toggle() {
    if (timer) return stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(levels.length);
    if (shown() >= levels.length) go(0);
    renew(play, "❚❚ pause");
    timer = setInterval(guard(root, () => {
      go(shown() + 1);
      if (shown() >= levels.length) stop();
    }), 900);
  }

  // What is found.
  const drawing = tree((node) => {
    const [level, place] = model.get("followed");
    model.set("followed", node.level === level && node.place === place ? [] : [node.level, node.place]);
  });
  const told = h("p", { class: "told", role: "status" });
  const lines = Array.from({ length: WIDEST }, (_, i) => hypothesis(i));
  const title = h("p", { class: "label title" });
  const sum = h("p", { class: "sum number" });
  const parts = [
    widths.element,
    h("div", { class: "controls" }, h("span", { class: "label" }, "length penalty α"), alpha, alphaShown, kinds.element),
    h("div", { class: "controls" }, play, back, on, scrub, clock),
    h("p", { class: "label legend" }, about,
      ...[["kept", "kept"], ["ended", "ended: a hypothesis"], ["pruned", "pruned"], ["path", "the text below"]].map(([kind, text]) => h("span", {}, h("i", { class: kind }), text))),
    drawing.element, told,
    h("div", { class: "hypothesis head", "aria-hidden": "true" }, ...["", "hypotheses, best first", "sum", "÷", "= score"].map((text, i) => h("span", { class: i > 1 ? "number" : "" }, text))),
    h("ol", { class: "found" }, ...lines.map(({ element }) => element)), title, sum,
  ];

  function hypothesis(i) {
    const parts = ["", "", "number", "number", "number score"].map((kind) => h("span", { class: kind }));
    const line = h("button", { type: "button", class: "hypothesis", onclick: () => {
      const { level, place } = levels[shown() - 1].found[i];
      model.set("followed", [level, place]);
    } }, ...parts);
    return { element: h("li", {}, line), line, parts };
  }

  const settings = () => ({ width: model.get("width"), penalty: model.get("penalty"), alpha: model.get("alpha") });
  const written = (node) => join(pathTo(node).map(({ token }) => token));

  function describe(node) {
    const before = node.parent ? `, after ${written(node.parent)}` : "";
    return { word: word(node.token), space: spaced(node.token), numbers: [share(node.odds), two(node.total)], said: ` step ${node.level + 1}${before}: ${FATES[node.fate]}` };
  }

  /** The node whose text is shown: the one that was tapped, else the best hypothesis, else the likeliest beginning. */
  function followed(count) {
    const [level, place] = model.get("followed");
    const now = levels[count - 1];
    const best = now?.found[0] ?? now?.nodes[0];
    return (level < count ? levels[level].nodes[place] : null) ?? best;
  }

  function tell(count) {
    if (!count) return "Only the start is there. Press next: every word may follow.";
    const { nodes, found } = levels[count - 1];
    const kept = nodes.filter(({ fate }) => fate === "kept").length;
    const done = nodes.filter(({ fate }) => fate === "ended" || fate === "cut").length;
    const best = found.length ? ` Best so far: “${written(found[0])}”, score ${two(found[0].score)}.` : "";
    const over = count === levels.length ? " The search is over." : "";
    return `Step ${count}: of the likeliest ${nodes.length}, ${kept} kept, ${many(done)}.${best}${over}`;
  }

  function draw() {
    const count = shown();
    const { penalty, alpha: strength, width } = settings();
    const node = followed(count);
    const path = node ? pathTo(node) : [];
    widths.select(width - 1);
    kinds.select(KINDS.indexOf(penalty));
    if (Number(alpha.value) !== strength) alpha.value = strength;
    renew(alphaShown, `α = ${strength.toFixed(1)}`);
    scrub.max = levels.length;
    scrub.value = count;
    renew(clock, `step ${count} of ${levels.length}`);
    back.disabled = count === 0;
    on.disabled = count >= levels.length;
    drawing.draw(levels, count, path, describe);
    renew(told, tell(count));
    const found = count ? levels[count - 1].found : [];
    lines.forEach(({ element, line, parts }, i) => {
      element.hidden = i >= found.length;
      if (element.hidden) return;
      const { level, total, score } = found[i];
      const text = written(found[i]);
      line.className = found[i] === node ? "hypothesis path" : "hypothesis";
      line.setAttribute("aria-pressed", String(found[i] === node));
      const divisor = PENALTIES[penalty](level + 1, strength);
      [`${i + 1}`, text, two(total), two(divisor), two(score)].forEach((value, k) => renew(parts[k], value));
      Object.assign(parts[4].dataset, { exact: score });
      Object.assign(parts[2].dataset, { exact: total });
    });
    renew(title, node ? `“${written(node)}”: the logarithms of its probabilities, added up. Tap another word to follow it.` : "");
    renew(sum, ...path.map(({ token, odds }) => h("span", {}, h("b", {}, ...spacedWord(word(token), spaced(token))), h("i", {}, two(odds)))),
      node ? h("span", { class: "total", "data-exact": node.total }, two(node.total), h("i", {}, `probability ${chance(node.total)}`)) : null);
  }

  function show(found) {
    levels = found;
    draw();
  }

  const redraw = soon(root, draw);
  for (const name of ["step", "followed"]) model.on(`change:${name}`, redraw);
  return {
    parts, choose, settings, show, redraw,
    stop() {
      stop();
      drawing.stop();
    },
  };
}
