import { bytesText } from "./bytes.js";
import { h, renew } from "./dom.js";
import { livingAt, PARTS } from "./memory.js";

const NS = "http://www.w3.org/2000/svg";
const ROWS = 8; // tensors named one by one; the rest is summed up

const path = (name) => {
  const element = document.createElementNS(NS, "path");
  element.setAttribute("class", name);
  return element;
};

function canvas(...paths) {
  const element = document.createElementNS(NS, "svg");
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("aria-hidden", "true");
  element.append(...paths);
  return element;
}

/** Tensors, those of one kind in all layers together: [{key, name, part, tensors, bytes}, …], largest first. */
export function kindsOf(given) {
  const kinds = {};
  for (const tensor of given) {
    const name = tensor.name.replace(/ \d+$/, "");
    const kind = (kinds[tensor.part + name] ??= { key: tensor.part + name, name, part: tensor.part, tensors: [], bytes: 0 });
    kind.tensors.push(tensor);
    kind.bytes += tensor.bytes;
  }
  return Object.values(kinds).sort((a, b) => b.bytes - a.bytes);
}

/**
 * One training step: bytes in each moment as a stacked area, and below, when each tensor lives that does in the
 * moment shown. `onPick(moment)` hears where a reader presses or drags.
 */
export function film(onPick) {
  let shown;
  const areas = PARTS.map((part) => path(`area ${part}`));
  const ghost = path("ghost");
  const svg = canvas(...areas, ghost);
  const line = h("span", { class: "line" });
  const fullest = h("span", { class: "fullest" }, "▼");
  const [highest, limit] = [h("span", {}), h("span", { class: "at" })];
  const [name, total] = [h("strong"), h("span", { class: "number total" })];
  const halves = h("div", { class: "halves label" }, h("span", {}, "forward"), h("span", {}, "backward"));
  const rows = Array.from({ length: ROWS + 1 }, () => {
    const [swatch, label, number] = [h("span", { class: "swatch" }), h("span", {}), h("span", { class: "number size" })];
    const [others, living] = [path("others"), path("living")];
    const drawing = canvas(others, living);
    return { swatch, label, number, others, living, drawing, element: h("div", { class: "tensor" }, h("span", { class: "name" }, swatch, label), h("span", { class: "track" }, drawing), number) };
  });
  const stage = h("div", { class: "track stage", onpointerdown: begin, onpointermove: (event) => event.buttons && pick(event) }, svg, line, fullest);
  const element = h("div", {},
    h("div", { class: "tensor first" }, h("div", { class: "name" }, total, name), stage, h("span", { class: "scale label", "aria-hidden": "true" }, highest, limit)),
    h("div", { class: "tensor" }, h("span", { class: "name label" }, "in memory now"), halves, h("span")),
    ...rows.map((row) => row.element));

  function begin(event) {
    stage.setPointerCapture(event.pointerId);
    pick(event);
  }

  function pick(event) {
    const box = stage.getBoundingClientRect();
    const n = shown.plan.moments.length;
    onPick(Math.min(n - 1, Math.max(0, Math.floor((n * (event.clientX - box.left)) / box.width))));
  }

  /** Draws what does not change with the moment: areas, the ghost of another plan, the fullest moment. */
  function set(plan, other, unit, limitBytes) {
    const n = plan.moments.length;
    const top = 1.04 * Math.max(plan.totals[plan.peak], other ? other.totals[other.peak] : 0);
    const y = (bytes) => 100 - (100 * bytes) / top;
    const sums = plan.moments.map(() => 0);
    const byPart = Object.fromEntries(PARTS.map((part) => [part, new Float64Array(n)]));
    for (const { part, bytes, first, last } of plan.allocations) for (let i = first; i <= last; i++) byPart[part][i] += bytes;
    shown = { plan, unit, lives: Object.fromEntries(kindsOf(plan.allocations).map(({ key, tensors }) => [key, tensors])) };
    PARTS.forEach((part, k) => {
      const lower = [...sums];
      byPart[part].forEach((bytes, i) => (sums[i] += bytes));
      const above = sums.map((bytes, i) => `V${y(bytes)}H${i + 1}`).join("");
      const below = lower.map((bytes, i) => `V${y(bytes)}H${i}`).reverse().join("");
      areas[k].setAttribute("d", `M0 ${y(lower[0])}${above}${below}Z`);
    });
    ghost.setAttribute("d", other ? `M0 ${y(other.totals[0])}${other.totals.slice(0, n).map((bytes, i) => `V${y(bytes)}H${i + 1}`).join("")}` : "");
    svg.setAttribute("viewBox", `0 0 ${n} 100`);
    element.style.setProperty("--moments", n);
    fullest.style.left = `${(100 * (plan.peak + 0.5)) / n}%`;
    line.hidden = limit.hidden = limitBytes > top;
    line.style.top = limit.style.top = `${y(limitBytes)}%`;
    limit.textContent = bytesText(limitBytes, "GB");
    highest.textContent = y(limitBytes) < 14 && limitBytes <= top ? "" : bytesText(top / 1.04, unit);
    halves.style.gridTemplateColumns = `${plan.turn}fr ${n - plan.turn}fr`;
    halves.lastChild.hidden = n === plan.turn;
  }

  function draw(wanted) {
    const { plan, unit } = shown;
    const moment = Math.min(wanted, plan.moments.length - 1);
    element.style.setProperty("--moment", moment);
    renew(name, plan.moments[moment]);
    renew(total, bytesText(plan.totals[moment], unit));
    const living = kindsOf(livingAt(plan, moment));
    const small = living.slice(ROWS);
    const rest = small.length && { name: `and ${small.length} more`, tensors: [], bytes: small.reduce((sum, { bytes }) => sum + bytes, 0), part: "rest" };
    rows.forEach((row, k) => {
      const kind = k < ROWS ? living[k] : rest;
      row.element.classList.toggle("empty", !kind);
      if (!kind) return;
      row.swatch.className = `swatch ${kind.part}`;
      row.drawing.setAttribute("class", kind.part);
      renew(row.label, kind.tensors.length > 1 ? `${kind.name} × ${kind.tensors.length}` : kind.name);
      renew(row.number, bytesText(kind.bytes, unit));
      lives(row, shown.lives[kind.key] ?? [], moment, plan.moments.length);
    });
  }

  /** A bar for each tensor of a kind, from its first moment to its last; those that live together lie in lanes. */
  function lives(row, tensors, moment, n) {
    const ends = [];
    tensors.sort((a, b) => a.first - b.first);
    const lanes = tensors.map(({ first, last }) => {
      const free = ends.findIndex((end) => end < first);
      const lane = free < 0 ? ends.length : free;
      ends[lane] = last;
      return lane;
    });
    const height = Math.min(9, 26 / (ends.length || 1));
    const paths = ["", ""];
    tensors.forEach(({ first, last }, i) => {
      const top = 13 + (lanes[i] - ends.length / 2) * height;
      paths[Number(first <= moment && moment <= last)] += `M${first} ${top}H${last + 1}v${0.84 * height}H${first}Z`;
    });
    row.drawing.setAttribute("viewBox", `0 0 ${n} 26`);
    row.others.setAttribute("d", paths[0]);
    row.living.setAttribute("d", paths[1]);
  }

  return { element, set, draw };
}
