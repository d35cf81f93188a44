/** Goes on with a dialogue as companion/models/chatbot/ask.py does (a browser test holds it to that). */
import { join, wordsOf } from "./byte_pieces.js";

const LIKELY = 5; // how many tokens are told of each place

/** A turn as the model reads it. */
export const line = ({ speaker, text }) => `${`${speaker} ${text}`.trim()}\n`;

/** What a reader typed, on one line; control characters are none of a line. */
export const oneLine = (text) => text.replace(/[\s\p{Cc}]+/gu, " ").trim();

/** Of turns with so many tokens, which is the first that still fits: the last ones are kept, one at least. */
export function firstRead(lengths, room) {
  let first = lengths.length;
  for (let sum = 0; first > 0 && sum + lengths[first - 1] <= room; first--) sum += lengths[first - 1];
  return Math.min(first, Math.max(0, lengths.length - 1));
}

/** Softmax of the scores, divided by a temperature above 0. */
export function oddsOf(logits, temperature = 1) {
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const odds = Float64Array.from(logits, (x) => Math.exp((x - top) / temperature));
  const all = odds.reduce((a, b) => a + b, 0);
  return odds.map((x) => x / all);
}

/** The token that is said: at temperature 0 the likeliest, the first of several. */
export function choose(logits, temperature, random = Math.random) {
  if (temperature === 0) return logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity));
  const odds = oddsOf(logits, temperature);
  let left = random();
  let last = 0; // for a sum that rounding has left below 1
  for (let i = 0; i < odds.length; i++) {
    if (odds[i] === 0) continue;
    last = i;
    left -= odds[i];
    if (left < 0) return i;
  }
  return last;
}

/** The likeliest tokens, [[token, probability], …]. */
export const likeliest = (odds) =>
  [...odds.keys()].sort((a, b) => odds[b] - odds[a] || a - b).slice(0, LIKELY).map((id) => [id, odds[id]]);

/** How much the last token looked, in the layers with buckets, at each of the first n: the mean of all heads. */
export function looksOf({ shape: [layers, heads, all], data }, n) {
  const sums = new Float64Array(n);
  const rows = heads * Math.floor(layers / 2);
  for (let layer = 1; layer < layers; layer += 2) {
    for (let head = 0; head < heads; head++) {
      const row = data.subarray((layer * heads + head) * all);
      for (let j = 0; j < n; j++) sums[j] += row[j] / rows;
    }
  }
  return sums;
}

/** The words of a reply, each {text, from, first, last}: its first and last token, and a blank's before it. */
export function wordsIn(ids, names) {
  const whole = join(ids.map((id) => names[id]));
  const words = wordsOf(whole, ids.map((id) => [...names[id]].length));
  return words.map(({ start, stop, first, last }, i) => ({
    text: whole.slice(start, stop), from: i ? words[i - 1].last + 1 : 0, first, last: Math.min(last, ids.length - 1),
  }));
}

/**
 * What talks: `lengthOf(turn)` resolves to the number of its tokens, and `reply(turns, {temperature, rounds}, heard,
 * onProgress)` writes what the agent says next. `heard({given, text, ids, odds, likely, looks, ended})` hears of each
 * token (given: how many tokens were read; looks[i][t]: how much token i looked at turn t; odds: at temperature 1),
 * and once more at the end; it returns false to stop.
 */
export function talker({ ask, encode, names, sizes }) {
  const { layers, heads, d_k: dK, stops, most, longest, agent } = sizes;
  const known = new Map();
  const tokensOf = async (text) => {
    if (!known.has(text)) known.set(text, (await encode(text)).ids);
    return known.get(text);
  };

  async function read(turns) {
    const begun = await tokensOf(agent);
    const lines = await Promise.all(turns.map((turn) => tokensOf(line(turn))));
    const room = longest - most - begun.length;
    const first = firstRead(lines.map((each) => each.length), room);
    const kept = lines.slice(first).map((each) => each.slice(-room));
    return { first, kept, given: [...kept.flat(), ...begun] };
  }

  async function reply(turns, { temperature, rounds }, heard, onProgress) {
    const { first, kept, given } = await read(turns);
    const said = { given: given.length, text: "", ids: [], odds: [], likely: [], looks: [], ended: false };
    const empty = () => ({ dtype: "float32", shape: [layers, heads, 0, dK], data: new Float32Array(0) });
    let cache = { keys: empty(), values: empty() };
    let next = given;
    for (;;) {
      const { logits, weights, keys, values } = await ask({
        tokens: { dtype: "int64", shape: [1, next.length], data: BigInt64Array.from(next, BigInt) },
        rounds: { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(rounds)) },
        past_keys: cache.keys, past_values: cache.values,
      }, onProgress);
      const token = choose(logits.data, temperature);
      if (stops.includes(token) || said.ids.length === most) {
        heard({ ...said, ended: stops.includes(token), done: true });
        return;
      }
      const odds = oddsOf(logits.data);
      const looks = looksOf(weights, given.length);
      let at = 0;
      said.ids.push(token);
      said.text = join(said.ids.map((id) => names[id])).trim();
      said.odds.push(odds[token]);
      said.likely.push(likeliest(odds));
      said.looks.push([
        ...new Array(first).fill(0),
        ...kept.map(({ length }) => looks.subarray(at, (at += length)).reduce((a, b) => a + b, 0)),
      ]);
      if (heard({ ...said, done: false }) === false) return;
      cache = { keys, values };
      next = [token];
    }
  }

  return { reply, lengthOf: async (turn) => (await tokensOf(line(turn))).length };
}
