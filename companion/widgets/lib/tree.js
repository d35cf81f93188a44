import { h, put, renew } from "./dom.js";

export const [COLUMN, ROW, LEFT] = [118, 46, 22]; // pixels of a column, a row, and what is left of the first
const [WIDE, HIGH] = [98, 40]; // of a node
const NS = "http://www.w3.org/2000/svg";
const KINDS = ["pruned", "kept", "path"];

const svg = (tag, attributes) => {
  const element = document.createElementNS(NS, tag);
  put(element, attributes);
  return element;
};
const x = (level) => LEFT + level * COLUMN;
const y = (place) => place * ROW + HIGH / 2 + 1;

/** A word, with a space before it that is seen, and not read out. */
export const spacedWord = (word, space) => [space ? h("small", { class: "space", "aria-hidden": "true" }, "␣") : null, word];

/** A line from a node, or the start, to the one that continues it. */
function edge({ level, place, parent }) {
  const [from, to] = [level ? x(level - 1) + WIDE : 11, x(level)];
  const middle = (from + to) / 2;
  const [above, below] = [y(parent ? parent.place : 0), y(place)];
  return `M${from} ${above}C${middle} ${above} ${middle} ${below} ${to} ${below}`;
}

/**
 * The nodes of a search, in columns, one a step. `draw(levels, shown, path, describe)` shows the first `shown` levels, and
 * marks a path of nodes; `describe(node)` gives {word, space (whether one before it is to be seen), numbers: [left, right], said},
 * the last for a screen reader. `onPick(node)` hears the reader.
 * The whole tree is one stop of the Tab key; arrow keys go to the node above or below, to the one before, to one behind.
 */
export function tree(onPick) {
  const lines = Object.fromEntries(KINDS.map((kind) => [kind, svg("path", { class: kind })]));
  const drawing = svg("svg", { "aria-hidden": "true" });
  drawing.append(...Object.values(lines), svg("circle", { cx: 8, cy: y(0), r: 5 }));
  const inner = h("div", { class: "tree", role: "group", "aria-label": "The tree, one column a step. Arrow keys walk along it.", onclick: pick, onkeydown: walk }, drawing);
  const element = h("div", { class: "scroller" }, inner);
  const boxes = new Map(); // those that were ever needed, by place
  let nodes = new Map();
  let [active, seen, visible] = ["", {}, 0];
  const watcher = new ResizeObserver(([entry]) => (visible = entry.contentRect.width));
  watcher.observe(element);

  const key = ({ level, place }) => `${level},${place}`;

  function box(node) {
    const at = key(node);
    if (boxes.has(at)) return boxes.get(at);
    const [word, left, right, said] = [h("span", { class: "word" }), h("span"), h("span"), h("span", { class: "said" })];
    const button = h("button", {
      type: "button", class: "node", "data-at": at, tabindex: "-1", style: `left:${x(node.level)}px;top:${y(node.place) - HIGH / 2}px`,
    }, word, h("span", { class: "number" }, left, right), said);
    const made = { button, word, left, right, said };
    boxes.set(at, made);
    inner.append(button);
    return made;
  }

  function pick({ target }) {
    const button = target.closest("button");
    if (!button) return;
    setActive(button.dataset.at);
    onPick(nodes.get(button.dataset.at));
  }

  function setActive(at) {
    boxes.get(active)?.button.setAttribute("tabindex", "-1");
    active = at;
    boxes.get(active)?.button.setAttribute("tabindex", "0");
  }

  function walk(event) {
    const node = nodes.get(active);
    const go = {
      ArrowUp: () => nodes.get(`${node.level},${node.place - 1}`),
      ArrowDown: () => nodes.get(`${node.level},${node.place + 1}`),
      ArrowLeft: () => node.parent,
      ArrowRight: () => [...nodes.values()].find(({ parent }) => parent === node),
    }[event.key];
    if (!go || !node) return;
    event.preventDefault();
    const to = go();
    if (!to) return;
    setActive(key(to));
    boxes.get(active).button.focus();
  }

  function draw(levels, shown, path, describe) {
    nodes = new Map(levels.slice(0, shown).flatMap((level) => level.nodes.map((node) => [key(node), node])));
    for (const [at, { button }] of boxes) if (!nodes.has(at) && !button.hidden) button.hidden = true;
    const paths = { pruned: "", kept: "", path: "" };
    for (const node of nodes.values()) {
      const made = box(node);
      const { word, space, numbers, said } = describe(node);
      const on = path.includes(node);
      paths[on ? "path" : node.fate === "pruned" ? "pruned" : "kept"] += edge(node);
      if (made.button.hidden) made.button.hidden = false;
      const looks = [word, space, ...numbers, node.total, said, on].join();
      if (made.looks === looks) continue; // most stay as they are, and looking at each part takes time
      made.looks = looks;
      put(made.button, { class: on ? `node ${node.fate} path` : `node ${node.fate}`, "aria-pressed": on, "data-exact": node.total });
      renew(made.word, ...spacedWord(word, space));
      renew(made.left, numbers[0]);
      renew(made.right, numbers[1]);
      renew(made.said, said);
    }
    for (const kind of KINDS) put(lines[kind], { d: paths[kind] });
    const most = Math.max(1, ...levels.map((level) => level.nodes.length));
    put(inner, { style: `width:${x(levels.length)}px;height:${most * ROW - 4}px` });
    if (!nodes.has(active) && nodes.size) setActive(key(path.at(-1) ?? nodes.values().next().value));
    // Another text is shown from its start; a step that is taken is brought into view.
    const begins = levels[0]?.nodes[0].token;
    if (begins !== seen.begins) element.scrollLeft = 0;
    else if (levels === seen.levels && shown !== seen.shown) element.scrollLeft = Math.max(0, x(shown) - visible);
    seen = { levels, shown, begins };
  }

  return { element, draw, stop: () => watcher.disconnect() };
}
