import { h } from "./dom.js";

const NS = "http://www.w3.org/2000/svg";

/**
 * Arcs over a sentence, from one word to all the others. `draw(spans, from, weights, colours)` draws them over the
 * words' elements, each as wide and as strong as its weight, and tints the words.
 */
export function arcs(sentence) {
  const drawing = document.createElementNS(NS, "svg");
  drawing.setAttribute("aria-hidden", "true");
  const element = h("div", { class: "arcs" }, drawing, sentence);

  function draw(spans, from, weights, colours) {
    const frame = element.getBoundingClientRect();
    drawing.setAttribute("width", frame.width);
    drawing.setAttribute("height", frame.height);
    const place = (span) => {
      const box = span.getBoundingClientRect();
      return { x: box.left - frame.left + box.width / 2, top: box.top - frame.top, bottom: box.bottom - frame.top };
    };
    const start = place(spans[from]);
    drawing.replaceChildren(
      ...weights.flatMap((weight, j) => {
        spans[j].style.setProperty("--look", `${Math.round(100 * weight)}%`);
        if (weight < 0.02 || j === from) return [];
        const path = document.createElementNS(NS, "path");
        path.setAttribute("d", curve(start, place(spans[j])));
        path.setAttribute("stroke", colours.accent);
        path.setAttribute("stroke-width", 1 + 4 * weight);
        path.setAttribute("stroke-opacity", 0.25 + 0.75 * weight);
        path.setAttribute("fill", "none");
        return [path];
      }));
  }

  return { element, draw };
}

/** Over the words within a line; from one line to another through the room between them, never across a word. */
function curve(a, b) {
  const rise = Math.min(34, 12 + Math.abs(a.x - b.x) / 10);
  if (Math.abs(a.top - b.top) < 10) return `M${a.x},${a.top} C${a.x},${a.top - rise} ${b.x},${b.top - rise} ${b.x},${b.top}`;
  const [y1, y2] = b.top < a.top ? [a.top, b.bottom] : [a.bottom, b.top];
  const middle = b.top < a.top ? (a.top + Math.max(b.bottom, a.top - 24)) / 2 : (a.bottom + Math.min(b.top, a.bottom + 24)) / 2;
  return `M${a.x},${y1} C${a.x},${middle} ${b.x},${middle} ${b.x},${y2}`;
}
