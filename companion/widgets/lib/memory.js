/**
 * What one training step keeps in memory: companion/memory.py with memory_sizes.py and memory_tensors.py, line by
 * line in the same order, for any sizes that a reader chooses. All is sums and products of whole numbers, exact in
 * JavaScript up to 2^53. A browser test holds every allocation against Python's.
 */

export const ITEM_BYTES = { float64: 8, float32: 4, bfloat16: 2, float16: 2 };
export const PARTS = ["model", "text", "streams", "attention", "feed-forward", "loss"];
const IN_TURN = ["reversible", "lsh", "chunked"];
const IN_BUCKETS = ["lsh", "chunked"];
const BLOCK = 196_608; // companion/lsh_blocks.py
const GROUP = 4096; // companion/lsh_fast.py
const { ceil, floor, max, min, round, sqrt } = Math;

/** Moments, the number of the first one backward, what lives in them, the bytes of each, and the fullest. */
export function memoryPlan(sizes, mode, materialised) {
  const names = Array.from({ length: sizes.n_layers }, (_, i) => [`attention ${i + 1}`, `feed-forward ${i + 1}`]).flat();
  const forward = ["embedding", ...names, "loss"];
  const backward = forward.map((name) => `${name}, backward`).reverse();
  const moments = mode === "inference" ? forward : [...forward, ...backward, "update"];
  const given = allocations(reckon(sizes), mode, forward.length, materialised && !IN_BUCKETS.includes(mode));
  const totals = moments.map(() => 0);
  for (const { bytes, first, last } of given) for (let i = first; i <= last; i++) totals[i] += bytes;
  return { moments, turn: forward.length, allocations: given, totals, peak: totals.indexOf(max(...totals)) };
}

/** What lives in a moment. */
export const livingAt = (plan, moment) => plan.allocations.filter(({ first, last }) => first <= moment && moment <= last);

/** Bytes of each part of the model, summed over allocations. */
export function partsOf(living) {
  const parts = Object.fromEntries(PARTS.map((part) => [part, 0]));
  for (const { part, bytes } of living) parts[part] += bytes;
  return parts;
}

/** What forward leaves to backward: activations, so without parameters and tokens. */
export const keptBy = (plan) => livingAt(plan, plan.turn).filter(({ first, part }) => first < plan.turn && part !== "model" && part !== "text");

/** The course notes' unit: bytes of a vector of d_model for each position. They count 1 + 2 n_layers of them. */
export const notesUnit = (sizes) => reckon(sizes).stream;

/** The sizes, and the bytes of the tensors that recur (Shape of memory_sizes.py). */
function reckon(sizes) {
  const { length, d_model: d, n_layers, n_heads, d_ff, batch, n_tokens, rounds, chunk } = sizes;
  const item = ITEM_BYTES[sizes.dtype];
  const positions = batch * length;
  const columns = floor(sqrt(length - 1)) + 1;
  const axes = columns + ceil(length / columns);
  const parameters = {
    embedding: (d * n_tokens + (d * axes) / 2) * item,
    attention: (2 * d + 3 * d * d) * item, // a layer norm; queries, values and output
    "feed-forward": (2 * d + 2 * d * d_ff + d_ff + d) * item,
    loss: (2 * d + d * n_tokens + n_tokens) * item,
  };
  const layer = parameters.attention + parameters["feed-forward"];
  return {
    ...sizes, item, positions, parameters,
    exact: max(4, item), // bytes of a number in sums that are kept in float32 or finer
    stream: positions * d * item,
    weights: batch * n_heads * length * length * item,
    allParameters: parameters.embedding + n_layers * layer + parameters.loss,
    buckets: positions * n_heads * rounds * (bucketCount(2 * ceil(length / chunk)) <= 2 ** 15 ? 2 : 4),
  };
}

/** How many buckets the even factors of companion.hashing.bucket_factors make. */
function bucketCount(wanted) {
  if (wanted <= 64) return wanted;
  const first = 2 * max(1, round(sqrt(wanted) / 2)); // no tie to round: `wanted` is even
  return first * 2 * ceil(wanted / (2 * first));
}

