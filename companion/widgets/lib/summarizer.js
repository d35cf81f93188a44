/** Writes a summary token by token, as companion/models/summarizer/ask.py does (a browser test holds it to that). */
import { byteLength } from "./byte_pieces.js";
import { Unanswered } from "./live.js";

/**
 * `write(text, heard)` reads a dialogue and calls `heard({lengths, ids, sources, ended})` with each token it adds:
 * `lengths` are the byte lengths of the dialogue's pieces, `sources[i]` how much the last layer, on average over its
 * heads, looked at each of them when it wrote token i. `heard` returns false to stop.
 */
export function writer({ ask, encode, names, separator, end, most, longest, layers, heads, dK }) {
  return async (text, heard, onProgress) => {
    const { ids: given } = await encode(text);
    const room = longest - most - 1;
    if (given.length > room) throw new Unanswered(`That is ${given.length} tokens; it reads at most ${room}.`);
    const lengths = given.map((id) => byteLength(names[id]));
    const [ids, sources] = [[], []];
    const empty = { dtype: "float32", shape: [layers, heads, 0, dK], data: new Float32Array(0) };
    let cache = { keys: empty, values: empty };
    let next = [...given, separator];
    while (ids.length < most) {
      const { logits, weights, keys, values } = await ask({
        tokens: { dtype: "int64", shape: [1, next.length], data: BigInt64Array.from(next, BigInt) },
        at: { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(next.length - 1)) },
        past_keys: cache.keys, past_values: cache.values,
      }, onProgress);
      const token = largest(logits);
      if (token === end) return heard({ lengths, ids, sources, ended: true });
      ids.push(token);
      sources.push(looks(weights, given.length));
      if (heard({ lengths, ids, sources, ended: false }) === false) return;
      cache = { keys, values };
      next = [token];
    }
  };
}

/** The likeliest token by the last stage's logits. */
function largest({ shape, data }) {
  const last = data.subarray(data.length - shape[2]);
  let best = 0;
  for (let i = 1; i < last.length; i++) if (last[i] > last[best]) best = i;
  return best;
}

/** What the last layer's heads, on average, looked at among the first n tokens. */
function looks({ shape: [layers, heads, , all], data }, n) {
  const sums = new Float32Array(n);
  for (let head = 0; head < heads; head++) {
    const row = data.subarray(((layers - 1) * heads + head) * all);
    for (let j = 0; j < n; j++) sums[j] += row[j] / heads;
  }
  return sums;
}
