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
  let largest = -Infinity;
  for (const score of row) if (score > largest) largest = score;
  if (largest === -Infinity) return row.fill(0);
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j] = Math.exp((row[j] - largest) / temperature);
  for (let j = 0; j < row.length; j++) row[j] /= sum;
  return row;
}
