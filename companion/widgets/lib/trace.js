/**
 * What a language model computed of one token, read in advance or asked of the model.
 * A trace is {stages, layers, heads, state(stage), weights(layer, head), says(stage)}: the token's vector after each
 * sublayer, how much it looks at each token, and [[word, probability], …] of the likeliest next ones, best first.
 * A browser test holds them to companion/language_model.py.
 */
import { readArray } from "./array.js";

const LIKELIEST = 5;

/** The texts that came with the widget: `trace(example, token)`, and the sizes of the model. */
export function preparedTraces(model) {
  const [states, weights, best, odds] = ["states", "weights", "best", "odds"].map((name) => readArray(model.get(name)));
  const [pieces, begins] = [model.get("pieces"), model.get("begins")];
  const vocabulary = model.get("vocabulary");
  const [, stages, width] = states.shape;
  const [, layers, heads] = weights.shape;
  const sizes = { stages, width, layers, heads };
  const trace = (example, token) => {
    const before = pieces.slice(0, example).reduce((sum, { length }, i) => sum + length - begins[i], 0);
    const row = before + token - begins[example];
    return {
      ...sizes,
      state: (stage) => states.at(row, stage),
      weights: (layer, head) => weights.at(row, layer, head).subarray(0, pieces[example].length),
      says: (stage) => {
        const shares = odds.at(row, stage);
        return [...best.at(row, stage)].map((word, i) => [vocabulary[word], shares[i]]);
      },
    };
  };
  return { sizes, trace };
}

/** Asks the model (see live.js) for the trace of the token at `at` of the tokens `ids`. */
export async function askTrace(ask, { ids, at, sizes, vocabulary }, onProgress) {
  const { stages, width, layers, heads } = sizes;
  const nothing = { dtype: "float32", shape: [layers, heads, 0, width / heads], data: new Float32Array(0) };
  const whole = (numbers, shape) => ({ dtype: "int64", shape, data: BigInt64Array.from(numbers, BigInt) });
  const { logits, states, weights } = await ask({
    tokens: whole(ids, [1, ids.length]), at: whole([at], [1]), past_keys: nothing, past_values: nothing,
  }, onProgress);
  const n = ids.length;
  const size = logits.shape[2];
  const says = Array.from({ length: stages }, (_, stage) =>
    likeliest(logits.data.subarray(stage * size, (stage + 1) * size)).map(([word, share]) => [vocabulary[word], share]));
  return {
    ...sizes,
    state: (stage) => states.data.subarray(stage * width, (stage + 1) * width),
    weights: (layer, head) => weights.data.subarray((layer * heads + head) * n, (layer * heads + head + 1) * n),
    says: (stage) => says[stage],
  };
}

/**
 * Cuts a reader's text with the model's own `encode` into {ids, pieces, begin}. If there is a separator it stands
 * between what is given and what the model writes: where the reader puts it, or else at the end.
 */
export async function cutText(encode, text, { separator, vocabulary }) {
  if (!separator) return { ...(await encode(text)), begin: 0 };
  const [given, ...rest] = text.split(separator);
  const before = await encode(`${given.trim()}\n`);
  const written = rest.join(separator).trim();
  const after = written ? await encode(written) : { ids: [], pieces: [] };
  return {
    ids: [...before.ids, vocabulary.indexOf(separator), ...after.ids],
    pieces: [...before.pieces, separator, ...after.pieces],
    begin: before.ids.length,
  };
}

/** The text of such tokens, as the reader would write it. */
export const joined = (pieces, begin, separator) =>
  separator ? `${pieces.slice(0, begin).join("").trim()} ${separator} ${pieces.slice(begin + 1).join("")}` : pieces.join("");

/** The indices and probabilities of the largest logits. */
export function likeliest(logits) {
  let top = [];
  for (let i = 0; i < logits.length; i++) {
    if (top.length === LIKELIEST && logits[i] <= logits[top[LIKELIEST - 1]]) continue;
    top = [...top, i].sort((a, b) => logits[b] - logits[a]).slice(0, LIKELIEST);
  }
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - logits[top[0]]);
  return top.map((i) => [i, Math.exp(logits[i] - logits[top[0]]) / sum]);
}

export const length = (vector) => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));

/** The cosine of the angle between two vectors: 1 if they point the same way. */
export function cosine(one, other) {
  const product = one.reduce((sum, x, i) => sum + x * other[i], 0);
  return product / (length(one) * length(other) || 1);
}

/** How much a token looks at each other in a layer: in one head, or (-1) on average over all. */
export function looks({ heads, weights }, layer, head) {
  if (head >= 0) return [...weights(layer, head)];
  const rows = Array.from({ length: heads }, (_, each) => weights(layer, each));
  return Array.from(rows[0], (_, j) => rows.reduce((sum, row) => sum + row[j], 0) / heads);
}

/** What a stage is called, and what kind it is. */
export function stageName(stage) {
  if (stage === 0) return { name: "embedding", kind: "start" };
  const layer = Math.ceil(stage / 2);
  return stage % 2 ? { name: `+ attention ${layer}`, kind: "attention" } : { name: `+ feed-forward ${layer}`, kind: "thought" };
}
