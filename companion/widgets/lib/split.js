/**
 * Where each number of a projected tensor (n, d_model) is on its way through the heads.
 * A number is known by its place there, counted row by row. The stages are those of STAGES; a place in a
 * picture is {block, row, column}. A browser test compares them with companion.attention.
 */
export const STAGES = ["x", "project", "reshape", "transpose", "scores", "mix", "transpose back", "concatenate", "output"];
export const [X, PROJECT, RESHAPE, TRANSPOSE, SCORES, MIX, BACK, CONCAT, OUTPUT] = STAGES.keys();

export const divisors = (d) => Array.from({ length: d }, (_, i) => i + 1).filter((k) => d % k === 0);

/** Head, position and place within the head of number f; `wrong`: cut by view(batch, heads, n, d_k). */
export function coordinates(f, { n, d, heads, wrong }) {
  const size = d / heads;
  if (wrong) return { head: Math.floor(f / (n * size)), i: Math.floor(f / size) % n, j: f % size };
  return { head: Math.floor((f % d) / size), i: Math.floor(f / d), j: f % size };
}

/** The number at these coordinates: the inverse of `coordinates`. */
export const numberAt = ({ head, i, j }, { n, d, heads, wrong }) =>
  (wrong ? head * n * (d / heads) + i * (d / heads) : i * d + head * (d / heads)) + j;

/** The word, by its row in the projected tensor, that number f belongs to. */
export const wordOf = (f, { d }) => Math.floor(f / d);

/** Its place in what the heads hand over, (n, d_model), counted row by row. */
export const joined = ({ head, i, j }, { d, heads }) => i * d + head * (d / heads) + j;

export function place(stage, f, sizes) {
  const { d, heads, wrong } = sizes;
  const { head, i, j } = coordinates(f, sizes);
  if (stage <= PROJECT) return { block: 0, row: Math.floor(f / d), column: f % d };
  if (stage >= CONCAT) return { block: 0, row: i, column: head * (d / heads) + j };
  const ofWord = stage === BACK || (stage === RESHAPE && !wrong);
  return ofWord ? { block: i, row: head, column: j } : { block: head, row: i, column: j };
}

/** How many blocks of how many rows and columns a stage is drawn in. */
export function blocksOf(stage, { n, d, heads, wrong }) {
  if (stage <= PROJECT || stage >= CONCAT) return { blocks: 1, rows: n, columns: d, of: "all" };
  if (stage === SCORES) return { blocks: heads, rows: n, columns: n, of: "head" };
  const ofWord = stage === BACK || (stage === RESHAPE && !wrong);
  return ofWord
    ? { blocks: n, rows: heads, columns: d / heads, of: "word" }
    : { blocks: heads, rows: n, columns: d / heads, of: "head" };
}

/** The shape of the tensor at a stage, and the names of its axes. */
export function shapeOf(stage, { n, d, heads, wrong }) {
  const size = d / heads;
  if (stage <= PROJECT || stage >= CONCAT) return { shape: [1, n, d], axes: ["batch", "n", "d_model"] };
  if (stage === SCORES) return { shape: [1, heads, n, n], axes: ["batch", "heads", "n", "n"] };
  return stage === BACK || (stage === RESHAPE && !wrong)
    ? { shape: [1, n, heads, size], axes: ["batch", "n", "heads", "d_k"] }
    : { shape: [1, heads, n, size], axes: ["batch", "heads", "n", "d_k"] };
}
