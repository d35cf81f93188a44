import css from "./bleu_bench.css";
import { bleu, ORDERS, tokenize } from "./lib/bleu.js";
import { h, radios, soon, toggle } from "./lib/dom.js";
import { roving } from "./lib/roving.js";
import { defineWidget } from "./lib/widget.js";

const MOST_REFERENCES = 3;
const MOST_SHOWN = 150; // words of a line, or runs
const NAMES = ["words", "pairs", "threes", "fours"];
const PARTS = { 0.5: "½", 0.25: "¼", 0.125: "⅛" };
const counted = (n) => `${n} word${n === 1 ? "" : "s"}`;
const two = (x) => x.toFixed(2);
const equal = (one, other) => one.length === other.length && one.every((text, i) => text === other[i]);

export default defineWidget(css, ({ model, root }) => {
  const [labels, candidates, lists] = ["labels", "candidates", "reference_lists"].map((name) => model.get(name));

  const ready = radios("Try", labels, (i) => {
    model.set("candidate", candidates[i]);
    model.set("references", [...lists[i]]);
  });

  // The texts: each a field, and its words.
  const candidate = field("Candidate: write in it", "Candidate", (text) => model.set("candidate", text));
  const references = Array.from({ length: MOST_REFERENCES }, (_, i) => {
    const each = field(`Reference ${i + 1}`, `Reference ${i + 1}`, (text) => setReferences((all) => all.with(i, text)));
    const remove = h("button", {
      type: "button", "aria-label": `Remove reference ${i + 1}`, onclick: () => {
        setReferences((all) => all.toSpliced(i, 1));
        add.disabled = false; // what is disabled takes no focus
        add.focus(); // the button that was pressed may go
      },
    }, "remove");
    each.head.append(remove);
    return { ...each, remove };
  });
  const add = h("button", { type: "button", onclick: addReference }, "+ another reference");
  const capitals = toggle("ignore capitals", (on) => model.set("lowercase", on));
  const smooth = toggle("smooth zeros", (on) => model.set("smooth", on));

  // The score, and what it is made of.
  const score = h("span", { class: "score number" });
  const made = h("p", { class: "number made" });
  const orders = roving("Runs of", (i) => model.set("order", i + 1), { class: "orders" });
  const rows = ORDERS.map((n) => ({
    fill: h("span", { class: "fill" }), count: h("span", { class: "number count" }), share: h("span", { class: "number share" }), n,
  }));
  orders.fill(rows.map(({ fill, count, share }, i) => ({
    label: NAMES[i], class: "order",
    children: [h("span", { class: "name" }, NAMES[i]), h("span", { class: "track", "aria-hidden": "true" }, fill), count, share],
  })));
  const lengths = h("p", { class: "lengths" });
  // The runs of the chosen length.
  const runsTitle = h("p", { class: "label" });
  const runs = h("ul", { class: "runs" });
  const legend = h("ul", { class: "runs legend", "aria-hidden": "true" },
    ...[["counts", "counts"], ["extra", "repeated too often: counts no more"], ["none", "in no reference"]].map(pill));
  const panel = h("div", { class: "panel" },
    h("div", { role: "status" }, h("p", {}, h("span", { class: "label" }, "BLEU "), score), made),
    h("p", { class: "label" }, "How many of its runs count? Tap a line."), orders.element, lengths,
    h("div", { class: "controls" }, smooth.element, capitals.element));
  root.append(h("div", { class: "widget" }, ready.element,
    h("div", { class: "board" },
      h("div", { class: "own" }, candidate.element,
        h("p", { class: "label" }, "Stripes: the word is in a run of 1, 2, 3 or 4 words that counts. Tinted: of the chosen length.")),
      panel,
      h("div", { class: "others" }, ...references.map(({ element }) => element), add),
      h("div", { class: "all" }, runsTitle, runs, legend),
    )));

  function setReferences(change) {
    model.set("references", change(model.get("references")));
  }
  function addReference() {
    setReferences((all) => [...all, ""]);
    redraw.now();
    references[model.get("references").length - 1].box.focus();
  }

  const cut = (text) => tokenize(model.get("lowercase") ? text.toLowerCase() : text);

  function draw() {
    const texts = model.get("references");
    const given = texts.map(cut);
    const written = given.filter((words) => words.length); // a field without words is no reference yet
    const own = cut(model.get("candidate"));
    const found = bleu(own, written.length ? written : [[]], model.get("smooth"));

    ready.select(candidates.findIndex((text, i) => text === model.get("candidate") && equal(lists[i], texts)));
    capitals.box.checked = model.get("lowercase");
    smooth.box.checked = model.get("smooth");
    candidate.show(model.get("candidate"), own, (i) => found.orders.map(({ lit }) => lit[0][i]), model.get("order"));
    let row = 0;
    references.forEach((each, i) => {
      each.element.hidden = i >= texts.length;
      each.remove.hidden = texts.length === 1;
      if (i >= texts.length) return;
      const at = given[i].length ? ++row : 0;
      each.show(texts[i], given[i], (word) => found.orders.map(({ lit }) => lit[at][word]), model.get("order"));
    });
    add.disabled = texts.length === MOST_REFERENCES;
    drawScore(found, written.length);
    drawRuns(found.orders[model.get("order") - 1]);
  }

  function drawScore(found, any) {
    const { orders: all, penalty, mean } = found;
    score.textContent = found.score.toFixed(1);
    score.dataset.exact = found.score;
    made.replaceChildren(h("span", {}, `= 100 × brevity penalty ${two(penalty)}`), " ", h("span", {}, `× geometric mean ${mean.toFixed(3)}`));
    rows.forEach(({ fill, count, share }, i) => {
      const { matches, taken, total } = all[i];
      fill.style.width = `${100 * all[i].share}%`;
      const instead = taken === matches ? "" : ` (as ${PARTS[taken]})`;
      count.textContent = total ? `${matches}${instead} of ${total}` : "too short";
      share.textContent = total ? two(all[i].share) : "–";
      share.dataset.exact = total ? all[i].share : "";
      orders.name(i, `${NAMES[i]}: ${total ? `${count.textContent} count, share ${share.textContent}` : "the candidate is too short"}`);
    });
    orders.select(model.get("order") - 1);
    lengths.dataset.exact = penalty;
    lengths.textContent = any
      ? `Length: ${counted(found.length)}; the closest reference has ${found.referenceLength}. ${penalty < 1 ? "Too short: the brevity penalty is below 1." : "Long enough: no brevity penalty."}`
      : "Write a reference.";
  }

  function drawRuns({ n, runs: all, matches, total }) {
    const kind = n === 1 ? "words" : `runs of ${n} words`;
    runsTitle.textContent = total ? `The candidate's ${kind}: ${matches} of ${total} count.` : `The candidate has no ${kind}.`;
    const shown = renew(runs, all.length, () => pill(["", ""]), "li");
    shown.forEach((element, i) => {
      const { state, text } = all[i];
      setClass(element, state);
      setText(element.firstChild.firstChild, SAYS[state]);
      setText(element.lastChild, text);
    });
  }

  const redraw = soon(root, draw);
  redraw.now = draw;
  for (const name of ["candidate", "references", "order", "lowercase", "smooth"]) model.on(`change:${name}`, redraw);
  draw();

  /** A label, a box to write in and the words it holds: {element, head, box, show(text, words, lights, order)}. */
  function field(title, name, onText) {
    const box = h("textarea", { rows: 2, "aria-label": name, spellcheck: "false", autocomplete: "off", oninput: () => onText(box.value) });
    const head = h("div", { class: "head" }, h("span", { class: "label" }, title));
    const line = h("p", { class: "line", "aria-hidden": "true" });
    function show(text, words, lights, order) {
      if (root.activeElement !== box || box.value !== text) box.value = text;
      renew(line, words.length, token, "span").forEach((element, i) => {
        const on = lights(i);
        setClass(element, on[order - 1] ? "token tinted" : "token");
        setText(element.firstChild, words[i]);
        on.forEach((lit, k) => setClass(element.lastChild.children[k], lit ? "lit" : ""));
      });
    }
    return { element: h("div", { class: "field" }, head, box, line), head, box, show };
  }
});

const SAYS = { counts: "counts: ", extra: "counts no more: ", none: "in no reference: " };

const token = () => h("span", { class: "token" }, "", h("span", { class: "stripes" }, ...ORDERS.map(() => h("i"))));

function pill([state, text]) {
  return h("li", { class: state }, h("span", { class: "said" }, SAYS[state] ?? ""), text);
}

/** Makes `parent` hold as many elements as are to be shown, and a word on the others; those that are there stay. */
function renew(parent, length, make, tag) {
  parent.querySelector(":scope > .label")?.remove();
  while (parent.children.length > Math.min(length, MOST_SHOWN)) parent.lastElementChild.remove();
  while (parent.children.length < Math.min(length, MOST_SHOWN)) parent.append(make());
  const shown = [...parent.children];
  if (length > MOST_SHOWN) parent.append(h(tag, { class: "label" }, `… and ${length - MOST_SHOWN} more`));
  return shown;
}

// What stays as it is is not touched: else the page would be laid out anew with every letter.
function setText(node, text) {
  if (node.data !== text) node.data = text;
}
function setClass(element, name) {
  if (element.className !== name) element.className = name;
}
