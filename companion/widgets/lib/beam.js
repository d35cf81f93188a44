/** Beam search as companion/beam.py has it (a browser test compares them), over any model that can be asked. */

export const PENALTIES = {
  gnmt: (length, alpha) => ((5 + length) / 6) ** alpha,
  power: (length, alpha) => length ** alpha,
};

/**
 * Searches for the likeliest texts. `next(texts)` resolves to {tokens, odds} for each: the likeliest next tokens and
 * their log-probabilities, at least as many as width · (ends + 1), likeliest first. Resolves to one level a step:
 * {nodes, found}. A node is {level, place, parent (a node or null), token, odds, total, score, fate}, likeliest first;
 * `found` are the nodes that are hypotheses so far, best first.
 */
export async function search(next, { ends, width, longest, alpha, penalty }) {
  const score = (total, length) => total / PENALTIES[penalty](length, alpha);
  const most = width * (ends.length + 1);
  const levels = [];
  let beginnings = [null];
  let found = [];
  for (let length = 1; length <= longest; length++) {
    const answers = await next(beginnings.map(textOf));
    const nodes = likeliest(beginnings, answers, most);
    let kept = 0;
    nodes.forEach((node, place) => {
      const first = place < width;
      if (ends.includes(node.token)) node.fate = first ? "ended" : "pruned";
      else if (length === longest) node.fate = first ? "cut" : "pruned";
      else node.fate = kept < width ? "kept" : "pruned";
      kept += node.fate === "kept";
      Object.assign(node, { level: length - 1, place, score: score(node.total, length) });
    });
    const done = nodes.filter(({ fate }) => fate === "ended" || fate === "cut");
    found = [...found, ...done].sort((a, b) => b.score - a.score).slice(0, width); // of equals, the earlier stays first
    levels.push({ nodes, found });
    beginnings = nodes.filter(({ fate }) => fate === "kept");
    if (!beginnings.length) break;
    const [{ total }] = beginnings;
    const best = Math.max(score(total, length + 1), score(total, longest));
    if (found.length === width && !(best > found[width - 1].score)) break; // nothing could still become better
  }
  return levels;
}

/** All that continues the beginnings, likeliest first; of equals, the earlier beginning and the likelier token. */
function likeliest(beginnings, answers, most) {
  const nodes = answers.flatMap(({ tokens, odds }, i) => {
    const parent = beginnings[i];
    const above = parent ? parent.total : 0;
    return [...odds].slice(0, most).map((own, k) => ({ parent, token: tokens[k], odds: own, total: above + own }));
  });
  return nodes.filter(({ total }) => total > -Infinity).sort((a, b) => b.total - a.total).slice(0, most);
}

/** The nodes from the first token to this one. */
export function pathTo(node) {
  const path = [];
  for (let at = node; at; at = at.parent) path.unshift(at);
  return path;
}

export const textOf = (node) => pathTo(node).map(({ token }) => token);

/**
 * `next` of a table: rows of [beginning without its last token (a row, or −1), last token], next tokens (−1: none) and
 * their log-probabilities, each an array as readArray gives it; `first` is the row of the empty text.
 */
export function fromTable({ rows, tokens, odds, first }) {
  const places = new Map();
  for (let row = 0; row < rows.shape[0]; row++) places.set(rows.at(row).join(), row);
  const answer = (text) => {
    let row = first;
    for (const token of text) row = places.get(`${row},${token}`);
    return { tokens: tokens.at(row), odds: odds.at(row) };
  };
  return async (texts) => texts.map(answer);
}
