import { rowSteps } from "./attention.js";

/** softmax(scores / temperature); at temperature 0 its limit: all of it at the best score, shared where several are best. */
export function lookUp(scores, temperature) {
  if (temperature > 0) return rowSteps(scores, { divisor: 1, allowed: () => true, softmax: true, temperature });
  const best = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  const n = scores.filter((score) => score === best).length;
  return scores.map((score) => (score === best ? 1 / n : 0));
}
