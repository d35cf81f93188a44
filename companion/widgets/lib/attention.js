/**
 * The steps after QKᵀ, for one row, in the order of scaled dot-product attention; pinned by a browser test
 * to companion.attention. `scores` is a row of QKᵀ; `allowed(j)` says whether position j may be looked at.
 * Returns a Float32Array: weights if `softmax`, else scores (hidden positions −Infinity).
 */
export function rowSteps(scores, { divisor, allowed, softmax, temperature }) {
  const row = scores.map((score, j) => (allowed(j) ? score / divisor : -Infinity));
  return softmax ? softmaxRow(row, temperature) : row;
}

/** softmax(row / temperature); a fully masked row has no weights: all zero. */
function softmaxRow(row, temperature) {
  const largest = Math.max(...row);
  if (largest === -Infinity) return row.fill(0);
  const powers = row.map((score) => Math.exp((score - largest) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
