import css from "./head_pruner.css";
import { readArray } from "./lib/array.js";
import { h, radios, soon } from "./lib/dom.js";
import { paintMatrix } from "./lib/stage.js";
import { defineWidget } from "./lib/widget.js";

const two = (x) => x.toFixed(2);
const bits = (subset) => (subset ? (subset & 1) + bits(subset >>> 1) : 0);

export default defineWidget(css, ({ model, root, onTheme }) => {
  const heads = model.get("heads");
  const total = 2 * heads;
  const everything = 2 ** total - 1;
  const measured = model.get("measured");
  const sentences = model.get("sentences");
  const networks = model.get("networks");
  const [accuracy, odds, first, second] = ["accuracy", "odds", "first", "second"].map((name) => readArray(model.get(name)));
  const n = sentences[0].words.length;
  let colours;

  const measuredWith = (subset) => accuracy.at(model.get("network"))[subset];
  const right = (subset) => Math.round(measuredWith(subset) * measured);
  const name = (head) => `layer ${Math.floor(head / heads) + 1}, head ${(head % heads) + 1}`;
  const keptHeads = (subset) => Array.from({ length: total }, (_, head) => head).filter((head) => (subset >> head) & 1);
  const set = (subset) => model.set("kept", subset);

  // Pruning: which of the kept heads is missed least, and which most. Of equals, the first.
  const without = (subset) => keptHeads(subset).map((head) => [measuredWith(subset ^ (1 << head)), head]);
  const leastNeeded = (subset) => without(subset).reduce((best, one) => (one[0] > best[0] ? one : best))[1];
  const mostNeeded = (subset) => without(subset).reduce((best, one) => (one[0] < best[0] ? one : best))[1];

  let pointed = -1;
  const point = (head) => {
    pointed = head;
    update();
  };
  const pickNetwork = radios("network", networks, (i) => model.set("network", i));
  const pickSentence = radios("sentence", sentences.map(({ label }) => label), (i) => model.set("sentence", i));
  const choices = h("div", { class: "choices" }, networks.length > 1 ? pickNetwork.element : null, sentences.length > 1 ? pickSentence.element : null);

  const hint = h("p", { class: "hint label" }, "Press a head to prune it; press again to put it back. Beneath each stands the share of right answers after the press.");
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  const all = button("keep all", () => set(everything));
  const none = button("prune all", () => set(0));
  const least = button("prune the least needed", () => set(model.get("kept") ^ (1 << leastNeeded(model.get("kept")))));
  const most = button("which is needed most?", () => point(mostNeeded(model.get("kept"))));

  const count = h("p", { class: "count number" });
  const bar = h("div", { class: "bar", "aria-hidden": "true" }, h("span", {}), h("i", {}));
  const guess = h("p", { class: "guess", "aria-hidden": "true" }, "a guess: ½");

  const tiles = Array.from({ length: total }, (_, head) => {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const told = h("span", { class: "told number" });
    const tile = h("button", { type: "button", class: "tile", onclick: () => set(model.get("kept") ^ (1 << head)) },
      h("span", { class: "name" }, `head ${(head % heads) + 1}`), " ", canvas, told);
    return { canvas, told, tile };
  });
  const grid = h("div", { class: "grid", role: "group", "aria-label": "Heads: press one to prune it, or to put it back" },
    ...[0, 1].map((layer) => h("div", { class: "line" }, h("span", { class: "label", "aria-hidden": "true" }, `layer ${layer + 1}`),
      h("div", { class: "tiles", role: "group", "aria-label": `layer ${layer + 1}`, style: `grid-template-columns:repeat(${heads},minmax(0,1fr))` }, ...tiles.slice(layer * heads, (layer + 1) * heads).map(({ tile }) => tile)))));

  const looks = h("p", { class: "looks label" });
  const words = h("p", { class: "words" });
  const answers = h("div", { class: "answers number", "aria-hidden": "true" });
  const status = h("p", { class: "status", role: "status" });
  const table = h("div", {});
  const details = h("details", { ontoggle: () => draw() }, h("summary", {}, "Greedy pruning as a table"), table);
  root.append(h("div", { class: "widget" },
    choices, h("div", { class: "result" }, count, h("div", {}, bar, guess)),
    hint, grid, h("div", { class: "controls" }, most, least, none, all), looks, words, answers, status, details));

  /** The weights of a head, n × n; those of layer 2 depend on what layer 1 still hands over. */
  function weights(head) {
    const [network, sentence] = [model.get("network"), model.get("sentence")];
    return head < heads
      ? first.at(network, sentence, head)
      : second.at(network, sentence, model.get("kept") % 2 ** heads, head - heads);
  }

  function drawTiles(kept) {
    tiles.forEach(({ canvas, told, tile }, head) => {
      const on = (kept >> head) & 1;
      const other = measuredWith(kept ^ (1 << head));
      tile.setAttribute("aria-pressed", String(Boolean(on)));
      tile.classList.toggle("off", !on);
      tile.classList.toggle("pointed", head === pointed);
      told.textContent = `${on ? "without" : "with"} ${two(other)}`;
      const matrix = weights(head);
      const rows = Array.from({ length: n }, (_, i) => matrix.subarray(i * n, (i + 1) * n));
      paintMatrix(canvas, rows, { softmax: true, colours, masked: () => false });
    });
  }

  /** How much the pronoun looks at each word in layer 2, on average over the heads that are kept there. */
  function pronounLooks(kept) {
    const { pronoun } = sentences[model.get("sentence")];
    const of = keptHeads(kept).filter((head) => head >= heads);
    return Array.from({ length: n }, (_, j) => of.reduce((sum, head) => sum + weights(head)[pronoun * n + j], 0) / Math.max(1, of.length));
  }

  function drawSentence(kept) {
    const told = sentences[model.get("sentence")];
    const kinds = { [told.pronoun]: "pronoun", [Math.min(told.right, told.wrong)]: "first", [Math.max(told.right, told.wrong)]: "second" };
    const shares = pronounLooks(kept);
    looks.textContent = `Where “${told.words[told.pronoun]}” looks, mean of the heads kept in layer 2${kept >> heads ? "" : ": none is kept"}`;
    words.replaceChildren(...told.words.flatMap((word, j) => [
      h("span", { class: `word ${kinds[j] ?? ""}` }, word, h("i", { style: `width:${Math.round(100 * shares[j])}%`, "aria-hidden": "true" })), " "]));
    const share = 1 / (1 + Math.exp(-odds.at(model.get("network"), model.get("sentence"))[kept]));
    answers.replaceChildren(...[[told.right, share], [told.wrong, 1 - share]].sort((a, b) => a[0] - b[0]).flatMap(([at, part]) => [
      h("span", { class: kinds[at] }, told.words[at]),
      h("span", { class: "part" }, h("span", { class: `fill ${kinds[at]}`, style: `width:${100 * part}%` })),
      h("span", {}, two(part))]));
    return `“${told.words[told.pronoun]}” is the ${told.words[share > 0.5 ? told.right : told.wrong]} (${two(Math.max(share, 1 - share))}), which is ${share > 0.5 ? "right" : "wrong"}.`;
  }

  function say(kept, answer) {
    const lost = keptHeads(everything ^ kept);
    const list = lost.length === 0 ? "Nothing is pruned."
      : lost.length > heads ? `Kept: ${keptHeads(kept).map(name).join("; ") || "nothing"}.` : `Pruned: ${lost.map(name).join("; ")}.`;
    const needed = pointed < 0 ? "" : ` Needed most: ${name(pointed)}; without it ${right(kept ^ (1 << pointed))} of ${measured} are right.`;
    status.textContent = `${right(kept)} of ${measured} right. ${list}${needed} Here, ${answer}`;
  }

  function fillTable() {
    const rows = [];
    for (let kept = everything; ; ) {
      const size = bits(kept);
      let best = kept;
      for (let subset = 0; subset <= everything; subset++) if (bits(subset) === size && measuredWith(subset) > measuredWith(best)) best = subset;
      const head = size ? leastNeeded(kept) : -1;
      rows.push([size, two(measuredWith(kept)), two(measuredWith(best)), size ? name(head) : "–"]);
      if (!size) break;
      kept ^= 1 << head;
    }
    const th = (text) => h("th", { scope: "col" }, text);
    table.replaceChildren(h("table", {},
      h("caption", {}, `From all heads, always the head that is missed least: share right of ${measured}`),
      h("thead", {}, h("tr", {}, th("heads"), th("right"), th("best choice"), th("pruned next"))),
      h("tbody", {}, ...rows.map(([size, ...cells]) => h("tr", {}, h("th", { scope: "row" }, String(size)), ...cells.map((cell) => h("td", { class: "number" }, cell)))))));
  }

  function draw() {
    const kept = model.get("kept");
    if (!((kept >> pointed) & 1)) pointed = -1;
    pickNetwork.select(model.get("network"));
    pickSentence.select(model.get("sentence"));
    least.disabled = most.disabled = none.disabled = !kept;
    all.disabled = kept === everything;
    count.replaceChildren(h("strong", {}, `${right(kept)} of ${measured}`), ` right with ${bits(kept)} of ${total} heads`);
    bar.firstChild.style.width = `${100 * measuredWith(kept)}%`;
    drawTiles(kept);
    say(kept, drawSentence(kept));
    if (details.open) fillTable();
  }

  const update = soon(root, draw);
  for (const trait of ["kept", "network", "sentence"]) {
    model.on(`change:${trait}`, () => {
      pointed = -1;
      update();
    });
  }
  onTheme((next) => {
    colours = next;
    draw();
  });
});
