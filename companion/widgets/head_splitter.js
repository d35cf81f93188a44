import css from "./head_splitter.css";
import { guard, h, radios, soon, toggle } from "./lib/dom.js";
import {
  BACK, blocksOf, CONCAT, coordinates, divisors, joined, MIX, numberAt, OUTPUT, place, PROJECT, RESHAPE, SCORES,
  shapeOf, STAGES, TRANSPOSE, wordOf, X,
} from "./lib/split.js";
import { defineWidget } from "./lib/widget.js";

const WIDTHS = [4, 6, 8, 12];
const TITLE = 20; // pixels above a block
const GAP = 16;
const PAUSE = 1800; // milliseconds between the steps of play

const CODE = {
  [X]: "x",
  [PROJECT]: "q = self.query(x)",
  [RESHAPE]: "q = q.reshape(batch, n, heads, d_k)",
  [TRANSPOSE]: "q = q.transpose(1, 2)",
  [SCORES]: "scores = q @ k.transpose(-2, -1) / sqrt(d_k)",
  [MIX]: "mixed = scores.softmax(dim=-1) @ v",
  [BACK]: "mixed = mixed.transpose(1, 2)",
  [CONCAT]: "mixed = mixed.flatten(start_dim=2)",
  [OUTPUT]: "output = self.output(mixed)",
};
const SAYS = {
  [X]: "A row of numbers for each word.",
  [PROJECT]: "A learned matrix makes new numbers: each from its word's whole row. Keys and values are made, and cut, likewise.",
  [RESHAPE]: "Nothing moves in memory: each word's row is now read as one piece for each head.",
  [TRANSPOSE]: "The axis of heads comes to the front: each head has its piece of every word.",
  [SCORES]: "In each head, each query meets each key: 2·3 is the query of word 2 with the key of word 3.",
  [MIX]: "Weights times values: each head makes a new piece for every word. These are new numbers.",
  [BACK]: "The heads' pieces of one word come together again.",
  [CONCAT]: "Concatenated: one row for each word, its heads side by side.",
  [OUTPUT]: "Each number is made from a whole row. Only here do the heads meet.",
};
const SAYS_WRONG = {
  [RESHAPE]: "The shape is right at once, without a transpose. But the numbers are cut in the wrong place.",
  [TRANSPOSE]: "No transpose is left to do, and no error is raised: look whose numbers the rows hold.",
  [SCORES]: "Each head compares pieces of a few words, and takes them for all words.",
  [CONCAT]: "Each row now belongs to one word by its place, and to others by what asked for it.",
};

