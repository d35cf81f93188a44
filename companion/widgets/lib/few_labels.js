/** Softmax regression as companion/few_labels.py has it (a browser test compares probabilities). */
const DECAY = 0.03;
const STEPS = 40;

/** A vector with a 1 behind it, for the bias. */
export const withOne = (vector) => Float64Array.of(...vector, 1);

/**
 * Learns to sort vectors with a 1 behind them. Descent from zero never leaves the span of these: each class's weights
 * are a mix of them, and a step costs n² multiplications a class, with few labels less than n times their length.
 * Returns for each class its weights, the bias last.
 */
export function softmaxRegression(vectors, labels, classes) {
  const n = vectors.length;
  const products = vectors.map((one) => Float64Array.from(vectors, (other) => dot(one, other)));
  const step = 1 / (Math.max(...products.map((row, i) => row[i])) / 2 + DECAY);
  const mix = Array.from({ length: classes }, () => new Float64Array(n));
  const wrong = Array.from({ length: n }, () => new Float64Array(classes)); // what is given, less what is wanted
  for (let at = 0; at < STEPS; at++) {
    for (let i = 0; i < n; i++) softmax(mix, products[i], wrong[i])[labels[i]] -= 1;
    for (let c = 0; c < classes; c++) {
      for (let i = 0; i < n; i++) mix[c][i] -= step * (wrong[i][c] / n + DECAY * mix[c][i]);
    }
  }
  return mix.map((shares) => {
    const weights = new Float64Array(vectors[0].length);
    vectors.forEach((vector, i) => {
      for (let j = 0; j < weights.length; j++) weights[j] += shares[i] * vector[j];
    });
    return weights;
  });
}

/** How likely a vector with a 1 behind it is of each class. */
export const probabilities = (weights, vector) => softmax(weights, vector, new Float64Array(weights.length));

/** Writes the softmax of the products of a vector with each row into `shares`, and returns it. */
function softmax(rows, vector, shares) {
  let [most, total] = [-Infinity, 0];
  for (let c = 0; c < shares.length; c++) most = Math.max(most, (shares[c] = dot(rows[c], vector)));
  for (let c = 0; c < shares.length; c++) total += shares[c] = Math.exp(shares[c] - most);
  for (let c = 0; c < shares.length; c++) shares[c] /= total;
  return shares;
}

function dot(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i] * other[i];
  return sum;
}
