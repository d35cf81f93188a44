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
      return [box.left - frame.left + box.width / 2, box.top - frame.top];
    };
    const [x1, y1] = place(spans[from]);
    drawing.replaceChildren(
      ...weights.flatMap((weight, j) => {
        spans[j].style.setProperty("--look", `${Math.round(100 * weight)}%`);
        if (weight < 0.02 || j === from) return [];
        const [x2, y2] = place(spans[j]);
        const rise = Math.min(34, 12 + Math.abs(x1 - x2) / 10);
        const path = document.createElementNS(NS, "path");
        path.setAttribute("d", `M${x1},${y1} C${x1},${y1 - rise} ${x2},${y2 - rise} ${x2},${y2}`);
        path.setAttribute("stroke", colours.accent);
        path.setAttribute("stroke-width", 1 + 4 * weight);
        path.setAttribute("stroke-opacity", 0.25 + 0.75 * weight);
        path.setAttribute("fill", "none");
        return [path];
      }));
  }

  return { element, draw };
}
