import { h, put, renew } from "./dom.js";
import { bucketOf, norm, range, sectors, unit } from "./hashing.js";

const NS = "http://www.w3.org/2000/svg";
const SIZE = 336; // of the drawing; the style sheet may shrink it
const MIDDLE = SIZE / 2;
const RIM = { 2: 104, 3: 142 }; // around a circle there is room for dots that lie side by side
const LANES = [0, 25, 50]; // how far outside the rim a dot may step aside
const ASIDE = 0.27; // radians that two dots on one lane need between them
const LONGEST = 58; // of the arrows
const TINT = 0.22; // how strong the colour of a bucket is behind the dots
const TURN = Math.PI / 36; // of one press of an arrow key

const HUES = ["query", "key", "value", "second", "accent", "first", "bad", "muted"];

export const letter = (bucket) => "ABCDEFGH"[bucket];
export const hue = (bucket) => `--hue:var(--${HUES[bucket]})`;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const polar = (radius, angle) => [MIDDLE + radius * Math.cos(angle), MIDDLE - radius * Math.sin(angle)];

/** The rotation, as rows, that shows the world from where the reader has turned it to. */
function rotation([yaw, pitch]) {
  const [c, s, C, S] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [[c, 0, s], [S * s, C, -S * c], [-C * s, S, C * c]];
}

const times = (rows, x) => rows.map((row) => row.reduce((sum, value, i) => sum + value * x[i], 0));
const transposed = (rows) => rows.map((_, i) => rows.map((row) => row[i]));

/**
 * A circle (d_k = 2) or a sphere (d_k = 3) with its buckets, the arrows of one hash round, and a dot for each
 * vector. `onPick(i)` hears which dot was taken, `onMove(i, direction)` where it goes, `onTurn(view)` how the
 * sphere was turned. Arrow keys move the dot that was picked.
 */
export function space({ length, dimensions, onPick, onMove, onTurn }) {
  const flat = dimensions === 2;
  const radius = RIM[dimensions];
  let shown;
  let held = null; // what the pointer holds: {dot, side} or {from, view}
  let painted = "";

  const canvas = h("canvas", { width: 2 * radius, height: 2 * radius });
  const drawing = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, "aria-hidden": "true" });
  const slider = { role: "slider", "aria-valuemin": 0, "aria-valuemax": 359 };
  const dots = range(length).map((i) => h("div", {
    ...slider, onpointerdown: (event) => take(event, i), onkeydown: (event) => push(event, i), onfocus: () => i !== shown.picked && onPick(i),
  }, h("b", {}, String(i)), h("span")));
  const globe = flat ? null : h("div", {
    ...slider, class: "globe", tabindex: "0", "aria-label": "Turn the sphere",
    onpointerdown: (event) => {
      held = { from: [event.clientX, event.clientY], view: shown.view };
      globe.setPointerCapture(event.pointerId);
    },
    onkeydown: (event) => arrow(event, ([x, y]) => turn(shown.view, 3 * TURN * x, -3 * TURN * y)),
  });
  const element = h("div", { class: "space", onpointermove: drag, onpointerup: drop, onpointercancel: drop }, flat ? null : canvas, drawing, globe, ...dots);

  const turn = ([yaw, pitch], dx, dy) => onTurn([yaw + dx, Math.max(-1.4, Math.min(1.4, pitch + dy))]);
  const project = (x) => (flat ? [...unit(x), 0] : times(rotation(shown.view), unit(x)));

  function take(event, i) {
    if (event.button) return;
    event.preventDefault();
    onPick(i);
    dots[i].focus({ preventScroll: true });
    dots[i].setPointerCapture(event.pointerId);
    held = { dot: i, side: project(shown.vectors[i])[2] < 0 ? -1 : 1 };
  }

  function drag(event) {
    if (!held) return;
    if (held.dot === undefined) {
      return turn(held.view, (event.clientX - held.from[0]) / radius, (event.clientY - held.from[1]) / radius);
    }
    const box = element.getBoundingClientRect();
    const scale = SIZE / box.width / radius;
    const [x, y] = [(event.clientX - box.left - box.width / 2) * scale, (box.top + box.height / 2 - event.clientY) * scale];
    const far = Math.hypot(x, y);
    if (far < 0.05 && flat) return; // at the middle there is no direction
    if (flat || far >= 1) return onMove(held.dot, world([x / far, y / far, 0]));
    onMove(held.dot, world([x, y, held.side * Math.sqrt(1 - far * far)]));
  }

  function drop() {
    held = null;
  }

  const world = (seen) => (flat ? seen.slice(0, 2) : times(transposed(rotation(shown.view)), seen));

  function arrow(event, go) {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    go(way);
  }

  /** On the circle an arrow key turns the vector; on the sphere it moves it the way the arrow points. */
  const push = (event, i) => arrow(event, ([x, y]) => {
    const [a, b, c] = project(shown.vectors[i]);
    const [cos, sin] = [Math.cos(TURN), Math.sin(TURN) * (flat ? y - x : x + y)];
    if (flat) return onMove(i, [a * cos - b * sin, a * sin + b * cos]);
    onMove(i, world(x ? [a * cos + c * sin, b, c * cos - a * sin] : [a, b * cos + c * sin, c * cos - b * sin]));
  });

  function draw(figure) {
    shown = figure;
    const { directions, view, colours } = figure;
    const state = JSON.stringify([directions, view, colours.paper]);
    if (state !== painted) {
      painted = state;
      renew(drawing, ...(flat ? pie(directions) : paintSphere(canvas, figure, radius)), ...arrows(directions, project));
    }
    placeDots();
    if (globe) put(globe, { "aria-valuenow": degrees(view[0]) });
  }

  function placeDots() {
    const places = shown.vectors.map(project);
    const spots = flat ? sideBySide(places, shown.picked) : places.map(([x, y]) => [MIDDLE + radius * x, MIDDLE - radius * y]);
    dots.forEach((dot, i) => {
      const bucket = shown.buckets[i];
      const picked = i === shown.picked;
      const angle = degrees(Math.atan2(places[i][1], places[i][0]));
      put(dot, {
        class: `dot ${picked ? "picked" : ""} ${places[i][2] < 0 ? "far" : ""}`,
        style: `left:${percent(spots[i][0])};top:${percent(spots[i][1])};${hue(bucket)}`,
        "data-exact": shown.vectors[i], tabindex: picked ? 0 : -1, "aria-label": shown.names[i],
        "aria-valuenow": angle, "aria-valuetext": `${angle} degrees, bucket ${letter(bucket)}`,
      });
      renew(dot.lastChild, letter(bucket));
    });
  }

  return { element, draw };
}

