/**
 * What can travel where through several layers that share one mask; pinned by a browser test to
 * companion.masks. A mask is a list of texts of 0 and 1, one for each query. `square` says that a layer
 * looks at what the layer before it wrote (self-attention), not at another sentence.
 */
const open = (rows, i, j, square) => rows[i][j] === "1" || (square && i === j); // a residual keeps what was known

/** For one query: the positions lit in each layer, from the words (first) to the query's own layer (last). */
export function litLayers(rows, query, layers, square = true) {
  const lit = [new Set([query])];
  for (let layer = layers; layer > 0; layer--) {
    const below = new Set();
    for (const i of lit[0]) [...rows[i]].forEach((_, j) => open(rows, i, j, square) && below.add(j));
    lit.unshift(below);
  }
  return lit;
}

/** The shortest way by which a query can learn of a later word, as positions from that word to the query; or null. */
export function leakOf(rows, query, layers) {
  let ways = [[query]];
  const met = new Set([query]);
  for (let layer = 0; layer < layers; layer++) {
    const longer = [];
    for (const way of ways) {
      for (let j = 0; j < rows.length; j++) {
        if (met.has(j) || rows[way[0]][j] !== "1") continue;
        met.add(j);
        if (j > query) return [j, ...way];
        longer.push([j, ...way]);
      }
    }
    ways = longer;
  }
  return null;
}

const PITCH = 40;
const NS = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * The layers above one another, words at the bottom; what leads to the query's top node is lit. Links that look ahead,
 * and words that come later than the query, are drawn in another colour and shape. Returns an <svg>.
 */
export function drawLayers({ rows, query, layers, square, queries, keys }) {
  const lit = litLayers(rows, query, layers, square);
  const columns = Math.max(queries.length, keys.length);
  const height = 34 * queries.length;
  const left = 56;
  const x = (j) => left + (j + 0.5) * PITCH;
  const y = (layer) => 12 + (height - 24) * (1 - layer / layers);
  const links = [];
  const nodes = [];
  for (let layer = layers; layer > 0; layer--) {
    for (const i of lit[layer]) {
      for (const j of lit[layer - 1]) {
        if (!open(rows, i, j, square)) continue;
        const kind = rows[i][j] !== "1" ? "link kept" : square && j > i ? "link ahead" : "link";
        links.push(svg("line", { class: kind, x1: x(i), y1: y(layer), x2: x(j), y2: y(layer - 1) }));
      }
    }
  }
  for (let layer = 0; layer <= layers; layer++) {
    const words = layer === 0 ? keys : queries;
    words.forEach((_, j) => {
      const late = square && j > query;
      const on = lit[layer].has(j);
      nodes.push(svg("rect", {
        class: `node${on ? " lit" : ""}${on && late ? " late" : ""}`, "data-layer": layer, "data-column": j,
        x: x(j) - 7, y: y(layer) - 7, width: 14, height: 14, rx: late ? 2 : 7,
      }));
    });
    const name = !square ? ["source", "target"][layer] : layer ? `layer ${layer}` : "words";
    nodes.push(svg("text", { class: "level", x: 0, y: y(layer) + 4 }, name));
  }
  const labels = keys.map((word, j) => {
    const state = lit[0].has(j) ? (square && j > query ? "lit late" : "lit") : "";
    return svg("text", { class: `word ${state}`, transform: `translate(${x(j) - 4} ${height + 12}) rotate(40)` }, word);
  });
  const top = svg("circle", { class: "top", cx: x(query), cy: y(layers), r: 11 });
  const width = left + columns * PITCH + 18;
  return svg("svg", { viewBox: `0 0 ${width} ${height + 62}`, style: `max-width:${width}px`, "aria-hidden": "true" },
    ...links, ...nodes, top, ...labels);
}
