/** A unigram model of pieces, and how it is learned: companion/unigram.py and companion/unigram_learning.py (a test compares them). */
import { compare, covering, UNKNOWN } from "./tokenization.js";

const logSum = (values) => {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
};
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** `scores`: a Map of pieces and their log-probabilities. A word is a list of characters here; a cut, a list of {start, end, token, score}. */
export function unigram(scores) {
  const unknownScore = Math.min(...scores.values()) - 10;
  const longest = Math.max(...[...scores.keys()].map((piece) => [...piece].length));

  function edges(word) {
    const found = [];
    for (let start = 0; start < word.length; start++) {
      if (!scores.has(word[start])) found.push({ start, end: start + 1, token: UNKNOWN, score: unknownScore });
      let token = "";
      for (let end = start + 1; end <= Math.min(word.length, start + longest); end++) {
        token += word[end - 1];
        if (scores.has(token)) found.push({ start, end, token, score: scores.get(token) });
      }
    }
    return found;
  }

  function path(end, last) {
    const cut = [];
    for (let edge; end && (edge = last(end)); end = edge.start) cut.unshift(edge);
    return end ? [] : cut;
  }

  function best(word, without = null) {
    const [top, back] = [Array(word.length + 1).fill(-Infinity), []];
    top[0] = 0;
    for (const edge of edges(word)) {
      const score = top[edge.start] + edge.score;
      if (score > top[edge.end] && edge.token !== without) [top[edge.end], back[edge.end]] = [score, edge];
    }
    return path(word.length, (end) => back[end]);
  }

  /** The logarithm of the sum over all cuts of each beginning, of probability^alpha; and the pieces by their ends. */
  function forward(word, alpha = 1, all = edges(word)) {
    const into = Array.from({ length: word.length + 1 }, () => []);
    for (const edge of all) into[edge.end].push(edge);
    const sums = [0];
    for (let end = 1; end <= word.length; end++) sums.push(logSum(into[end].map(({ start, score }) => sums[start] + alpha * score)));
    return { sums, into };
  }

  /** `draw()` gives a cut, in proportion to probability^alpha; `probability(cut)` says how often, `cuts` how many there are. */
  function sampler(word, alpha, random = Math.random) {
    const { sums, into } = forward(word, alpha);
    const last = (end) => {
      let left = random();
      return into[end].find(({ start, score }) => (left -= Math.exp(sums[start] + alpha * score - sums[end])) < 0) ?? into[end].at(-1);
    };
    return {
      draw: () => path(word.length, last),
      probability: (cut) => Math.exp(alpha * sum(cut.map(({ score }) => score)) - sums.at(-1)),
      cuts: Math.round(Math.exp(forward(word, 0).sums.at(-1))),
    };
  }

  /** How often each piece is met in a cut, on average over all cuts, and the word's log-probability. */
  function expected(word) {
    const all = edges(word);
    const { sums } = forward(word, 1, all);
    const leaving = Array.from({ length: word.length + 1 }, () => []);
    for (const edge of all) leaving[edge.start].push(edge);
    const behind = Array(word.length + 1).fill(0);
    for (let start = word.length - 1; start >= 0; start--) behind[start] = logSum(leaving[start].reverse().map(({ end, score }) => score + behind[end]));
    const counts = new Map();
    for (const { start, end, token, score } of all) {
      counts.set(token, (counts.get(token) ?? 0) + Math.exp(sums[start] + score + behind[end] - sums.at(-1)));
    }
    return { counts, likelihood: sums.at(-1) };
  }

  const vocabulary = [UNKNOWN, ...scores.keys()];
  const numbers = new Map(vocabulary.map((token, i) => [token, i]));
  /** The pieces of words; unknown characters that stand together are one. */
  const encode = (words) => words.flatMap((word) => best(word.map(({ text }) => text)).reduce((pieces, { start, end, token }) => {
    const piece = covering(word.slice(start, end), token, numbers.get(token));
    if (!piece.id && pieces.at(-1)?.id === 0) piece.start = pieces.pop().start;
    return [...pieces, piece];
  }, []));
  return { scores, vocabulary, best, sampler, expected, encode };
}

