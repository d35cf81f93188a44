import { h, put, renew } from "./dom.js";
import { hue, letter } from "./hash_space.js";
import { range } from "./hashing.js";
import { roving } from "./roving.js";

const [TOP, BAR] = [22, 36]; // pixels above a box, for what stands there, and below it, for its weight
const [GAP, APART] = [4, 16]; // between two boxes, and between two chunks
const [SMALLEST, SMALL] = [30, 36]; // a box on a single line, and on one of several: a finger must hit it

/** How wide boxes are that stand in these chunks, on one line where they fit. */
function boxSize(chunks, width) {
  const single = (width - (chunks.length - 1) * (APART - GAP)) / chunks.flat().length - GAP;
  return single >= SMALLEST ? Math.min(46, single) : SMALL;
}

/** Groups of positions, put in lines of `width` pixels; a group begins a new line where it does not fit. */
function layOut(groups, width, box) {
  const spots = new Map();
  const frames = [];
  let [x, line] = [0, 0];
  for (const group of groups) {
    const wide = group.length * (box + GAP) - GAP;
    if (x && x + wide > width) [x, line] = [0, line + 1];
    frames.push({ x, line, wide });
    for (const i of group) {
      if (x + box > width) [x, line] = [0, line + 1];
      spots.set(i, [x, line]);
      x += box + GAP;
    }
    x += APART - GAP;
  }
  return { spots, frames, lines: line + 1 };
}

/**
 * The sequence as boxes that move to their places. `draw({order, chunks, frames, states, picked, moving})`: they stand in
 * `order`, or, where `frames` names a style for each, in chunks; `states[i]` is {bucket or null, kind, sign, share,
 * name} of each. The room is that of the chunks from the first, so that nothing below is moved. With `moving` the
 * reader sees the boxes go (which costs more than a frame has, so not while a slider is dragged).
 */
export function row({ length, labels, onPick }) {
  const high = labels.length ? 60 : 46;
  const line = TOP + high + BAR;
  const picker = roving("Tokens: choose the one that asks", onPick);
  const frames = h("div", { "aria-hidden": "true" });
  const parts = range(length).map((i) => ({
    sign: h("span", { class: "sign" }), bucket: h("span"), bar: h("span", { class: "weight" }),
    word: h("span", { class: "word" }, labels[i] ?? ""),
  }));
  const boxes = picker.fill(parts.map(({ sign, word, bucket, bar }, i) => ({ class: "box", children: [sign, h("b", {}, String(i)), word, bucket, bar] })));
  const element = h("div", { class: "sequence" }, frames, picker.element);

  let width = 0;

  /** Takes the width that there is; tells whether it is another one. (To ask for it while drawing would cost a layout.) */
  function resize(now) {
    const other = now !== width;
    width = now;
    return other;
  }

  function draw({ order, chunks, frames: kinds, states, picked, moving }) {
    if (!width) return;
    const size = boxSize(chunks, width);
    const [plain, cut] = [[order], chunks].map((groups) => layOut(groups, width, size));
    const { spots } = kinds.length ? cut : plain;
    put(element, { class: `sequence ${moving ? "moving" : ""}`, style: `height:${Math.max(plain.lines, cut.lines) * line}px` });
    renew(frames, ...kinds.map((kind, k) => {
      const { x, line: at, wide } = cut.frames[k];
      return h("div", { class: `frame ${kind || ""}`, style: `left:${x - 5}px;top:${at * line + TOP - 5}px;width:${wide + 10}px;height:${high + 10}px` });
    }));
    boxes.forEach((box, i) => {
      const { bucket, kind, sign, share, name } = states[i];
      const [x, at] = spots.get(i);
      put(box, {
        class: `box ${kind} ${bucket === null ? "plain" : ""}`,
        style: `width:${size}px;height:${high}px;transform:translate(${x}px,${at * line + TOP}px);${hue(bucket ?? 0)}`,
      });
      renew(parts[i].sign, sign);
      renew(parts[i].bucket, bucket === null ? "" : letter(bucket));
      put(parts[i].bar, { style: `height:${Math.round(26 * share)}px` });
      picker.name(i, name);
    });
    picker.select(picked);
  }

  return { element, draw, resize };
}
