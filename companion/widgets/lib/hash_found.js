import { h } from "./dom.js";
import { letter } from "./hash_space.js";

const percent = (x) => `${(100 * x).toFixed(1)}\u00a0%`;

/** A number to be read, rounded, that keeps the exact one. */
export const share = (value, tag = "span") => h(tag, { class: "number", "data-exact": value }, percent(value));

const head = (names) => h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name))));

function bar(value, line) {
  return h("td", {},
    h("span", { class: "rail", "aria-hidden": "true" }, h("span", { class: "fill", style: `width:${100 * value}%` }), line >= 0 ? h("i", { style: `left:${100 * line}%` }) : null),
    share(value));
}

/**
 * How much of full attention lies on the keys seen, by rounds: for the token that asks and for all, with a line where
 * the bar would end were looking back switched. `found[r]` is {recalls, mean, otherMean, scores} of r + 1 rounds.
 */
export function foundTable({ found, picked, rounds, name }) {
  const length = found[0].recalls.length;
  return h("table", { class: "found" }, head(["", name(picked), `all ${length} tokens`, "scores computed"]),
    h("tbody", {}, ...found.map(({ recalls, mean, otherMean, scores }, r) => h("tr", { class: r + 1 === rounds ? "chosen" : "" },
      h("th", { scope: "row" }, `${r + 1} round${r ? "s" : ""}`), bar(recalls[picked]), bar(mean, otherMean), h("td", { class: "number" }, String(scores)))),
    h("tr", {}, h("th", { scope: "row" }, "full"), bar(1), bar(1), h("td", { class: "number" }, String(length ** 2)))));
}

/** The keys of the token that asks: where each was met, its weight in full attention, and the one it has here. */
export function keysTable({ found, picked, rounds, name, buckets, shown, places, weights, seen, met }) {
  const total = found[rounds - 1].recalls[picked];
  return h("table", {}, head([`keys for ${name(picked)}`, "bucket", "met in round", "full attention", "LSH attention"]),
    h("tbody", {}, ...weights[picked].map((full, j) => h("tr", { "data-chunk": places[shown][j] },
      h("th", { scope: "row" }, name(j)), h("td", {}, letter(buckets[shown][j])), h("td", {}, met(j).join(", ") || "–"),
      share(full, "td"), share(seen[picked][j] && (total ? full / total : 1), "td")))));
}