const descending = (numbers) => [...numbers].sort(([one, a], [other, b]) => b - a || compare(other, one));

/** What learning begins with: characters, and strings that are met twice. */
function seeds(words, longest = 16) {
  const met = new Map();
  for (const [word, times] of words) {
    for (let start = 0; start < word.length; start++) {
      let string = "";
      for (let end = start; end < Math.min(word.length, start + longest); end++) {
        string += word[end];
        const known = met.get(string);
        if (known) known.times += times;
        else met.set(string, { times, length: end - start + 1 });
      }
    }
  }
  const [characters, strings] = [new Map(), new Map()];
  for (const [string, { times, length }] of met) {
    if (length === 1) characters.set(string, times);
    else if (times > 1) strings.set(string, times * length);
  }
  const first = [...descending(characters), ...descending(strings)];
  const total = Math.log(sum(first.map(([, number]) => number)));
  return new Map(first.map(([piece, number]) => [piece, Math.log(number) - total]));
}

function improved(model, words) {
  const counts = new Map();
  for (const [word, times] of words) {
    for (const [piece, n] of model.expected(word).counts) counts.set(piece, (counts.get(piece) ?? 0) + times * n);
  }
  const kept = [...model.scores.keys()].filter((piece) => (counts.get(piece) ?? 0) >= 0.5);
  const total = digamma(sum(kept.map((piece) => counts.get(piece))));
  return unigram(new Map(kept.map((piece) => [piece, digamma(counts.get(piece)) - total])));
}

function pruned(model, words, keep) {
  const met = new Map();
  for (const [word, times] of words) for (const { token } of model.best(word)) met.set(token, (met.get(token) ?? 0) + times);
  const of = (piece) => met.get(piece) ?? 0;
  const total = sum([...met.values()]);
  const [stays, losses] = [[], []];
  for (const piece of model.scores.keys()) {
    const whole = model.best([...piece]).length === 1;
    const instead = whole ? model.best([...piece], piece).map(({ token }) => token) : [];
    if (!whole && !of(piece)) continue;
    if (!instead.length) stays.push(piece);
    else if (of(piece)) {
      const after = Math.log(total + of(piece) * (instead.length - 1));
      const likelihood = sum(instead.map((token) => Math.log(of(token) + of(piece)) - after));
      losses.push([piece, of(piece) * (Math.log(of(piece)) - Math.log(total) - likelihood)]);
    }
  }
  losses.sort(([, a], [, b]) => b - a);
  const left = [...stays, ...losses.slice(0, Math.max(0, keep - stays.length)).map(([piece]) => piece)];
  return new Map(left.map((piece) => [piece, model.scores.get(piece)]));
}

/** Learns `size` pieces (the one for unknown characters included) from words ([text, count]). */
export function learnUnigram(given, size) {
  const words = given.map(([word, times]) => [[...word], times]);
  const enough = Math.floor((size * 11) / 10);
  let model = unigram(seeds(words));
  for (;;) {
    model = improved(improved(model, words), words);
    const n = model.scores.size;
    if (n < enough) break;
    const left = pruned(model, words, Math.max(enough, Math.floor((n + 1) * 0.75)) - 1);
    if (left.size === n) break;
    model = unigram(left);
  }
  const characters = [...new Set(words.flatMap(([word]) => word))].sort(compare);
  const least = Math.min(...model.scores.values());
  const scores = new Map();
  for (const character of characters) if (!model.scores.has(character)) scores.set(character, least + 0.0001 * scores.size);
  for (const character of characters) if (model.scores.has(character)) scores.set(character, model.scores.get(character));
  for (const [piece, score] of model.scores) if (scores.size < size - 1 && !scores.has(piece)) scores.set(piece, score);
  return unigram(new Map(descending(scores)));
}

function digamma(x) {
  let result = 0;
  for (; x < 7; x++) result -= 1 / x;
  const y = 1 / (x - 0.5) ** 2;
  return result + Math.log(x - 0.5) + y / 24 - (7 * y ** 2) / 960 + (31 * y ** 3) / 8064 - (127 * y ** 4) / 30720;
}
