/** Asks the translator what comes next, as companion/models/translator/graph.py answers; for `search` of lib/beam.js. */
import { Unanswered } from "./live.js";

/** The likeliest tokens and their log-probabilities, likeliest first; of equals, the lower number. */
export function likeliest(logits, most) {
  let top = -Infinity;
  for (const x of logits) top = Math.max(top, x);
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - top);
  const best = [];
  for (let token = 0; token < logits.length; token++) {
    if (best.length === most && !(logits[token] > logits[best[most - 1]])) continue;
    let at = best.length;
    while (at && logits[token] > logits[best[at - 1]]) at--;
    best.splice(at, 0, token);
    best.length = Math.min(best.length, most);
  }
  return { tokens: best, odds: best.map((token) => logits[token] - top - Math.log(sum)) };
}

/**
 * Reads a caption: `ids` are its tokens. Returns {next, longest, looks}: `longest` is how many tokens a text may have; `next(texts)` as `search` asks it, each text once and after
 * the shorter ones that it continues; `looks(text)` tells how much each of its tokens looked at each of the caption's and its end.
 */
export function readCaption(ask, ids, most, { layers, heads, d_k: dK, end, looked, more, longest }, onProgress) {
  const room = longest - more;
  if (ids.length > room) throw new Unanswered(`That is ${ids.length} tokens; it reads at most ${room}.`);
  const source = [...ids, end];
  const known = new Map(); // by text: {keys, values} (of each layer, of all its tokens but the last) and what was looked at then

  /** Of each layer, the numbers of these texts one after the other. */
  const gathered = (texts, part, size) => {
    const data = new Float32Array(layers * texts.length * size);
    texts.forEach((text, row) => {
      if (!text.length) return;
      known.get(text.slice(0, -1).join())[part].forEach((own, layer) => data.set(own, (layer * texts.length + row) * size));
    });
    return { dtype: "float32", shape: [layers, texts.length, heads, size / heads / dK, dK], data };
  };

  async function next(texts) {
    const size = heads * texts[0].length * dK;
    const last = texts.map((text) => text.at(-1) ?? end);
    const { logits, weights, keys, values } = await ask({
      source: { dtype: "int64", shape: [1, source.length], data: BigInt64Array.from(source, BigInt) },
      tokens: { dtype: "int64", shape: [texts.length], data: BigInt64Array.from(last, BigInt) },
      past_keys: gathered(texts, "keys", size), past_values: gathered(texts, "values", size),
    }, onProgress);
    const now = heads * (texts[0].length + 1) * dK;
    const vocabulary = logits.shape[1];
    return texts.map((text, row) => {
      const ofLayers = ({ data }) => Array.from({ length: layers }, (_, layer) => data.slice((layer * texts.length + row) * now, (layer * texts.length + row + 1) * now));
      const look = new Float64Array(source.length);
      for (let head = 0; head < heads; head++) {
        const from = ((row * layers + looked) * heads + head) * source.length;
        for (let j = 0; j < source.length; j++) look[j] += weights.data[from + j] / heads;
      }
      known.set(text.join(), { keys: ofLayers(keys), values: ofLayers(values), look });
      return likeliest(logits.data.subarray(row * vocabulary, (row + 1) * vocabulary), most);
    });
  }

  return { next, longest: Math.min(longest, ids.length + 1 + more), looks: (text) => text.map((_, i) => known.get(text.slice(0, i).join()).look) };
}

/** `next` that asks for each text once: beams of other widths, and other penalties, come through many of the same. */
export function remembered(next) {
  const known = new Map(); // promises
  return async (texts) => {
    const fresh = texts.filter((text) => !known.has(text.join()));
    if (fresh.length) {
      const answers = next(fresh);
      fresh.forEach((text, i) => known.set(text.join(), answers.then((all) => all[i])));
      answers.catch(() => fresh.forEach((text) => known.delete(text.join()))); // it may be asked again
    }
    return Promise.all(texts.map((text) => known.get(text.join())));
  };
}
