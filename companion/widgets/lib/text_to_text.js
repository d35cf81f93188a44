/** Prefixes and what an answer counts as, as companion/text_to_text.py has them (a browser test compares). */

const LABELS = ["unacceptable", "acceptable"];
const [LOWEST, HIGHEST] = [1, 5];

/** The prefixes of templates such as "cola sentence: {sentence}": `list` of {task, prefix}; `of(line)`, the line's; `body(line)`, what comes after it. */
export function prefixesOf(templates) {
  const list = Object.entries(templates).map(([task, template]) => ({ task, prefix: template.slice(0, template.indexOf("{")) }));
  const of = (line) => list.find(({ prefix }) => line.startsWith(prefix));
  return { list, of, body: (line) => line.slice(of(line)?.prefix.length ?? 0) };
}

/** A similarity from text; null if that is no number from 1 to 5. */
export function readScore(text) {
  const score = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  return score >= LOWEST && score <= HIGHEST ? score : null;
}

/** What the answer counts as, in a sentence; "" where any text will do. */
export function readAs(task, text) {
  if (task === "stsb") {
    const score = readScore(text);
    return score === null ? "That is no number from 1 to 5: it would count as wrong." : `Read as a number: ${score.toFixed(1)}.`;
  }
  if (task !== "cola") return "";
  return LABELS.includes(text) ? `Read as a label: ${text}.` : "That is neither label: it would count as wrong.";
}
