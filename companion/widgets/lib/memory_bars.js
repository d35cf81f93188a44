import { bytesText } from "./bytes.js";
import { h, renew } from "./dom.js";
import { PARTS } from "./memory.js";
import { roving } from "./roving.js";

/** A bar for each name, by part, a line at `limit` bytes, and one bar as the course notes count. `onPick(i)` hears the reader. */
export function memoryBars(names, limit, onPick) {
  const rowOf = (name) => {
    const segments = PARTS.map((part) => h("span", { class: part }));
    const outside = h("span", { class: "outside" });
    const mark = h("span", { class: "mark" });
    const size = h("span", { class: "number size" });
    const rail = h("span", { class: "rail" }, h("span", { class: "bar" }, ...segments, outside), mark);
    return { segments, outside, mark, size, rail, children: [h("span", { class: "name" }, name), rail, size] };
  };
  const rows = names.map(rowOf);
  const notes = rowOf("as the notes count");
  const group = roving("How the step is run", onPick);
  group.fill(rows.map(({ children }) => ({ children, class: "row" })));
  const line = h("span", { class: "limit" });
  const element = h("div", { class: "bars" },
    h("div", { class: "row head", "aria-hidden": "true" }, h("span", { class: "rail" }, line)),
    h("div", { class: "row notes" }, ...notes.children),
    group.element);

  function fill(row, { parts, total, measured }, top, unit) {
    const width = (bytes) => `${(100 * bytes) / top}%`;
    PARTS.forEach((part, i) => (row.segments[i].style.width = width(parts[part] ?? 0)));
    row.outside.style.width = width(measured?.outside_bytes ?? 0);
    row.mark.hidden = !measured || measured.bytes > top;
    row.mark.style.left = measured ? width(measured.bytes) : "";
    renew(row.size, bytesText(total, unit));
    row.rail.classList.toggle("cut", total > top);
  }

  /** `bars`: [{parts, total, measured?}, …]; `counted`: the same of the notes; the scale ends at `top` bytes. */
  function draw({ bars, counted, top, unit, chosen }) {
    const share = limit / top;
    element.style.setProperty("--limit", share);
    element.classList.toggle("beyond", share > 1);
    line.className = share > 0.8 ? "limit left" : "limit";
    line.textContent = share > 1 ? `${bytesText(limit, "GB")} →` : bytesText(limit, "GB");
    fill(notes, counted, top, unit);
    rows.forEach((row, i) => {
      fill(row, bars[i], top, unit);
      group.name(i, `${names[i]}: ${row.size.textContent}`);
    });
    group.select(chosen);
  }

  return { element, draw };
}