const degrees = (angle) => ((Math.round((angle * 180) / Math.PI) % 360) + 360) % 360;
const percent = (x) => `${(100 * x) / SIZE}%`;

/** Where dots stand that would cover one another: the picked one on the rim, others further out. */
function sideBySide(places, picked) {
  const angles = places.map(([x, y]) => Math.atan2(y, x));
  const lanes = LANES.map(() => []);
  const spots = new Array(angles.length);
  for (const i of new Set([picked, ...angles.keys()])) {
    const apart = (other) => Math.abs(((angles[i] - other + 3 * Math.PI) % (2 * Math.PI)) - Math.PI);
    const free = lanes.findIndex((lane) => lane.every((other) => apart(other) >= ASIDE));
    const lane = free < 0 ? LANES.length - 1 : free;
    lanes[lane].push(angles[i]);
    spots[i] = polar(RIM[2] + LANES[lane], angles[i]);
  }
  return spots;
}

const named = (bucket, x, y) => svg("text", { class: "name", style: hue(bucket), x, y: y + 6 }, letter(bucket));

/** The sectors of a circle, each with the letter of its bucket. */
function pie(directions) {
  const radius = RIM[2];
  return sectors(directions).flatMap(({ from, to, bucket }) => {
    const large = to - from > Math.PI ? 1 : 0;
    const way = `M${MIDDLE} ${MIDDLE}L${polar(radius, from)}A${radius} ${radius} 0 ${large} 0 ${polar(radius, to)}Z`;
    const [x, y] = polar(radius - 31, (from + to) / 2);
    return [svg("path", { class: "region", style: hue(bucket), d: way }), named(bucket, x, y)];
  });
}

/** An arrow along each direction and, dashed, along its opposite; as long as the direction is. */
function arrows(directions, project) {
  const size = LONGEST / Math.max(...directions.map(norm));
  return directions.flatMap((direction, k) => [1, -1].map((sign) => {
    const [x, y, z] = project(direction).map((value) => sign * value * size * norm(direction));
    const [tipX, tipY] = [MIDDLE + x, MIDDLE - y];
    const long = Math.hypot(x, y) || 1;
    const [dx, dy] = [(7 * x) / long, (-7 * y) / long];
    const head = `M${tipX + dx} ${tipY + dy}L${tipX - dy * 0.6} ${tipY + dx * 0.6}L${tipX + dy * 0.6} ${tipY - dx * 0.6}Z`;
    return svg("g", { class: `arrow ${sign < 0 ? "opposite" : ""} ${z < -1e-9 ? "far" : ""}`, style: hue(sign > 0 ? k : k + directions.length), "data-exact": direction },
      svg("line", { x1: MIDDLE, y1: MIDDLE, x2: tipX, y2: tipY }), svg("path", { d: head }));
  }));
}

/** Tints the near side of the sphere by bucket. Returns the letters of its regions, as SVG. */
function paintSphere(canvas, { directions, view, colours }, radius) {
  const seen = directions.map((direction) => times(rotation(view), direction));
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const paper = rgb(colours.paper);
  const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  const tint = (hue) => rgb(colours[hue]).map((channel, c) => Math.round(paper[c] + TINT * (channel - paper[c])));
  const sums = range(2 * directions.length).map(() => [0, 0, 0]);
  const tints = sums.map((_, bucket) => pixel(tint(HUES[bucket])));
  const size = 2 * radius;
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  const buckets = new Int8Array(size * size).fill(-1);
  const differs = (at, bucket) => at >= 0 && buckets[at] >= 0 && buckets[at] !== bucket;
  const point = [0, 0, 0];
  for (let line = 0, at = 0; line < size; line++) {
    for (let column = 0; column < size; column++, at++) {
      point[0] = (column + 0.5 - radius) / radius;
      point[1] = (radius - line - 0.5) / radius;
      const deep = 1 - point[0] ** 2 - point[1] ** 2;
      if (deep < 0) continue;
      point[2] = Math.sqrt(deep);
      const bucket = bucketOf(point, seen);
      buckets[at] = bucket;
      const total = sums[bucket];
      total[0] += column;
      total[1] += line;
      total[2] += 1;
      pixels[at] = differs(at - 1, bucket) || differs(at - size, bucket) ? pixel(paper) : tints[bucket];
    }
  }
  context.putImageData(image, 0, 0);
  return sums.flatMap(([x, y, count], bucket) => (count < 900 ? [] : named(bucket, MIDDLE - radius + x / count, MIDDLE - radius + y / count)));
}
