import { numbers } from "./choosing.js";

const SHARES = [0.8, 0.1]; // of the chosen: hidden, replaced; the others stay

/**
 * Draws a corruption, as `mask_words` of companion/pretraining.py does: a list of [place, the piece seen there].
 * `shares` are those of the chosen that are hidden and replaced. Typed holes (`mask` among ids) are left alone.
 */
export function corrupt(ids, { rate, seed, mask, first, size, shares = SHARES }) {
  const next = numbers(seed);
  return ids.flatMap((id, place) => {
    const [chosen, fate, other] = [next(), next(), next()];
    if (chosen >= rate || id === mask) return [];
    if (fate < shares[0]) return [[place, mask]];
    return [[place, fate < shares[0] + shares[1] ? first + Math.floor(other * (size - first)) : id]];
  });
}

/** What the model sees: `ids` with the pieces of `holes` in their places. */
export function seen(ids, holes) {
  const given = [...ids];
  for (const [place, id] of holes) given[place] = id;
  return given;
}

/** Hides all to the right of one place. */
export const hiddenAfter = (ids, place, mask) => ids.map((id, i) => (i > place ? mask : id));

/**
 * `guess(texts, onProgress)` asks about places of texts of one length, each {ids, at: [[place, own], …]}; resolves to a
 * list for each text with {best, own} for each place: the likeliest [number, probability], and [probability, rank] of the
 * piece `own` (null, if that is a hole).
 */
export function guesser(ask, { cls, sep, mask, shown }) {
  return async (texts, onProgress) => {
    const shape = [texts.length, texts[0].ids.length + 2];
    const tokens = BigInt64Array.from(texts.flatMap(({ ids }) => [cls, ...ids, sep]), BigInt);
    const { logits } = await ask({
      tokens: { dtype: "int64", shape, data: tokens },
      segments: { dtype: "int64", shape, data: new BigInt64Array(tokens.length) },
    }, onProgress);
    const [, n, size] = logits.shape;
    return texts.map(({ at }, text) => at.map(([place, own]) => {
      const start = (text * n + place + 1) * size; // [CLS] comes before the first piece
      return likeliest(logits.data.subarray(start, start + size), shown, own === mask ? null : own);
    }));
  };
}

function likeliest(logits, most, own) {
  const order = Array.from(logits, (_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b);
  const top = logits[order[0]];
  const sum = logits.reduce((all, x) => all + Math.exp(x - top), 0);
  const share = (id) => Math.exp(logits[id] - top) / sum;
  return { best: order.slice(0, most).map((id) => [id, share(id)]), own: own === null ? null : [share(own), order.indexOf(own) + 1] };
}
