/**
 * What a reader of pronouns needs besides the network itself: which words a sentence has, and what the network's
 * arrays say of its two nouns. A browser test holds the scores to companion/scoring.py.
 */
import { tokenize } from "./word_list.js";

export const METHODS = ["naming", "attention", "substitution-full", "substitution-partial", "masked-lm"];

/** Why a sentence cannot be read: `message` for the reader, `unknown` the words that are not in the vocabulary. */
export class Unreadable extends Error {
  constructor(message, unknown = []) {
    super(message);
    this.unknown = unknown;
  }
}

/** A text as {words, pronoun, candidates}: the positions of its pronoun and its two nouns. Throws Unreadable. */
export function parse(text, { vocabulary, nouns, pronouns, longest }) {
  const words = tokenize(text);
  const most = longest - 1; // in the pronoun's place there will stand two words
  if (!words.length) throw new Unreadable("Write a sentence with it or they, and two nouns.");
  if (words.length > most) throw new Unreadable(`That is ${words.length} words; it reads at most ${most}.`);
  const unknown = [...new Set(words.filter((word) => !vocabulary.includes(word) || word.startsWith("<")))];
  if (unknown.length) throw new Unreadable(`It does not know ${unknown.slice(0, 3).map((word) => `“${short(word)}”`).join(", ")}${unknown.length > 3 ? ", …" : ""}.`, unknown);
  const found = words.flatMap((word, i) => (pronouns.includes(word) ? [i] : []));
  if (found.length !== 1) throw new Unreadable(`It needs one pronoun, it or they; here ${found.length ? `are ${found.length}` : "is none"}.`);
  const candidates = words.flatMap((word, i) => (nouns.includes(word) && words.indexOf(word) === i ? [i] : []));
  if (candidates.length !== 2) throw new Unreadable(`It chooses between two nouns; here ${candidates.length === 1 ? "is one" : `are ${candidates.length || "none"}`}.`);
  return { words, pronoun: found[0], candidates };
}

const short = (word) => (word.length > 24 ? `${word.slice(0, 23)}…` : word);

/**
 * Reads sentences with `ask` (see live.js). `read(sentence)` resolves to the sentence with `weights(variant, layer,
 * head)`, rows of n × n, and `scores[method][variant]` of naming and attention; `rescore(read, method)` to the same
 * of the methods that put another word in the pronoun's place.
 */
export function reader({ ask, vocabulary, variants }) {
  const number = new Map(vocabulary.map((word, i) => [word, i]));

  async function run(sentences, onProgress) {
    const n = Math.max(...sentences.map((words) => words.length));
    const tokens = new BigInt64Array(sentences.length * n); // zeros are padding
    sentences.forEach((words, row) => words.forEach((word, j) => (tokens[row * n + j] = BigInt(number.get(word)))));
    const { logits, weights } = await ask({ tokens: { dtype: "int64", shape: [sentences.length, n], data: tokens } }, onProgress);
    const size = vocabulary.length;
    const logProbability = (variant, row, at, word) => {
      const start = ((variant * sentences.length + row) * n + at) * size;
      return logSoftmax(logits.data.subarray(start, start + size), number.get(word));
    };
    return { weights, logProbability };
  }

  async function read(sentence, onProgress) {
    const { words, pronoun, candidates } = sentence;
    const { weights, logProbability } = await run([words], onProgress);
    const [, , layers, heads, n] = weights.shape;
    const at = (variant, layer, head) => {
      const start = ((variant * layers + layer) * heads + head) * n * n;
      return weights.data.subarray(start, start + n * n);
    };
    const every = variants.map((_, variant) => variant);
    const naming = every.map((variant) => candidates.map((j) => logProbability(variant, 0, pronoun, words[j])));
    const attention = every.map((variant) => maximumAttention(at, variant, { layers, heads, n, pronoun, candidates }));
    return { ...sentence, shape: [layers, heads, n], weights: at, scores: { naming, attention } };
  }

  async function rescore({ words, pronoun, candidates }, method) {
    const named = (name) => [...words.slice(0, pronoun), "the", name, ...words.slice(pronoun + 1)];
    const places = { "masked-lm": [pronoun, pronoun + 1] }[method];
    const first = method === "substitution-partial" ? pronoun + 2 : 0;
    const questions = candidates.flatMap((j, candidate) => {
      const whole = named(words[j]);
      if (places) return [{ candidate, whole, hidden: places }];
      return whole.flatMap((_, i) => (i >= first ? [{ candidate, whole, hidden: [i] }] : []));
    });
    const masked = questions.map(({ whole, hidden }) => whole.map((word, i) => (hidden.includes(i) ? "<mask>" : word)));
    const { logProbability } = await run(masked);
    return variants.map((_, variant) => {
      const totals = [0, 0];
      questions.forEach(({ candidate, whole, hidden }, row) => {
        for (const i of hidden) totals[candidate] += logProbability(variant, row, i, whole[i]) / hidden.length;
      });
      return totals;
    });
  }

  return { read, rescore };
}

/** Klein and Nabi 2019: in each head the noun that the pronoun looks at more keeps its weight; shares of the sums. */
function maximumAttention(weights, variant, { layers, heads, n, pronoun, candidates }) {
  const sums = [0, 0];
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const row = weights(variant, layer, head).subarray(pronoun * n, (pronoun + 1) * n);
      const [one, other] = candidates.map((j) => row[j]);
      if (one >= other) sums[0] += one;
      if (other >= one) sums[1] += other;
    }
  }
  const total = sums[0] + sums[1] || 1;
  return sums.map((sum) => sum / total);
}

function logSoftmax(logits, chosen) {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return logits[chosen] - largest - Math.log(sum);
}

/** Two scores as shares of 1: attention's are such already, the others are log probabilities. */
export function shares(method, [one, other]) {
  if (method === "attention") return [one, other];
  const first = 1 / (1 + Math.exp(other - one));
  return [first, 1 - first];
}
