import { ramp } from "./theme.js";

/** Typical size of a vector's numbers. */
export const spread = (vector) => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0) / vector.length);

/** Paints a vector, one pixel a number, on the scale of scores; ±`peak` and beyond have the scale's ends. */
export function paintStrip(canvas, vector, peak, colours) {
  if (canvas.width !== vector.length) canvas.width = vector.length;
  canvas.height = 1;
  const steps = ramp(colours.scores);
  const context = canvas.getContext("2d");
  const image = context.createImageData(vector.length, 1);
  const pixels = new Uint32Array(image.data.buffer);
  vector.forEach((x, i) => {
    const share = Math.max(-1, Math.min(1, x / (peak || 1)));
    pixels[i] = steps[Math.round(127.5 * (1 + share))];
  });
  context.putImageData(image, 0, 0);
}

/** Paints weights as bars that stand side by side, each from 0 to 1. */
export function paintBars(canvas, weights, colours) {
  const [width, height] = [canvas.clientWidth * devicePixelRatio, canvas.clientHeight * devicePixelRatio].map(Math.round);
  if (!width) return;
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const step = width / weights.length;
  context.fillStyle = colours.line;
  context.fillRect(0, height - devicePixelRatio, width, devicePixelRatio);
  context.fillStyle = colours.accent;
  weights.forEach((weight, j) => {
    const tall = weight * height;
    context.fillRect(j * step, height - tall, Math.max(1, step - (step > 4 ? 1 : 0)), tall);
  });
}
