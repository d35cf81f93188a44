/** Two machines that read the same words: when each of their parts is done, and how a word travels. */

/** How many steps must wait for one another (companion.recurrent.sequential_steps). */
export function sequentialSteps(kind, n, layers, generating) {
  if (generating) return n * layers;
  return kind === "recurrent" ? n + layers - 1 : layers;
}

/** The step, from 1, in which a layer (from 0) is done with a word (from 0). */
export function doneAt(kind, word, layer, layers, generating) {
  if (generating) return word * layers + layer + 1;
  return kind === "recurrent" ? word + layer + 1 : layer + 1;
}

/** How often a word is handed on until it has come `distance` places further (companion.recurrent.path_length). */
export const pathLength = (kind, distance) => (kind === "recurrent" ? distance : Math.min(distance, 1));

/** The arrows that lead into a layer at a word: [[layer, word], …]; layer −1 holds the words themselves. */
export function sources(kind, word, layer, n, generating) {
  if (kind === "recurrent") {
    return word ? [[layer - 1, word], [layer, word - 1]] : [[layer - 1, word]];
  }
  return Array.from({ length: generating ? word + 1 : n }, (_, j) => [layer - 1, j]);
}

/** The stops between two words, from the earlier to the later, within the first layer. */
export function pathOf(kind, from, to) {
  if (kind !== "recurrent") return [[-1, from], [0, to]];
  return [[-1, from], ...Array.from({ length: to - from + 1 }, (_, k) => [0, from + k])];
}

/** Multiplications of one layer, n words of d numbers (companion.recurrent.multiplications). */
export const work = (n, d) => ({ state: n * d * d, looking: n * n * d, other: 12 * n * d * d });
