import css from "./reversible_memory.css";
import { bytesText, grouped } from "./lib/bytes.js";
import { guard, h, renew, soon, toggle } from "./lib/dom.js";
import { film, kindsOf } from "./lib/film.js";
import { keptBy, livingAt, memoryPlan, notesUnit, PARTS, partsOf } from "./lib/memory.js";
import { memoryBars } from "./lib/memory_bars.js";
import { sizeFields } from "./lib/size_fields.js";
import { defineWidget } from "./lib/widget.js";

const LIMIT = 16e9;
const NEAR = 32e9;
const same = (one, other) => Object.keys(one).every((name) => one[name] === other[name]);
const exact = (plans) => Object.values(plans).every(({ totals, peak }) => Number.isSafeInteger(totals[peak]));
const TOO_MUCH = "More than 9 PB (2⁵³ bytes) cannot be counted here.";

/** A table behind a summary, filled by `lines()` when it is open: the first line is its head, and so is each first cell. */
function folded(summary, lines) {
  const place = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": summary });
  const element = h("details", { ontoggle: fill }, h("summary", {}, summary), place);
  function fill() {
    if (!element.open) return;
    const [head, ...rest] = lines();
    renew(place, h("table", {},
      h("tr", {}, ...head.map((cell) => h("th", { scope: "col" }, cell))),
      ...rest.map(([first, ...cells]) => h("tr", {}, h("th", { scope: "row" }, first), ...cells.map((cell) => h("td", { class: "number" }, cell))))));
  }
  return { element, fill };
}