function allocations(shape, mode, n, materialised) {
  const training = mode !== "inference";
  const end = training ? 2 * n : n - 1;
  const all = [];
  const add = (name, bytes, first, last, part) => all.push({ name, bytes, first, last, part });
  const each = (tensors, lives, part) => {
    for (const [first, last] of lives) for (const [name, bytes] of Object.entries(tensors)) add(name, bytes, first, last, part);
  };

  add("parameters", shape.allParameters, 0, end, "model");
  if (training) {
    add("Adam's moments", 2 * shape.allParameters, 0, end, "model");
    addGradients(add, shape, mode, n);
  }
  add("tokens and targets", 2 * 8 * shape.positions, 0, end, "text");
  if (materialised) add("causal mask", shape.length * shape.length, 0, end, "attention");
  addStreams(add, shape, mode, n);
  for (let moment = 1; moment < n - 1; moment++) {
    const back = 2 * n - 1 - moment;
    const part = moment % 2 ? "attention" : "feed-forward";
    const [kept, forward, backward] = moment % 2 ? attention(shape, mode, materialised) : feedForward(shape, mode);
    each(kept, livesOf(mode, moment, back), part);
    each(forward, [[moment, moment]], part);
    if (training) each(backward, [[back, back]], part);
    if (part === "attention" && IN_BUCKETS.includes(mode)) add("buckets", shape.buckets, moment, back, part);
  }
  addLoss(add, each, shape, mode, n);
  return all;
}

/** The gradients of the parameters, from where backward makes them to the update. */
function addGradients(add, { parameters }, mode, n) {
  const end = 2 * n;
  add("gradients of the head", parameters.loss, IN_TURN.includes(mode) ? n - 1 : n, end, "model");
  for (let moment = n + 1; moment < end - 1; moment++) {
    const part = (end - moment) % 2 ? "feed-forward" : "attention";
    add(`gradients of ${part}`, parameters[part], moment, end, "model");
  }
  add("gradients of the embedding", parameters.embedding, end - 1, end, "model");
}

/** When lives what a sublayer keeps for backward, given the moments in which it runs. */
function livesOf(mode, forward, backward) {
  if (mode === "inference") return [];
  if (IN_TURN.includes(mode)) return [[backward, backward]];
  // A layer runs again when backward comes to its feed-forward network, the second sublayer.
  if (mode === "checkpointed") return [[forward, forward], [backward - (forward % 2), backward]];
  return [[forward, backward]];
}

/** What flows from sublayer to sublayer, and its gradients. */
function addStreams(add, shape, mode, n) {
  const one = shape.stream;
  const end = 2 * n - 1;
  const table = shape.length * shape.d_model * shape.item;
  const readBy = (moment) => (moment === 1 ? "embedded text" : `output of sublayer ${moment - 1}`);
  const stream = (name, bytes, first, last) => add(name, bytes, first, last, "streams");
  stream("words, before the positions", one, 0, 0);
  stream("positions", table, 0, 0);
  if (mode !== "inference") stream("gradient of the positions", table, end, end);
  if (IN_TURN.includes(mode)) {
    stream("embedded text", one, 0, n - 2);
    stream("both streams", 2 * one, 1, end - 1);
    stream("gradient of their mean", one, n - 1, n);
    stream("gradients of both streams", 2 * one, n, end);
    return;
  }
  if (mode === "inference") {
    // Whoever runs a layer holds its input until the layer is through.
    for (let moment = 1; moment < n - 1; moment++) stream(readBy(moment), one, moment, moment + (moment % 2));
    return;
  }
  stream("gradient of the stream", one, n + 1, end);
  for (let moment = 1; moment < n; moment++) {
    const [made, back] = [moment - 1, end - moment];
    if (mode === "checkpointed" && moment % 2 === 0) { // between the sublayers of a layer
      stream(readBy(moment), one, made, moment);
      stream(readBy(moment), one, back, back);
    } else stream(readBy(moment), one, made, back);
  }
}

