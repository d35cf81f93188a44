/** What may be drawn, as companion/decoding.py has it (a browser test compares them). */

const ROUNDING = 1e-6; // as there: mass so close to p reaches it
const TINY = 1.1754943508222875e-38; // below the smallest normal float32 a temperature is 0

/** Tokens by their logits, likeliest first; of equals, the lower number. */
export const ranked = (logits) => Array.from(logits, (_, token) => token).sort((a, b) => logits[b] - logits[a] || a - b);

/**
 * Divides by a temperature, keeps the k likeliest (all, if k is 0), then the nucleus of mass p. `order` as by `ranked`.
 * Returns {plain, odds, kept}: the model's own probabilities of the tokens, those to draw with, and how many are left.
 */
export function shaped(logits, order, { temperature, k, p }) {
  const first = logits[order[0]];
  const fraction = (divisor) => (token) => Math.exp(Math.fround(Math.fround(logits[token] - first) / divisor));
  const plain = normal(order, order.length, fraction(1), logits.length);
  let kept = k ? Math.min(k, order.length) : order.length;
  if (temperature < TINY) kept = 1;
  const likely = kept === 1 ? () => 1 : fraction(Math.fround(temperature));
  const odds = normal(order, kept, likely, logits.length);
  if (p === 1) return { plain, odds, kept };
  let mass = 0; // of the tokens that are likelier
  let nucleus = 0;
  while (nucleus < kept && (nucleus === 0 || mass < p - ROUNDING)) mass += odds[order[nucleus++]];
  return { plain, odds: normal(order, nucleus, likely, logits.length), kept: nucleus };
}

/** Shares of the first so many tokens, by token; the others have none. */
function normal(order, kept, likely, length) {
  const odds = new Float64Array(length);
  let sum = 0;
  for (let i = 0; i < kept; i++) sum += odds[order[i]] = likely(order[i]);
  for (let i = 0; i < kept; i++) odds[order[i]] /= sum;
  return odds;
}

/** Numbers from 0 to 1, the same for the same seed (the generator mulberry32). */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/** Draws so many tokens: {counts by token, last}. A number falls into the share of a token; likeliest tokens come first. */
export function drawn(odds, order, seed, draws) {
  const next = numbers(seed);
  const counts = new Map();
  let last;
  for (let i = 0; i < draws; i++) {
    let left = next();
    last = order.find((token) => (left -= odds[token]) < 0) ?? order.findLast((token) => odds[token] > 0);
    counts.set(last, (counts.get(last) ?? 0) + 1);
  }
  return { counts, last };
}
