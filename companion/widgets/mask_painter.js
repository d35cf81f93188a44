import css from "./mask_painter.css";
import { readArray } from "./lib/array.js";
import { rowSteps } from "./lib/attention.js";
import { h, soon } from "./lib/dom.js";
import { drawLayers, leakOf, litLayers } from "./lib/layers.js";
import { ramp } from "./lib/theme.js";
import { defineWidget } from "./lib/widget.js";

const quote = (word) => `“${word}”`;
const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const BESIDE = 6; // words for which mask and drawing have room side by side; mirrored in Python
const same = (one, other) => one.join() === other.join();

export default defineWidget(css, ({ model, root, onTheme }) => {
  const queries = model.get("tokens");
  const source = model.get("source_tokens");
  const presets = model.get("presets");
  const crossed = model.get("crossed");
  const given = model.get("scores") && readArray(model.get("scores"));
  let shades;
  let cells = [];

  const keysOf = () => (model.get("across") ? source : queries);
  const isOpen = (i, j) => model.get("rows")[i][j] === "1";

  function weightsOf(i) {
    const raw = given && !model.get("across") ? given.at(i) : new Float32Array(keysOf().length);
    return rowSteps(raw, { divisor: 1, allowed: (j) => isOpen(i, j), softmax: true, temperature: 1 });
  }

  function setCell(i, j, on) {
    if (isOpen(i, j) === on) return;
    model.set("rows", model.get("rows").map((row, k) => (k === i ? row.slice(0, j) + (on ? "1" : "0") + row.slice(j + 1) : row)));
  }

  function pick(i, j) {
    model.set("row", i);
    model.set("column", j);
  }

  // Masks to begin from, and how many layers.
  const chips = model.get("names").map((name, k) => h("button", {
    type: "button", "aria-pressed": "false",
    onclick: () => {
      model.set("column", Math.min(model.get("column"), presets[k][0].length - 1));
      model.set("across", crossed[k]);
      model.set("rows", presets[k]);
    },
  }, name));
  const slider = h("input", { type: "range", min: 1, max: 6, step: 1, "aria-label": "layers", oninput: () => model.set("layers", Number(slider.value)) });
  const count = h("span", { class: "number count" });
  const controls = h("div", { class: "controls", role: "group", "aria-label": "Masks to begin from" }, h("span", { class: "label" }, "begin from"), ...chips);

  // The mask: a grid with one stop of the Tab key; a stroke paints all cells it crosses alike.
  const grid = h("div", {
    class: "grid", role: "grid", onkeydown: onKey,
    onpointerdown: begin, onpointermove: paint, onpointerup: () => (stroke = null), onpointercancel: undo,
  });
  let stroke = null;

  function cellAt(event) {
    const found = root.elementFromPoint(event.clientX, event.clientY);
    return found?.dataset.row && found.role === "gridcell" ? [Number(found.dataset.row), Number(found.dataset.column)] : null;
  }

  function begin(event) {
    const label = event.target.closest("[role=rowheader]");
    if (label) model.set("row", Number(label.dataset.row));
    const at = cellAt(event);
    if (!at || event.button) return;
    event.preventDefault();
    stroke = { on: !isOpen(...at), before: model.get("rows"), picked: [model.get("row"), model.get("column")] };
    if (grid.isConnected && event.isTrusted) grid.setPointerCapture(event.pointerId);
    setCell(...at, stroke.on);
    pick(...at);
    cells[at[0]][at[1]].focus({ preventScroll: true });
  }

  function paint(event) {
    const at = stroke && cellAt(event);
    if (!at) return;
    setCell(...at, stroke.on);
    pick(...at);
  }

  /** The finger meant to scroll the page, not to paint. */
  function undo() {
    if (!stroke) return;
    model.set("rows", stroke.before);
    pick(...stroke.picked);
    stroke = null;
  }

  function onKey(event) {
    const [i, j] = [model.get("row"), model.get("column")];
    const [rows, columns] = [queries.length, keysOf().length];
    const to = {
      ArrowUp: [Math.max(0, i - 1), j], ArrowDown: [Math.min(rows - 1, i + 1), j],
      ArrowLeft: [i, Math.max(0, j - 1)], ArrowRight: [i, Math.min(columns - 1, j + 1)],
      Home: [i, 0], End: [i, columns - 1],
    }[event.key];
    if (!to && event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!to) return setCell(i, j, !isOpen(i, j));
    pick(...to);
    cells[to[0]][to[1]].focus();
  }

  function buildGrid() {
    const keys = keysOf();
    grid.style.setProperty("--columns", keys.length);
    panels.classList.toggle("stacked", keys.length > BESIDE);
    grid.setAttribute("aria-label", `Mask: rows may look at columns, ${queries.length} by ${keys.length}`);
    cells = queries.map((_, i) => keys.map((_, j) => h("div", { role: "gridcell", "data-row": i, "data-column": j, tabindex: "-1" })));
    grid.replaceChildren(
      h("div", { role: "row", class: "line head" },
        h("span", { role: "columnheader", class: "corner" }, h("span", { class: "asks" }, "looks"), h("span", { class: "answers" }, "at →")),
        ...keys.map((word) => h("span", { role: "columnheader", class: "key" }, h("span", {}, word)))),
      ...queries.map((word, i) => h("div", { role: "row", class: "line" },
        h("span", { role: "rowheader", class: "query", "data-row": i, title: word }, word), ...cells[i])),
    );
  }

  // What can have arrived, and what to say of it.
  const picture = h("div", { class: "picture" });
  const about = h("p", { class: "title" });
  const lines = Array.from({ length: 4 }, () => h("p", {}));
  const code = h("pre", { tabindex: "0", "aria-label": "The mask as Python" });
  const copied = h("span", { class: "label", role: "status" });
  const copy = h("button", { type: "button", onclick: copyCode }, "copy");
  const table = h("div", {});
  const hint = "Tap a cell, or drag over several, to open or close them (keys: arrows and space). Tap a word at the left to follow it.";
  const panels = h("div", { class: "panels" },
    h("div", {}, h("p", { class: "title" }, "What may look where, in each layer"), grid),
    h("div", {}, about, picture));
  root.append(
    h("div", { class: "widget" },
      controls,
      h("p", { class: "label hint" }, hint),
      panels,
      h("div", { class: "below" },
        h("div", { class: "legend", "aria-hidden": "true" },
          h("span", { class: "shut" }), "may not look", h("span", { class: "bar" }), "may look; weight 0 to 1",
          h("span", { class: "dash" }), "looks ahead"),
        h("label", { class: "controls" }, count, slider)),
      h("div", { class: "readout", role: "status" }, ...lines),
      h("details", {}, h("summary", {}, "This mask as Python"), h("div", { class: "controls" }, copy, copied), code),
      h("details", {}, h("summary", {}, "What each word can learn of, as a table"), table)),
  );

  // Room for the longest lines, so that nothing below them moves.
  const letters = Math.max(...[queries, source].map((words) => words.join("").length + 7 * words.length));
  const linesOf = (width) => 2 * Math.ceil((letters + 36) / width);
  root.querySelector(".readout").style.cssText = `--lines:${linesOf(100) + 2};--lines-phone:${linesOf(40) + 3}`;

  async function copyCode() {
    try {
      await navigator.clipboard.writeText(code.textContent);
      copied.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code);
      copied.textContent = "selected: copy it with Ctrl+C or ⌘C";
    }
  }

  function showCells() {
    const [row, column] = [model.get("row"), model.get("column")];
    const keys = keysOf();
    queries.forEach((query, i) => {
      const weights = weightsOf(i);
      grid.children[i + 1].classList.toggle("picked", i === row);
      keys.forEach((key, j) => {
        const cell = cells[i][j];
        const on = isOpen(i, j);
        cell.className = on ? "open" : "shut";
        cell.style.background = on ? shades(weights[j]) : "";
        cell.setAttribute("aria-label", `${quote(query)} may ${on ? "" : "not "}look at ${quote(key)}`);
        cell.setAttribute("aria-selected", String(on));
        cell.tabIndex = i === row && j === column ? 0 : -1;
      });
    });
  }

  function showArrivals(lit) {
    const [rows, row, across] = [model.get("rows"), model.get("row"), model.get("across")];
    const layers = across ? 1 : model.get("layers");
    about.replaceChildren("What can reach ", h("span", { class: "asked" }, queries[row]), across ? " from the source" : ` through ${many(layers, "layer")}`);
    picture.replaceChildren(drawLayers({ rows, query: row, layers, square: !across, queries, keys: keysOf() }));
    picture.querySelectorAll(`rect[data-layer="${layers}"]`).forEach((node) => {
      node.addEventListener("click", () => model.set("row", Number(node.dataset.column)));
    });
    const words = across ? source : queries;
    const learned = words.filter((_, j) => lit[row].has(j)).map(quote).join(", ") || "nothing";
    lines[1].textContent = across
      ? "More layers add nothing here: each of them looks at the same source."
      : `Through ${many(layers, "layer")} it can learn of ${learned}.`;
    table.replaceChildren(h("table", {},
      h("caption", {}, across ? "What each word may look at" : `What can have arrived through ${many(layers, "layer")}`),
      h("tbody", {}, ...queries.map((word, i) => h("tr", {}, h("th", { scope: "row" }, word), h("td", {}, words.filter((_, j) => lit[i].has(j)).join(", ") || "nothing"))))));
  }

  function showVerdict() {
    const [rows, row] = [model.get("rows"), model.get("row")];
    const ways = queries.map((_, i) => leakOf(rows, i, model.get("layers")));
    const leaky = ways.filter(Boolean).length;
    const way = ways[row] ?? ways.find(Boolean);
    const verdict = lines[2];
    verdict.className = model.get("across") ? "" : leaky ? "bad" : "good";
    if (model.get("across")) verdict.textContent = "Another sentence has no “later”: nothing to leak.";
    else if (!leaky) verdict.textContent = "✓ Fit for writing: no word can learn of a later one.";
    else {
      verdict.textContent = `✗ Looks ahead: ${leaky} of ${many(queries.length, "word")} can learn of a later one. `
        + `The way to ${quote(queries[way.at(-1)])}: ${way.map((j) => queries[j]).join(" → ")}.`;
    }
  }

  function draw() {
    const [rows, row, across] = [model.get("rows"), model.get("row"), model.get("across")];
    const keys = keysOf();
    if (cells[0]?.length !== keys.length || grid.dataset.across !== String(across)) buildGrid();
    grid.dataset.across = across;
    chips.forEach((chip, k) => chip.setAttribute("aria-pressed", String(across === crossed[k] && same(rows, presets[k]))));
    slider.value = across ? 1 : model.get("layers");
    slider.disabled = across;
    count.textContent = across ? "1 layer" : many(model.get("layers"), "layer");
    copied.textContent = "";
    showCells();

    const weights = weightsOf(row);
    const seen = keys.map((word, j) => isOpen(row, j) && `${word} ${weights[j].toFixed(2)}`).filter(Boolean);
    lines[0].replaceChildren(h("strong", {}, queries[row]),
      seen.length ? ` may look at ${seen.length} of ${keys.length}; the weights: ${seen.join(" · ")}` : " may look at nothing.");
    const layers = across ? 1 : model.get("layers");
    showArrivals(queries.map((_, i) => litLayers(rows, i, layers, !across)[0]));
    showVerdict();
    const blind = queries.filter((_, i) => !rows[i].includes("1")).map(quote);
    lines[3].textContent = blind.length ? `May look at nothing: ${blind.join(", ")}. A softmax over nothing is NaN, unless code takes care.` : "";
    code.textContent = `mask = torch.tensor([\n${rows.map((bits) => `    [${[...bits].join(", ")}],`).join("\n")}\n], dtype=torch.bool)  # True: may look`;
  }

  const redraw = soon(root, draw);
  for (const name of ["rows", "across", "layers", "row", "column"]) model.on(`change:${name}`, redraw);
  onTheme((colours) => {
    const steps = ramp(colours.weights);
    shades = (weight) => {
      const pixel = steps[Math.round(255 * Math.min(1, weight))];
      return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
    };
    root.querySelector(".legend .bar").style.background = `linear-gradient(to right, ${colours.weights})`;
    draw();
  });
});