export default defineWidget(css, ({ model, root }) => {
  const tokens = model.get("tokens");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const get = (name) => model.get(name);
  const sizes = () => ({ n: get("n"), d: get("d_model"), heads: get("heads"), wrong: get("wrong") });
  const total = () => get("n") * get("d_model");
  const picked = () => Math.min(hovered ?? get("picked"), total() - 1);
  let hovered = null;
  let timer = 0;

  // Sizes.
  const words = radios("words", tokens.slice(1).map((_, i) => String(i + 2)), (i) => model.set("n", i + 2));
  const width = radios("d_model", WIDTHS.map(String), (i) => setWidth(WIDTHS[i]));
  const heads = h("div", {});
  const wrong = toggle("wrong reshape", (on) => {
    model.set("wrong", on);
    if (on && get("stage") < RESHAPE) go(TRANSPOSE);
  });
  let drawnHeads;

  function setWidth(d) {
    const before = get("heads");
    model.set("heads", 1); // divides both: at no time is there a number of heads that does not
    model.set("d_model", d);
    model.set("heads", Math.max(...divisors(d).filter((k) => k <= before)));
  }

  /** Only divisors can be chosen: every head gets a piece of the same length. */
  function drawHeads(d) {
    if (drawnHeads?.d !== d) {
      const choices = divisors(d);
      drawnHeads = { d, choices, group: radios("heads", choices.map(String), (i) => model.set("heads", choices[i])) };
      heads.replaceChildren(drawnHeads.group.element);
    }
    drawnHeads.group.select(drawnHeads.choices.indexOf(get("heads")));
  }

  // Steps.
  const go = (stage) => model.set("stage", Math.max(0, Math.min(OUTPUT, stage)));
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "play";
  };
  const byHand = (stage) => {
    stop();
    go(stage);
  };
  const button = (text, onclick, attributes = {}) => h("button", { type: "button", onclick, ...attributes }, text);
  const back = button("◀ back", () => byHand(get("stage") - 1));
  const next = button("next ▶", () => byHand(get("stage") + 1), { class: "next" });
  const play = button("play", () => {
    if (timer) return stop();
    if (get("stage") === OUTPUT) go(0);
    play.textContent = "stop";
    timer = setInterval(guard(root, () => {
      go(get("stage") + 1);
      if (get("stage") === OUTPUT) stop();
    }), PAUSE);
  });
  const scrub = h("input", { type: "range", min: 0, max: OUTPUT, step: 1, "aria-label": "step", oninput: () => byHand(Number(scrub.value)) });
  const follow = h("input", { type: "range", min: 0, step: 1, "aria-label": "number to follow", oninput: () => model.set("picked", Number(follow.value)) });
  const followed = h("span", { class: "number followed" });

  const title = h("p", { class: "title" });
  const code = h("code", {});
  const shape = h("p", { class: "shape number" });
  const says = h("p", { class: "says" });
  const figure = h("div", {
    class: "figure", "aria-hidden": "true",
    onpointerover: (event) => event.pointerType === "mouse" && hover(numberUnder(event)),
    onpointerleave: () => hover(null),
    onclick: (event) => {
      const number = numberUnder(event);
      if (number !== null) model.set("picked", number);
    },
  });
  const status = h("p", { class: "status", role: "status" });
  root.append(h("div", { class: "widget" },
    h("div", { class: "sizes" }, words.element, width.element, heads),
    h("p", { class: "why label" }, "Only divisors of d_model can be heads: each gets a piece of d_k = d_model ÷ heads numbers."),
    h("div", { class: "controls steps" }, back, next, still.matches ? null : play, scrub, wrong.element),
    h("div", { class: "stage" }, title, h("p", { class: "code" }, code), shape, says),
    figure,
    h("label", { class: "controls" }, followed, follow),
    status));

  function hover(number) {
    if (number === hovered) return;
    hovered = number;
    mark();
  }

  function numberUnder({ target }) {
    const { number, row } = target.dataset ?? {};
    if (number !== undefined) return Number(number);
    return row === undefined ? null : numberAt({ ...JSON.parse(row), j: 0 }, sizes());
  }

  // The figure: cells that move from step to step, names that are written anew.
  let cells = [];
  const scores = h("div", { class: "scores" });
  const names = h("div", {});
  const numbers = h("div", {});
  figure.append(names, numbers, scores);

  function layout(stage, all) {
    const room = figure.clientWidth;
    const narrow = room < 480;
    const label = narrow ? 44 : 64;
    const { blocks, rows, columns, of } = blocksOf(stage, all);
    const cell = Math.min(narrow ? 24 : 30, Math.floor((room - label) / all.d));
    const across = label + columns * cell;
    const perLine = Math.max(1, Math.floor((room + GAP) / (across + GAP)));
    const down = (of === "all" ? 0 : TITLE) + rows * cell + GAP;
    const corner = (block) => [(block % perLine) * (across + GAP), Math.floor(block / perLine) * down + (of === "all" ? 0 : TITLE)];
    const at = ({ block, row, column }) => {
      const [x, y] = corner(block);
      return [x + label + column * cell, y + row * cell];
    };
    return { blocks, rows, columns, of, cell, label, corner, at, height: Math.ceil(blocks / perLine) * down };
  }

  /** The word whose numbers a head's row holds: its own, unless the cut is wrong. */
  const owner = (head, i, all) => wordOf(numberAt({ head, i, j: 0 }, all), all);

  function drawNames(stage, all, plan) {
    const made = [];
    for (let block = 0; block < plan.blocks; block++) {
      const [x, y] = plan.corner(block);
      if (plan.of !== "all") {
        made.push(h("span", { class: "block", style: `left:${x}px;top:${y - TITLE}px` }, plan.of === "word" ? tokens[block] : `head ${block + 1}`));
      }
      for (let row = 0; row < plan.rows; row++) {
        const word = plan.of === "all" ? row : owner(block, row, all);
        const bad = plan.of === "head" && word !== row;
        made.push(h("span", {
          class: bad ? "name bad" : "name", style: `left:${x}px;top:${y + row * plan.cell}px;width:${plan.label - 4}px;line-height:${plan.cell}px`,
        }, plan.of === "word" ? `head ${row + 1}` : tokens[word]));
      }
    }
    names.replaceChildren(...made);
  }

  function drawCells(stage, all, plan) {
    const count = all.n * all.d;
    if (cells.length !== count) {
      cells = Array.from({ length: count }, (_, f) => h("span", { class: "cell", "data-number": f }));
      numbers.replaceChildren(...cells);
    }
    numbers.classList.toggle("gone", stage === SCORES);
    cells.forEach((cell, f) => {
      const at = stage === SCORES ? place(TRANSPOSE, f, all) : place(stage, f, all);
      const [x, y] = plan.at(at);
      cell.style.cssText = `transform:translate(${x}px,${y}px);width:${plan.cell - 2}px;height:${plan.cell - 2}px;line-height:${plan.cell - 2}px`;
      cell.textContent = stage === X || stage === OUTPUT ? "" : stage >= MIX ? joined(coordinates(f, all), all) : f;
    });
    const made = [];
    if (stage === SCORES) {
      for (let block = 0; block < plan.blocks; block++) {
        for (let row = 0; row < all.n; row++) {
          for (let column = 0; column < all.n; column++) {
            const [x, y] = plan.at({ block, row, column });
            made.push(h("span", {
              class: "cell", "data-row": JSON.stringify({ head: block, i: row }),
              style: `transform:translate(${x}px,${y}px);width:${plan.cell - 2}px;height:${plan.cell - 2}px;line-height:${plan.cell - 2}px`,
            }, `${row + 1}·${column + 1}`));
          }
        }
      }
    }
    scores.replaceChildren(...made);
  }

  /** Marks the number that is followed, and all numbers of its word. */
  function mark() {
    const [stage, all, f] = [get("stage"), sizes(), picked()];
    const here = coordinates(f, all);
    const whole = stage === X || stage === OUTPUT;
    cells.forEach((cell, other) => {
      const same = stage === OUTPUT ? place(stage, other, all).row === here.i : wordOf(other, all) === wordOf(f, all);
      cell.classList.toggle("word", same);
      cell.classList.toggle("picked", !whole && other === f);
    });
    for (const cell of scores.children) cell.classList.toggle("word", cell.dataset.row === JSON.stringify({ head: here.head, i: here.i }));
    follow.value = f;
    followed.textContent = `follow number ${f}`;
    status.textContent = sentence(stage, all, f, here);
  }

  function sentence(stage, all, f, { head, i, j }) {
    const word = `“${tokens[wordOf(f, all)]}”`;
    const row = `“${tokens[i]}”`;
    if (stage === X) return `Number ${f} will be made from all ${all.d} numbers of ${word}.`;
    if (stage === PROJECT) return `Number ${f} is at [0, ${wordOf(f, all)}, ${f % all.d}]: made from all ${all.d} numbers of ${word}.`;
    if (stage === RESHAPE || stage === TRANSPOSE) {
      const { block, row: line, column } = place(stage, f, all);
      const astray = wordOf(f, all) === i ? "" : ` But head ${head + 1} takes it for a number of ${row}.`;
      return `Number ${f}, of ${word}, is at [0, ${block}, ${line}, ${column}]: head ${head + 1}, its number ${j + 1} of ${all.d / all.heads}.${astray}`;
    }
    if (stage === SCORES) return `Number ${f}, of ${word}, is used in every score of row [0, ${head}, ${i}] of head ${head + 1}: a query's row.`;
    const out = joined({ head, i, j }, all);
    const asked = wordOf(f, all) === i ? "" : ` But ${word} asked for it.`;
    if (stage === OUTPUT) return `Number ${out} goes into all ${all.d} numbers of the output for ${row}.${asked}`;
    if (stage === CONCAT) return `Number ${out} is at [0, ${i}, ${out % all.d}]: what head ${head + 1} hands over for ${row}.${asked}`;
    const { block, row: line, column } = place(stage, f, all);
    return `Where number ${f} asked, number ${out} comes out, at [0, ${block}, ${line}, ${column}]: what head ${head + 1} hands over for ${row}.${asked}`;
  }

  function draw() {
    const [stage, all] = [get("stage"), sizes()];
    words.select(all.n - 2);
    width.select(WIDTHS.indexOf(all.d));
    drawHeads(all.d);
    wrong.box.checked = all.wrong;
    back.disabled = stage === 0;
    next.disabled = stage === OUTPUT;
    scrub.value = stage;
    scrub.setAttribute("aria-valuetext", `${stage}, ${STAGES[stage]}`);
    follow.max = total() - 1;
    const told = shapeOf(stage, all);
    title.replaceChildren(h("span", { class: "label" }, `step ${stage} of ${OUTPUT}`), ` ${STAGES[stage]}`);
    code.textContent = all.wrong && stage === RESHAPE ? "q = q.view(batch, heads, n, d_k)" : all.wrong && stage === TRANSPOSE ? "# no transpose" : CODE[stage];
    code.classList.toggle("bad", all.wrong && (stage === RESHAPE || stage === TRANSPOSE));
    shape.textContent = `(${told.axes.join(", ")}) = (${told.shape.join(", ")})`;
    says.textContent = (all.wrong && SAYS_WRONG[stage]) || SAYS[stage];
    const plan = layout(stage, all);
    figure.style.height = `${Math.max(...STAGES.map((_, s) => layout(s, all).height))}px`;
    drawNames(stage, all, plan);
    drawCells(stage, all, plan);
    mark();
  }

  const update = soon(root, draw);
  for (const name of ["n", "d_model", "heads", "stage", "wrong"]) model.on(`change:${name}`, update);
  model.on("change:picked", soon(root, mark));
  const observer = new ResizeObserver(guard(root, draw));
  observer.observe(figure);
  draw();
  return () => {
    stop();
    observer.disconnect();
  };
});
