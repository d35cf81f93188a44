import { guard, h } from "./dom.js";

const SLICE = 6; // milliseconds of a frame that thumbnails may take

/**
 * A thumbnail of every head, as a radio group: a click, or the arrow keys, choose one.
 * `paint(canvas, layer, head)` draws one; `repaint()` draws all of them, some in each frame.
 */
export function headPicker({ layers, heads, onPick, paint }) {
  const thumbs = [];
  const element = h("div", { class: heads > 8 ? "heads small" : "heads", role: "radiogroup", "aria-label": "Layer and head" });
  for (let layer = 0; layer < layers; layer++) {
    const line = h("div", { class: "layer" }, h("span", { class: "label" }, `layer ${layer + 1}`));
    for (let head = 0; head < heads; head++) {
      const canvas = h("canvas", {});
      const button = h("button", {
        type: "button", role: "radio", class: "thumb", title: `layer ${layer + 1}, head ${head + 1}`,
        "aria-label": `layer ${layer + 1}, head ${head + 1}`,
        onclick: () => onPick(layer, head),
        onkeydown: (event) => step(event, layer, head),
      }, canvas);
      thumbs.push({ button, canvas, layer, head });
      line.append(button);
    }
    element.append(line);
  }

  function step(event, layer, head) {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    const next = [(layer + move[0] + layers) % layers, (head + move[1] + heads) % heads];
    onPick(...next);
    thumbs[next[0] * heads + next[1]].button.focus();
  }

  let frame;
  function repaint() {
    cancelAnimationFrame(frame);
    const waiting = [...thumbs];
    const slice = guard(element, () => {
      const until = performance.now() + SLICE;
      while (waiting.length && performance.now() < until) {
        const { canvas, layer, head } = waiting.shift();
        paint(canvas, layer, head);
      }
      if (waiting.length) frame = requestAnimationFrame(slice);
    });
    frame = requestAnimationFrame(slice);
  }

  function select(layer, head) {
    for (const thumb of thumbs) {
      const chosen = thumb.layer === layer && thumb.head === head;
      thumb.button.setAttribute("aria-checked", chosen);
      thumb.button.tabIndex = chosen ? 0 : -1;
    }
  }

  return { element, repaint, select };
}
