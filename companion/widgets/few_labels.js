import css from "./few_labels.css";
import { readArray } from "./lib/array.js";
import { chart, dot, stroke } from "./lib/chart.js";
import { guard, h, put, radios, renew, soon } from "./lib/dom.js";
import { probabilities, softmaxRegression, withOne } from "./lib/few_labels.js";
import { defineWidget } from "./lib/widget.js";

const SHOWN = 2; // held-out texts of each class that are listed
const LEAST_WIDE = 10; // labels that the plot has room for, at least
const DASHES = [[], [5, 4]];
const best = (shares) => shares.indexOf(Math.max(...shares));
const many = (count, word) => `${count || "No"} ${word}${count === 1 ? "" : "s"}`;

export default defineWidget(css, ({ model, root, onTheme }) => {
  const [classes, offered, heldOut, kinds] = ["classes", "offered", "held_out", "kinds"].map((name) => model.get(name));
  const array = readArray(model.get("vectors"));
  const vectors = kinds.map((_, k) => [...offered, ...heldOut].map((_, i) => withOne(array.at(k, i))));
  const chance = heldOut.length / classes.length;
  // Of each class the first texts, the classes in turn.
  const tested = Array.from({ length: SHOWN }, (_, k) => classes.flatMap((_, c) => heldOut.flatMap(([, own], i) => (own === c ? [i] : [])).slice(k, k + 1))).flat();
  let colours;
  const learned = []; // after each label, in their order: {label, found: [for each kind {right, shares}], element}

  // What the reader labels.
  const turn = h("p", { class: "turn", "aria-live": "polite" });
  const progress = h("span", { class: "label number" });
  const counts = classes.map(() => h("span", { class: "number" }));
  const labelling = classes.map((name, c) => button(`${name} `, () => label(c), counts[c]));
  const skip = button("skip it", () => model.set("at", from(asked() + 1)));
  const each = button("label one of each for me", labelEach);
  const over = button("start over", () => {
    model.set("labels", []);
    model.set("at", 0);
  });
  const nothing = h("p", { class: "label" }, "Your labels will be listed here.");
  const given = h("ul");

  // What is learned from it.
  const told = h("p", { class: "told", role: "status" });
  const scores = kinds.map((name, k) => {
    const [fill, number] = [h("i"), h("span", { class: "number" })];
    const rail = h("span", { class: `rail kind${k}`, "aria-hidden": "true", style: `--chance:${100 / classes.length}%` }, fill);
    return { fill, number, element: h("p", { class: "score" }, h("span", {}, name), rail, number) };
  });
  const plot = chart();
  const choose = radios("Vectors", kinds, (k) => model.set("kind", k));
  const body = h("tbody");
  const rest = h("p", { class: "label rest" });
  root.append(h("div", { class: "widget" },
    h("div", { class: "board" },
      h("section", {}, h("p", { class: "head" }, h("span", { class: "label" }, "What has the assistant done?"), progress), turn,
        h("div", { class: "labelling", role: "group", "aria-label": "Label" }, ...labelling, skip),
        h("div", { class: "controls" }, each, over), h("div", { class: "given" }, nothing, given)),
      h("section", {}, told, ...scores.map(({ element }) => element), plot.element,
        h("p", { class: "label" }, `share right, by number of labels (${kinds[0]}: solid, ${kinds[1]}: dashed); ${Math.round(100 / classes.length)} % is chance`))),
    h("section", { class: "tested" }, choose.element,
      h("table", {}, h("thead", {}, h("tr", {}, ...["a turn it has not seen", "the classifier says"].map((text) => h("th", { scope: "col" }, text)))), body), rest)));

  function button(text, onclick, ...more) {
    return h("button", { type: "button", onclick }, text, ...more);
  }

  /** The first text without a label, in order from `start` and round again; undefined if there is none. */
  function from(start) {
    const done = new Set(model.get("labels").map(([text]) => text));
    return offered.map((_, i) => (start + i) % offered.length).find((text) => !done.has(text));
  }

  const asked = () => from(model.get("at"));

  function label(c) {
    model.set("labels", [...model.get("labels"), [asked(), c]]);
  }

  function labelEach() {
    const labels = model.get("labels");
    const done = new Set(labels.map(([text]) => text));
    const next = classes.flatMap((_, c) => offered.flatMap(([, own], text) => (own === c && !done.has(text) ? [[text, c]] : [])).slice(0, 1));
    model.set("labels", [...labels, ...next]);
  }

  function takeBack(text) {
    model.set("labels", model.get("labels").filter(([other]) => other !== text));
    model.set("at", text);
    draw();
    labelling[0].focus(); // the button that was pressed is gone
  }

  /** Learns anew, and lists labels anew, where they differ from those that were learned from. */
  function learn(labels) {
    const same = labels.findIndex((one, i) => String(one) !== learned[i]?.label);
    for (const { element } of learned.splice(same < 0 ? labels.length : same)) element.remove();
    for (let n = learned.length + 1; n <= labels.length; n++) {
      const known = labels.slice(0, n);
      const found = vectors.map((each) => {
        const weights = softmaxRegression(known.map(([text]) => each[text]), known.map(([, c]) => c), classes.length);
        const shares = heldOut.map((_, i) => probabilities(weights, each[offered.length + i]));
        return { shares, right: shares.filter((one, i) => best(one) === heldOut[i][1]).length };
      });
      const element = listed(...known.at(-1));
      given.prepend(element);
      learned.push({ label: String(known.at(-1)), found, element });
    }
    return learned.at(-1)?.found;
  }

  function listed(text, c) {
    const [words, own] = offered[text];
    return h("li", {}, h("span", { class: "words" }, words),
      h("span", {}, classes[c], own === c ? null : h("span", { class: "label" }, ` the book: ${classes[own]}`)),
      h("button", { type: "button", "aria-label": `take back: ${words}`, onclick: () => takeBack(text) }, "✕"));
  }

  function drawScores(found) {
    scores.forEach(({ fill, number }, k) => {
      const right = found?.[k].right;
      put(fill, { style: `width:${(100 * (right ?? 0)) / heldOut.length}%` });
      renew(number, found ? `${right} of ${heldOut.length}` : "–");
    });
    const count = many(learned.length, "label");
    renew(told, found
      ? `${count}: ${found[0].right} of ${heldOut.length} right with the ${kinds[0]} vectors, ${found[1].right} with the ${kinds[1]} ones. Guesses would get about ${Math.round(chance)}.`
      : `${count} yet: nothing is learned. Guesses would get about ${Math.round(chance)} of ${heldOut.length} right.`);
  }

  function drawPlot() {
    const most = Math.max(LEAST_WIDE, learned.length);
    plot.draw({
      x: [0, most], y: [0, 1], ticks: [[1, "all"], [0.5, "half"], [1 / classes.length, `${Math.round(100 / classes.length)}%`]], ends: ["0 labels", `${most}`],
      layers: kinds.map((_, k) => (context, at) => {
        context.strokeStyle = context.fillStyle = k ? colours.muted : colours.accent;
        context.lineWidth = 2;
        const points = learned.map(({ found }, i) => at(i + 1, found[k].right / heldOut.length));
        stroke(context, points, DASHES[k]);
        if (points.length) dot(context, points.at(-1), 4);
      }),
    }, colours);
  }

  function verdict(said, own, share) {
    const mark = said === own ? h("span", { class: "good" }, "✓ ") : h("span", { class: "bad" }, "✗ ");
    const book = said === own ? [] : [" ", h("span", { class: "label book" }, `the book: ${classes[own]}`)];
    return [mark, `${classes[said]} `, h("span", { class: "label number" }, `${Math.round(100 * share)} %`), ...book];
  }

  function drawTested(found) {
    const k = model.get("kind");
    choose.select(k);
    renew(body, ...tested.map((i) => {
      const [text, own] = heldOut[i];
      const shares = found?.[k].shares[i];
      const said = shares && best(shares);
      return h("tr", { "data-exact": shares?.join(" ") ?? "" }, h("td", {}, text), h("td", {}, ...(shares ? verdict(said, own, shares[said]) : ["–"])));
    }));
    const others = heldOut.length - tested.length;
    const right = found && found[k].right - tested.filter((i) => best(found[k].shares[i]) === heldOut[i][1]).length;
    renew(rest, others ? `and ${others} more${found ? `, ${right} of them right` : ""}` : "");
  }

  function draw() {
    const [labels, text] = [model.get("labels"), asked()];
    const all = text === undefined;
    if (all && [...labelling, skip, each].includes(root.activeElement)) over.focus(); // what is disabled keeps no focus
    for (const one of [...labelling, skip, each]) one.disabled = all;
    renew(turn, all ? "All are labelled." : offered[text][0]);
    renew(progress, `${labels.length} of ${offered.length}`);
    counts.forEach((count, c) => renew(count, String(labels.filter(([, own]) => own === c).length)));
    const found = learn(labels);
    nothing.hidden = labels.length > 0;
    drawScores(found);
    drawPlot();
    drawTested(found);
  }

  const redraw = soon(root, draw);
  for (const name of ["labels", "at", "kind"]) model.on(`change:${name}`, redraw);
  onTheme((next) => {
    colours = next;
    draw();
  });
  const observer = new ResizeObserver(guard(root, drawPlot));
  observer.observe(plot.element);
  return () => observer.disconnect();
});