export default defineWidget(css, ({ model, root, onTheme }) => {
  let timer;
  let plans;
  const modes = Object.keys(model.get("modes"));
  const nameOf = (mode) => model.get("modes")[mode][0];
  const unit = () => model.get("unit");
  const text = (bytes) => bytesText(bytes, unit());
  const plan = () => plans[model.get("mode")];
  const last = () => plan().moments.length - 1;
  const now = () => Math.min(last(), model.get("moment") ?? plan().peak);

  let found = {};
  function plansOf(sizes, materialised) {
    if (found.sizes !== sizes || found.materialised !== materialised) {
      found = { sizes, materialised, plans: Object.fromEntries(modes.map((mode) => [mode, memoryPlan(sizes, mode, materialised)])) };
    }
    return found.plans;
  }

  // Sizes.
  const fields = sizeFields(model.get("fields"), (sizes) => {
    if (!exact(plansOf(sizes, model.get("materialised")))) return TOO_MUCH;
    set({ sizes, moment: null });
    return "";
  });
  const measured = model.get("measured");
  const presets = model.get("presets");
  const chips = presets.map(({ name, state }) => h("button", { type: "button", "aria-pressed": "false", onclick: () => set({ ...state, moment: null }) }, name));

  function set(state) {
    stop();
    for (const [name, value] of Object.entries(state)) model.set(name, value);
  }

  // Bars.
  const written = toggle("write down all attention weights, length × length", (on) => {
    if (exact(plansOf(model.get("sizes"), on))) return set({ materialised: on, moment: null });
    written.box.checked = !on;
    fields.trouble(TOO_MUCH);
  });
  const near = toggle(`only to ${bytesText(NEAR, "GB")}`, (checked) => model.set("scale", checked ? "near" : "all"));
  const binary = toggle("GiB, 2³⁰ bytes, for GB", (checked) => model.set("unit", checked ? "GiB" : "GB"));
  const bars = memoryBars(modes.map(nameOf), LIMIT, (i) => set({ mode: modes[i], moment: null }));
  const verdict = h("p", { class: "verdict", role: "status" });
  const trial = h("p");
  const notes = h("p", { class: "told" });
  const legend = h("div", { class: "legend", "aria-hidden": "true" },
    ...PARTS.map((part) => h("span", {}, h("span", { class: `swatch ${part}` }), part === "model" ? "model and Adam" : part)),
    ...(measured.length ? [h("span", {}, h("span", { class: "swatch outside" }), "the program itself"), h("span", {}, h("span", { class: "mark" }), "measured")] : []));

  // Film.
  const about = h("p", { class: "about" });
  const go = (moment) => model.set("moment", Math.max(0, Math.min(last(), moment)));
  const pick = (moment) => { stop(); go(moment); };
  const play = h("button", { type: "button", class: "play", onclick: run }, "▶ play");
  const back = h("button", { type: "button", onclick: () => pick(now() - 1) }, "back");
  const on = h("button", { type: "button", onclick: () => pick(now() + 1) }, "next");
  const peak = h("button", { type: "button", onclick: () => set({ moment: null }) }, "▼ fullest");
  const scrub = h("input", { type: "range", min: 0, step: 1, "aria-label": "moment", oninput: () => pick(Number(scrub.value)) });
  const ghost = toggle("compare with standard", (checked) => model.set("ghost", checked));
  const strip = film(pick);

  function stop() {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "▶ play";
  }

  function run() {
    if (timer) return stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(last());
    if (now() === last() || model.get("moment") === null) go(0);
    play.textContent = "❚❚ pause";
    timer = setInterval(guard(root, () => {
      go(now() + 1);
      if (now() === last()) stop();
    }), Math.max(60, Math.min(400, 9000 / last())));
  }

  const fillFilm = () => [
    ["what", "part", "how many", "bytes"],
    ...kindsOf(livingAt(plan(), now())).map(({ name, part, tensors, bytes }) => [name, part, tensors.length, grouped(bytes)]),
  ];

  const barsTable = folded("The bars as a table, in bytes", fillBars);
  const filmTable = folded("What lives now, as a table, in bytes", fillFilm);
  root.append(h("div", { class: "widget" },
    h("div", { class: "controls" }, h("span", { class: "label" }, "begin with"), ...chips), fields.element,
    h("div", { class: measured.length ? "verdicts more" : "verdicts" }, verdict, trial),
    h("p", { class: "label" }, "Memory at the fullest moment of one training step. Tap a bar to see that step as a film below."),
    bars.element, legend,
    h("div", { class: "controls" }, near.element, binary.element, written.element),
    notes, barsTable.element,
    h("section", {}, about,
      h("div", { class: "controls" }, play, back, on, peak, scrub, ghost.element),
      strip.element, filmTable.element)));

  function fillBars() {
    const all = modes.map((mode) => plans[mode]);
    const parts = all.map((of) => partsOf(livingAt(of, of.peak)));
    return [
      ["part", ...modes.map(nameOf)],
      ...PARTS.map((part) => [part, ...parts.map((of) => grouped(of[part]))]),
      ["all", ...all.map(({ totals, peak: at }) => grouped(totals[at]))],
      ["fullest moment", ...all.map(({ moments, peak: at }) => moments[at])],
    ];
  }

  const trialOf = (mode) => measured.find((one) => one.mode === mode && one.materialised === model.get("materialised") && same(one.sizes, model.get("sizes")));

  function drawBars() {
    const sizes = model.get("sizes");
    const one = notesUnit(sizes);
    const counted = { parts: { streams: one, attention: sizes.n_layers * one, "feed-forward": sizes.n_layers * one }, total: (1 + 2 * sizes.n_layers) * one };
    const shown = modes.map((mode) => {
      const { totals, peak: at } = plans[mode];
      return { parts: partsOf(livingAt(plans[mode], at)), total: totals[at], measured: trialOf(mode) };
    });
    const largest = Math.max(counted.total, ...shown.flatMap(({ total, measured: of }) => (of ? [total + of.outside_bytes, of.bytes] : total)));
    bars.draw({ bars: shown, counted, top: model.get("scale") === "all" ? largest : NEAR, unit: unit(), chosen: modes.indexOf(model.get("mode")) });
    const kept = partsOf(keptBy(plans.standard));
    const unitText = text(one).split(" ")[0];
    renew(notes,
      `The notes count one vector for each position: of the input, and of each of the ${2 * sizes.n_layers} sublayers. `,
      h("strong", { class: "number" }, `${sizes.n_layers} · ${unitText} + ${sizes.n_layers} · ${unitText} + ${text(one)} = ${text(counted.total)}`),
      `. They leave out what else a standard step keeps for backward: ${text(kept.attention)} in attention, ${text(kept["feed-forward"])} in feed-forward networks, ${text(kept.loss)} for the loss; and ${text(shown[modes.indexOf("standard")].parts.model)} of parameters, gradients and Adam.`);
  }

  function drawVerdict() {
    const { moments, totals, peak: at } = plan();
    const limit = unit() === "GB" ? "16\u00a0GB" : `16\u00a0GB (${text(LIMIT)})`;
    const fits = totals[at] <= LIMIT;
    renew(verdict, `${nameOf(model.get("mode"))}: at most `, h("strong", { class: "number" }, text(totals[at])), `, in ${moments[at]}; `,
      h("span", { class: fits ? "good" : "bad" }, `${fits ? "✓ fits" : "✗ does not fit"} into ${limit}.`));
    const of = trialOf(model.get("mode"));
    renew(trial, !of ? "" : `Measured: ${text(of.bytes)} at most${of.outside_bytes ? `, of which ${text(of.outside_bytes)} is the program itself` : ""}.`);
  }

  function drawFilm() {
    const mode = model.get("mode");
    renew(about, h("strong", {}, mode === "inference" ? "One pass forward, inference: " : `One training step, ${nameOf(mode)}: `), model.get("modes")[mode][1]);
    ghost.box.checked = model.get("ghost");
    ghost.box.disabled = mode === "standard";
    strip.set(plan(), model.get("ghost") && mode !== "standard" ? plans.standard : null, unit(), LIMIT);
  }

  function drawMoment() {
    scrub.max = last();
    scrub.value = now();
    scrub.setAttribute("aria-valuetext", `${plan().moments[now()]}: ${text(plan().totals[now()])}`);
    back.disabled = now() === 0;
    on.disabled = now() === last();
    strip.draw(now());
    filmTable.fill();
  }

  function draw() {
    plans = plansOf(model.get("sizes"), model.get("materialised"));
    chips.forEach((chip, i) => {
      const { sizes, materialised, unit: of = unit() } = presets[i].state;
      chip.setAttribute("aria-pressed", String(same(sizes, model.get("sizes")) && materialised === model.get("materialised") && of === unit()));
    });
    written.box.checked = model.get("materialised");
    near.box.checked = model.get("scale") === "near";
    binary.box.checked = unit() === "GiB";
    drawBars();
    drawVerdict();
    drawFilm();
    drawMoment();
    barsTable.fill();
  }

  const redraw = soon(root, draw);
  for (const name of ["sizes", "mode", "materialised", "unit", "scale", "ghost"]) model.on(`change:${name}`, redraw);
  model.on("change:sizes", () => fields.show(model.get("sizes")));
  model.on("change:moment", soon(root, drawMoment));
  fields.show(model.get("sizes"));
  onTheme(draw);
  return stop;
});
