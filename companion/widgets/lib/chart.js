import { h } from "./dom.js";

const HEIGHT = 150;
const EDGE = { left: 34, right: 8, top: 8, bottom: 22 };

/**
 * A small plot on a canvas. `draw({ x: [from, to], y: [from, to], log, ticks, layers })` paints it: `ticks` are
 * [value, text] on the left, `ends` two texts below; each layer is a function of {context, at}, where at(x, y) are
 * pixels. `onPick(x)` hears where a reader presses or drags.
 */
export function chart(onPick) {
  let shown;
  const canvas = h("canvas", {
    class: onPick ? "chart pickable" : "chart", "aria-hidden": "true",
    onpointerdown: (event) => {
      if (!onPick) return;
      canvas.setPointerCapture(event.pointerId);
      pick(event);
    },
    onpointermove: (event) => onPick && event.buttons && pick(event),
  });

  function pick(event) {
    const [from, to] = shown.x;
    const inside = canvas.clientWidth - EDGE.left - EDGE.right;
    const share = (event.clientX - canvas.getBoundingClientRect().left - EDGE.left) / inside;
    onPick(from + Math.min(1, Math.max(0, share)) * (to - from));
  }

  function draw(figure, colours) {
    shown = figure;
    const width = canvas.clientWidth;
    if (!width) return;
    const ratio = devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = HEIGHT * ratio;
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const share = (value, [from, to]) => (value - from) / (to - from || 1);
    const at = (x, y) => [
      EDGE.left + share(x, figure.x) * (width - EDGE.left - EDGE.right),
      HEIGHT - EDGE.bottom - share(y, figure.y) * (HEIGHT - EDGE.top - EDGE.bottom),
    ];
    axes(context, at, figure, colours);
    for (const layer of figure.layers) layer(context, at);
  }

  return { element: canvas, draw };
}

function axes(context, at, { x, y, ticks, ends }, colours) {
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colours.muted;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const [value, text] of ticks) {
    stroke(context, [at(x[0], value), at(x[1], value)]);
    context.fillText(text, at(x[0], value)[0] - 4, at(x[0], value)[1]);
  }
  context.textBaseline = "top";
  ends.forEach((text, i) => {
    context.textAlign = i ? "right" : "left";
    context.fillText(text, at(x[i], y[0])[0], at(x[i], y[0])[1] + 6);
  });
}

/** Draws a line through points; `dash` as in setLineDash. */
export function stroke(context, points, dash = []) {
  context.setLineDash(dash);
  context.beginPath();
  points.forEach((point) => context.lineTo(...point));
  context.stroke();
  context.setLineDash([]);
}

/** Draws a dot. */
export function dot(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
