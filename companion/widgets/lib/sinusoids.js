/**
 * The sinusoidal encoding in closed form (Vaswani et al. 2017, section 3.5), as companion/positional.py has it;
 * a browser test compares the two. A pair is two dimensions that turn together.
 */

/** How far each pair turns from one position to the next, in radians. */
export function frequencies(dModel, base, layout) {
  const pairs = dModel / 2;
  const steps = layout === "paper" ? pairs : Math.max(1, pairs - 1);
  return Float64Array.from({ length: pairs }, (_, pair) => base ** (-pair / steps));
}

/** Which pair a dimension belongs to, and whether it holds the sine or the cosine. */
export function place(dimension, dModel, layout) {
  if (layout === "paper") return { pair: dimension >> 1, wave: dimension % 2 ? "cos" : "sin" };
  const pairs = dModel / 2;
  return { pair: dimension % pairs, wave: dimension < pairs ? "sin" : "cos" };
}

/** One entry of the encoding; the position need not be whole. */
export function entry(position, dimension, { dModel, layout, turns }) {
  const { pair, wave } = place(dimension, dModel, layout);
  return Math[wave](position * turns[pair]);
}

/** The dot product of two encodings that stand `distance` apart. */
export const product = (distance, turns) => turns.reduce((sum, turn) => sum + Math.cos(distance * turn), 0);
