/** From text to words and their numbers: companion/models/resolver/words.py, word for word (a test compares them). */
const SPACE = " \\t\\n\\r\\f\\v\\u00a0";
const AROUND = ".,;:!?\"'“”‘()\\[\\]…–—\\-";
const WORD = new RegExp(`[^${SPACE}${AROUND}](?:[^${SPACE}]*[^${SPACE}${AROUND}])?`, "gu");

export const tokenize = (text) =>
  text.replace(/[A-Z’]/g, (letter) => (letter === "’" ? "'" : letter.toLowerCase())).match(WORD) ?? [];

/** Up to `most` words of the vocabulary that look like `word`: those it begins, then those few letters away. */
export function suggest(word, vocabulary, most = 6) {
  const begun = vocabulary.filter((known) => known.startsWith(word));
  const near = vocabulary
    .filter((known) => !begun.includes(known))
    .map((known) => [distance(word, known), known])
    .filter(([d, known]) => d <= Math.max(1, Math.min(word.length, known.length) / 2.5))
    .sort((a, b) => a[0] - b[0])
    .map(([, known]) => known);
  return [...begun, ...near].slice(0, most);
}

/** Letters put in, left out, changed, or swapped with their neighbour; words of very different length are far apart. */
function distance(one, other) {
  if (Math.abs(one.length - other.length) > 3) return Infinity;
  const rows = [Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= other.length; j++) {
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      rows[i][j] = Math.min(
        rows[i][j - 1] + 1, rows[i - 1][j] + 1, rows[i - 1][j - 1] + (one[i - 1] !== other[j - 1]),
        swapped ? rows[i - 2][j - 2] + 1 : Infinity);
    }
  }
  return rows[one.length][other.length];
}
