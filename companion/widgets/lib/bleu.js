/** BLEU of one candidate, as companion/bleu.py has it (a browser test compares them); and where its runs of words stand. */
export const ORDERS = [1, 2, 3, 4];

// What Python's str.split() takes for space. JavaScript's \s lacks the first few and has U+FEFF.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SPACES = new RegExp(`[${SPACE}]+`, "u");
const LAST_SPACES = new RegExp(`[${SPACE}]+$`, "u");
const ENTITIES = [["&quot;", '"'], ["&amp;", "&"], ["&lt;", "<"], ["&gt;", ">"]];

/** Cuts a text into words and marks, as sacrebleu's tokenizer 13a does. */
export function tokenize(text) {
  let line = text.replace(LAST_SPACES, "").replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  for (const [name, mark] of ENTITIES) line = line.replaceAll(name, mark);
  return ` ${line} `
    .replace(/([ -&(-+:-@[-`{-~/])/gu, " $1 ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])(-)/gu, "$1 $2 ")
    .split(SPACES)
    .filter((word) => word);
}

/** The runs of n words: Map of each run (a word holds no space) to where it begins. */
function runsOf(words, n) {
  const places = new Map();
  for (let i = 0; i + n <= words.length; i++) {
    const run = words.slice(i, i + n).join(" ");
    places.set(run, [...(places.get(run) ?? []), i]);
  }
  return places;
}

/** How often a run counts: as often as some one reference has it, at most. */
const most = (run, references) => Math.max(...references.map((places) => places.get(run)?.length ?? 0));

/**
 * Runs of n words: {n, runs: [{text, state}] in the candidate's order, matches, total, lit: for the candidate and each
 * reference, whether each word is within a run that counts}. A run's state is "counts", "extra" (repeated more often than
 * any reference has it) or "none".
 */
function matchRuns(candidate, references, n) {
  const own = runsOf(candidate, n);
  const others = references.map((words) => runsOf(words, n));
  const runs = [];
  const lit = [candidate, ...references].map((words) => words.map(() => false));
  const light = (which, places) => places.forEach((i) => lit[which].fill(true, i, i + n));
  let matches = 0;
  for (const [text, places] of own) {
    const limit = most(text, others);
    const counted = places.slice(0, limit);
    matches += counted.length;
    places.forEach((i, k) => (runs[i] = { text, state: k < limit ? "counts" : limit ? "extra" : "none" }));
    light(0, counted);
    others.forEach((other, j) => light(j + 1, (other.get(text) ?? []).slice(0, places.length)));
  }
  return { n, runs, matches, total: runs.length, lit };
}

/** The share of runs that count, smoothed: half a match where there is none, and half as many each time. Sets `taken`, `share`. */
function smoothed(orders, smooth) {
  const any = orders.some(({ matches }) => matches);
  let least = 1;
  return orders.map((order) => {
    const { matches, total } = order;
    const missing = any && smooth && total > 0 && !matches;
    if (missing) least /= 2;
    const taken = missing ? least : matches;
    return { ...order, taken, share: any && total ? taken / total : 0 };
  });
}

/** {orders, length, referenceLength, penalty, mean, score (0 to 100)} of word lists; runs longer than the candidate are left out. */
export function bleu(candidate, references, smooth) {
  const orders = smoothed(ORDERS.map((n) => matchRuns(candidate, references, n)), smooth);
  const length = candidate.length;
  const [referenceLength] = references.map((words) => words.length)
    .sort((a, b) => Math.abs(a - length) - Math.abs(b - length) || a - b);
  const penalty = length >= referenceLength ? 1 : length ? Math.exp(1 - referenceLength / length) : 0;
  const shares = orders.filter(({ total }) => total).map(({ share }) => share);
  const mean = shares.length ? Math.exp(shares.reduce((sum, share) => sum + Math.log(share), 0) / shares.length) : 0;
  return { orders, length, referenceLength, penalty, mean, score: 100 * penalty * mean };
}
