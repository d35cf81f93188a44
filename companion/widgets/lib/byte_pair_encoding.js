/** Byte-pair encoding: companion/byte_pair_encoding.py, step by step and tie by tie (a test compares them). */
import { compare, covering, UNKNOWN } from "./tokenization.js";

const JOINT = "\0"; // between the symbols of a pair; no text has it after normalisation
const key = (left, right) => left + JOINT + right;

/** The characters of a word, all but the first with a prefix, the last with a suffix. */
export const symbols = (word, prefix = "", suffix = "") =>
  word.map((character, i) => (i ? prefix : "") + character + (i === word.length - 1 ? suffix : ""));

/** A word in which a pair has become one symbol, from the left. */
export function merged(word, { left, right, joined }) {
  const result = [];
  for (let i = 0; i < word.length; i++) {
    const met = word[i] === left && word[i + 1] === right;
    result.push(met ? joined : word[i]);
    if (met) i++;
  }
  return result;
}

/** What is learned from words ([text, count]): single symbols in their order, then merges {left, right, joined, count}. */
export function learnPairs(words, { prefix = "", suffix = "" } = {}) {
  const spellings = words.map(([word]) => symbols([...word], prefix, suffix));
  const characters = [...new Set(words.flatMap(([word]) => [...word]))].sort(compare);
  const others = [...new Set(spellings.flat())].filter((symbol) => !characters.includes(symbol)).sort(compare);
  const alphabet = [...characters, ...others];
  const numbers = new Map(alphabet.map((symbol, i) => [symbol, i]));
  const [pairs, where] = [new Map(), new Map()];

  function add(i, times) {
    for (let k = 0; k + 1 < spellings[i].length; k++) {
      const [left, right] = spellings[i].slice(k, k + 2);
      const name = key(left, right);
      const pair = pairs.get(name) ?? { left, right, count: 0, a: numbers.get(left), b: numbers.get(right) };
      pair.count += times;
      if (pair.count) pairs.set(name, pair);
      else pairs.delete(name);
      if (times > 0) where.set(name, (where.get(name) ?? new Set()).add(i));
    }
  }
  words.forEach(([, times], i) => add(i, times));

  const merges = [];
  const beats = (one, other) => one.count - other.count || other.a - one.a || other.b - one.b;
  while (pairs.size) {
    let best = pairs.values().next().value;
    for (const pair of pairs.values()) if (beats(pair, best) > 0) best = pair;
    const { left, right, count } = best;
    const joined = left + (right.startsWith(prefix) ? right.slice(prefix.length) : right);
    if (!numbers.has(joined)) numbers.set(joined, numbers.size);
    merges.push({ left, right, joined, count });
    const changed = where.get(key(left, right));
    where.delete(key(left, right));
    for (const i of changed) {
      add(i, -words[i][1]);
      spellings[i] = merged(spellings[i], merges.at(-1));
      add(i, words[i][1]);
    }
  }
  return { alphabet, merges };
}

/** The vocabulary after the first `n` merges, or of at most `size` tokens. */
export function vocabularyOf({ alphabet, merges }, { n = merges.length, size = Infinity }) {
  const all = new Set([UNKNOWN, ...alphabet]);
  for (const { joined } of merges.slice(0, n)) {
    if (all.size >= size) break;
    all.add(joined);
  }
  return [...all];
}

/** Joins pairs in the order in which they were learned. */
export function bytePairs(vocabulary, merges, suffix = "") {
  const numbers = new Map(vocabulary.map((token, i) => [token, i]));
  const ranks = new Map(merges.map(({ left, right }, rank) => [key(left, right), rank]));
  function cut(word) {
    const parts = symbols(word.map(({ text }) => text), "", suffix)
      .map((token, i) => ({ token: numbers.has(token) ? token : UNKNOWN, covered: [word[i]] }));
    for (;;) {
      let [best, at] = [Infinity, -1];
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = ranks.get(key(parts[i].token, parts[i + 1].token)) ?? Infinity;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at < 0) return parts.map(({ token, covered }) => covering(covered, token, numbers.get(token)));
      const [one, other] = parts.slice(at, at + 2);
      parts.splice(at, 2, { token: one.token + other.token, covered: [...one.covered, ...other.covered] });
    }
  }
  return { vocabulary, encode: (all) => all.flatMap(cut) };
}