/** What an attention sublayer keeps, what else it needs forward, and what else backward. */
function attention(shape, mode, materialised) {
  const one = shape.stream;
  if (IN_BUCKETS.includes(mode)) return [{}, ...attentionInBuckets(shape)];
  const kept = {
    "normalised input": one,
    "means and deviations": 2 * shape.positions * shape.item,
    queries: one,
    "lengths of the queries": 2 * shape.positions * shape.n_heads * shape.item,
    keys: one,
    values: one,
    "outputs of the heads": one,
  };
  const forward = { output: one };
  let backward = { "gradients of queries, keys, values and outputs": 4 * one };
  if (materialised) {
    kept.weights = shape.weights;
    forward.scores = shape.weights;
    backward = { "gradients of weights and scores": 2 * shape.weights };
  } else kept["log-sum-exp"] = shape.positions * shape.n_heads * shape.exact;
  return [kept, standalone(mode) ? { ...forward, ...kept } : forward, backward];
}

/** Whether forward runs without keeping anything for backward. */
const standalone = (mode) => mode === "inference" || IN_TURN.includes(mode);

/** What the sublayer needs forward and backward: one head of a long text, or of some short ones. */
function attentionInBuckets(shape) {
  const positions = shape.length * min(shape.batch, max(1, floor(GROUP / shape.length)));
  const numbers = positions * (shape.d_model / shape.n_heads);
  const [one, exact] = [numbers * shape.item, numbers * shape.exact];
  const order = positions * (2 * shape.exact + 12 * shape.rounds + 9);
  const blocks = blocksOf(shape, positions);
  // The tensors of one head are let go when the next one's are there.
  const forward = {
    "queries and values of a head": 2 * one,
    "outputs of two heads": 2 * exact,
    "next queries, or blocks of chunks": max(one, blocks),
  };
  const backward = {
    "queries and values of a head": 2 * one,
    "output of a head": exact,
    "gradient of the output": one,
    "gradients of queries and values": 2 * exact,
    "blocks of chunks": blocks,
  };
  return [forward, backward].map((work) => ({ ...work, "log-sum-exp and order of a head": order }));
}

/** What attention in buckets holds while it goes from one block of chunks to the next. */
function blocksOf(shape, positions) {
  const chunk = min(shape.chunk, shape.length);
  const dk = shape.d_model / shape.n_heads;
  const n = min(max(1, floor(BLOCK / (2 * chunk * max(chunk, dk)))), ceil(positions / chunk));
  const [pairs, rows] = [n * chunk * 2 * chunk, (n + 1) * chunk * dk];
  // Two biases and one in the making; queries, keys, values, outputs and gradients of both.
  return (3 * pairs + 9 * rows) * shape.exact;
}

/** As `attention`, of a feed-forward sublayer. */
function feedForward(shape, mode) {
  const rows = rowsOf(shape, mode);
  const [one, hidden] = [rows * shape.d_model * shape.item, rows * shape.d_ff * shape.item];
  const kept = {
    "normalised input": one,
    "means and deviations": 2 * rows * shape.item,
    "hidden, before GELU": hidden,
    hidden,
  };
  const forward = standalone(mode) ? { "hidden, before and after GELU": hidden + max(hidden, one) } : { output: one };
  const backward = { "gradient of hidden": hidden };
  if (mode === "chunked") backward["gradients of the parameters, of some rows twice"] = 2 * shape.parameters["feed-forward"];
  return [kept, forward, backward];
}

/** Final layer norm, scores of all tokens, cross entropy. */
function addLoss(add, each, shape, mode, n) {
  const rows = rowsOf(shape, mode);
  const [one, scores] = [rows * shape.d_model * shape.item, rows * shape.n_tokens * shape.item];
  const kept = {
    "normalised output": one,
    "means and deviations": 2 * rows * shape.item,
    "log-probabilities": scores,
  };
  if (mode === "inference") {
    add("scores and log-probabilities", max(2 * scores, 3 * one), n - 1, n - 1, "loss");
  } else if (IN_TURN.includes(mode)) { // gradients are made while the scores are there
    const work = { ...kept, "mean of both streams": one, "gradients of both": 2 * scores };
    if (mode === "chunked") work["gradients of the head, of some rows"] = shape.parameters.loss;
    each(work, [[n - 1, n - 1]], "loss");
  } else {
    each(kept, [[n - 1, n]], "loss");
    add("scores", scores, n - 1, n - 1, "loss");
    add("gradients of both", max(2 * scores, one), n, n, "loss");
  }
}

/** Positions at a time in feed-forward network and loss. */
const rowsOf = (shape, mode) => (mode === "chunked" ? min(shape.rows, shape.positions) : shape.positions);
