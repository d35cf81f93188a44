/** Extractive question answering on the page, as companion/question_answering.py and companion/models/reader do it. */
const CLS = 0; // its place, which stands for "no answer"

/**
 * Puts a question and a text together: [CLS] question [SEP] text [SEP]. `cut(text)` gives pieces {id, start, end};
 * returns {ids, segments, begin, pieces}: the pieces are those of the text, the first of them at place `begin`.
 */
export function joined(cut, question, text, { cls, sep }) {
  const asked = cut(question).map(({ id }) => id);
  const pieces = cut(text);
  const begin = asked.length + 2;
  const ids = [cls, ...asked, sep, ...pieces.map(({ id }) => id), sep];
  return { ids, segments: ids.map((_, i) => Number(i >= begin)), begin, pieces };
}

/** The span of `count` pieces from `begin` on with the highest sum of logits; it does not end before it begins. */
export function bestSpan(start, end, begin, count, longest) {
  let best = { first: -1, last: -1, score: -Infinity };
  for (let i = begin; i < begin + count; i++) {
    for (let j = i; j < Math.min(begin + count, i + longest); j++) {
      const score = start[i] + end[j];
      if (score > best.score) best = { first: i - begin, last: j - begin, score };
    }
  }
  return { ...best, none: start[CLS] + end[CLS] };
}

/** Probabilities of logits. */
export function softmax(logits) {
  const top = Math.max(...logits);
  const powers = Array.from(logits, (x) => Math.exp(x - top));
  const sum = powers.reduce((all, x) => all + x, 0);
  return powers.map((x) => x / sum);
}

/** `read(ids, segments, onProgress)` asks the model and resolves to {start, end}, logits of each token. */
export function spanAsker(ask) {
  return async (ids, segments, onProgress) => {
    const given = (list) => ({ dtype: "int64", shape: [1, list.length], data: BigInt64Array.from(list, BigInt) });
    const { start, end } = await ask({ tokens: given(ids), segments: given(segments) }, onProgress);
    return { start: start.data, end: end.data };
  };
}
