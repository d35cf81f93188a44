import { guard, h } from "./dom.js";

const SLICE = 6; // milliseconds of a frame that thumbnails may take
const REST = 60; // milliseconds without a change after which many thumbnails are painted again

/**
 * A thumbnail of every head, as a radio group: a click, or the arrow keys, choose one.
 * `paint(canvas, layer, head)` draws one; `repaint()` draws all of them, some in each frame; `resize()` is
 * to be called when the group has its size. All are drawn on one canvas beneath the buttons: a canvas in
 * each of 72 buttons would cost every frame of the page some milliseconds.
 */
export function headPicker({ layers, heads, onPick, paint }) {
  const small = heads > 8;
  const inset = small ? 2 : 3; // border and padding of a button
  const scratch = document.createElement("canvas");
  const canvas = h("canvas", { "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const thumbs = [];
  const element = h("div", { class: small ? "heads small" : "heads", role: "radiogroup", "aria-label": "Layer and head" }, canvas);
  for (let layer = 0; layer < layers; layer++) {
    const line = h("div", { class: "layer" }, h("span", { class: "label" }, `layer ${layer + 1}`));
    for (let head = 0; head < heads; head++) {
      const name = `layer ${layer + 1}, head ${head + 1}`;
      const button = h("button", {
        type: "button", role: "radio", class: "thumb", title: name, "aria-label": name,
        "aria-checked": "false", tabindex: "-1",
        onclick: () => onPick(layer, head),
        onkeydown: (event) => step(event, layer, head),
      });
      thumbs.push({ button, layer, head });
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

  let waiting = [];
  let [frame, timer, quick] = [0, 0, true];

  function repaint() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    waiting = [...thumbs];
    if (quick) frame = requestAnimationFrame(slice);
    else timer = setTimeout(() => (frame = requestAnimationFrame(slice)), REST);
  }

  const slice = guard(element, () => {
    const until = performance.now() + SLICE;
    while (waiting.length && performance.now() < until) paintThumb(waiting.shift());
    quick = waiting.length === 0 && quick;
    if (waiting.length) frame = requestAnimationFrame(slice);
  });

  function paintThumb({ button, layer, head }) {
    paint(scratch, layer, head);
    const ratio = devicePixelRatio;
    const size = (button.offsetWidth - 2 * inset) * ratio;
    context.imageSmoothingEnabled = scratch.width > size;
    context.drawImage(scratch, (button.offsetLeft + inset) * ratio, (button.offsetTop + inset) * ratio, size, size);
  }

  function resize() {
    const [width, height] = [element.clientWidth * devicePixelRatio, element.clientHeight * devicePixelRatio];
    if (!width || (canvas.width === Math.round(width) && canvas.height === Math.round(height))) return;
    [canvas.width, canvas.height] = [Math.round(width), Math.round(height)];
    repaint();
  }

  let chosen;
  function select(layer, head) {
    chosen?.setAttribute("aria-checked", "false");
    chosen?.setAttribute("tabindex", "-1");
    chosen = thumbs[layer * heads + head].button;
    chosen.setAttribute("aria-checked", "true");
    chosen.setAttribute("tabindex", "0");
  }

  return { element, repaint, resize, select };
}
