/**
 * LSH attention in its plainest form: hash, sort, cut, look back, and what full attention would give.
 * Pinned by a browser test to companion.hashing, companion.lsh and companion.attention. A vector is an array of
 * numbers; the directions of a hash round are a list of vectors, which are the columns of R; queries are keys too.
 */
const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
const sum = (values) => values.reduce((a, b) => a + b, 0);
export const mean = (values) => sum(values) / values.length;
export const range = (count) => [...Array(count).keys()];
export const norm = (x) => Math.hypot(...x);
export const unit = (x) => Array.from(x, (value) => value / Math.max(norm(x), 1e-6)); // as torch's normalize does with this eps

/** [x R; −x R]: how far x reaches along each direction and its opposite. */
export function reach(x, directions) {
  const along = directions.map((direction) => dot(x, direction));
  return [...along, ...along.map((value) => -value)];
}

/** The argmax of [x R; −x R]: the bucket of x. Plain loops: a sphere asks for every pixel. */
export function bucketOf(x, directions) {
  let [best, at] = [-1, 0];
  for (let k = 0; k < directions.length; k++) {
    let along = 0;
    for (let i = 0; i < x.length; i++) along += x[i] * directions[k][i];
    if (Math.abs(along) <= best) continue;
    best = Math.abs(along);
    at = along < 0 ? k + directions.length : k;
  }
  return at;
}

/** Positions, sorted by bucket, then by position. */
export const sortByBucket = (buckets) => [...buckets.keys()].sort((i, j) => buckets[i] - buckets[j] || i - j);

/**
 * The number of the chunk of each position. `cut` is "sorted", which cuts the whole sorted sequence, or "bucket",
 * which cuts each bucket for itself and leaves a gap between the numbers of two buckets.
 */
export function cutChunks(buckets, chunk, cut) {
  const order = sortByBucket(buckets);
  const place = new Array(buckets.length);
  if (cut === "sorted") order.forEach((i, rank) => (place[i] = Math.floor(rank / chunk)));
  else {
    let [bucket, number, rank] = [0, 0, 0];
    for (const i of order) {
      for (; bucket < buckets[i]; bucket++, rank = 0) number += Math.ceil(rank / chunk) + 1;
      place[i] = number + Math.floor(rank++ / chunk);
    }
  }
  return place;
}

/** Whether i meets j in a round: j lies in the same chunk, or in the one before where i looks back. */
export const meets = (place, i, j, lookBack) => place[i] === place[j] || (lookBack && place[i] - place[j] === 1);

/** Keys that query i looks at, as 0 and 1: those `open` lets it meet, itself only where there is no other. */
function allowed(i, length, causal, open) {
  const keys = range(length).map((j) => Number(j !== i && (j < i || !causal) && open(j)));
  if (!keys.includes(1)) keys[i] = 1;
  return keys;
}

/** Keys that query i looks at in any of the rounds, whose chunks are `places`. */
export const keysSeen = (places, i, { causal, lookBack }) =>
  allowed(i, places[0].length, causal, (j) => places.some((place) => meets(place, i, j, lookBack)));

/** The weights of full attention, a row for each query: the keys are the queries at length 1. */
export function fullWeights(vectors, { causal, scale }) {
  const keys = vectors.map(unit);
  return vectors.map((query, i) => {
    const open = allowed(i, keys.length, causal, () => true);
    const scores = keys.map((key, j) => (open[j] ? scale * dot(query, key) : -Infinity));
    const peak = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - peak));
    const total = sum(powers);
    return powers.map((power) => power / total);
  });
}

/** How much of a query's full attention lies on the keys it looks at. */
export const recall = (weights, seen) => sum(weights.filter((_, j) => seen[j]));

/** How many products of a query and a key all positions need in these rounds, hidden ones among them. */
export function scoresComputed(places, lookBack) {
  let count = 0;
  for (const place of places) {
    for (let i = 0; i < place.length; i++) for (let j = 0; j < place.length; j++) count += meets(place, i, j, lookBack);
  }
  return count;
}

/**
 * Whether the keys of position i could change, were one later position to fall into another bucket in one round.
 * `buckets` are those of each round, `settings` {chunk, cut, causal, lookBack}.
 */
export function hangsOnLater(buckets, i, nBuckets, settings) {
  const places = buckets.map((round) => cutChunks(round, settings.chunk, settings.cut));
  const before = keysSeen(places, i, settings).join();
  return buckets.some((round, r) => round.slice(i + 1).some((_, k) =>
    range(nBuckets).some((bucket) => {
      const moved = cutChunks(round.with(i + 1 + k, bucket), settings.chunk, settings.cut);
      return keysSeen(places.with(r, moved), i, settings).join() !== before;
    })));
}

/** A vector of length 1 in the next bucket: x turned on a great circle until its bucket is another. */
export function overBorder(x, directions) {
  const from = unit(x);
  const [a, b] = from;
  const across = unit(a || b ? [-b, a, 0] : [1, 0, 0]);
  let [angle, to] = [0, from];
  // The opposite of a vector lies in another bucket, so this ends.
  while (bucketOf(to, directions) === bucketOf(from, directions)) {
    angle += Math.PI / 60;
    to = from.map((value, axis) => value * Math.cos(angle) + across[axis] * Math.sin(angle));
  }
  return to;
}

/** The sectors of a circle, [{from, to, bucket}] in radians, in which the hash gives one bucket. */
export function sectors(directions) {
  const signed = [...directions, ...directions.map(([x, y]) => [-x, -y])];
  const edges = signed.flatMap(([a, b], i) => signed.slice(i + 1).flatMap(([c, d]) =>
    [1, -1].map((side) => Math.atan2(side * (a - c), -side * (b - d)))));
  edges.sort((one, other) => one - other);
  const found = [];
  edges.forEach((from, k) => {
    const to = k + 1 < edges.length ? edges[k + 1] : edges[0] + 2 * Math.PI;
    if (to - from < 1e-9) return;
    const bucket = bucketOf([Math.cos((from + to) / 2), Math.sin((from + to) / 2)], directions);
    if (found.at(-1)?.bucket === bucket) found.at(-1).to = to;
    else found.push({ from, to, bucket });
  });
  if (found.length > 1 && found[0].bucket === found.at(-1).bucket) found[0].from = found.pop().from - 2 * Math.PI;
  return found;
}

/** Random numbers, standard normal, always the same for one seed: mulberry32, then Box and Muller. */
export function normals(seed, count) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (((x ^ (x >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}
