import { h, put } from "./dom.js";

/**
 * A radio group of buttons with contents of their own: one stop of the Tab key, the arrow keys go round.
 * `onPick(i)` hears the reader. `fill(contents)` takes for each button {label, children, class}; `select(i)` marks one.
 */
export function roving(label, onPick, attributes = {}) {
  const element = h("div", { role: "radiogroup", "aria-label": label, ...attributes });
  let buttons = [];
  let chosen = -1;

  function step(event, i) {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const edge = { Home: 0, End: buttons.length - 1 }[event.key];
    if (!move && edge === undefined) return;
    event.preventDefault();
    const next = edge ?? (i + move + buttons.length) % buttons.length;
    buttons[next].focus();
    onPick(next);
  }

  function fill(contents) {
    chosen = -1;
    buttons = contents.map(({ label: name, children, class: kind }, i) =>
      h("button", {
        type: "button", role: "radio", class: kind, "aria-label": name, "aria-checked": "false", tabindex: "-1",
        onclick: () => onPick(i), onkeydown: (event) => step(event, i),
      }, ...children));
    element.replaceChildren(...buttons);
    return buttons;
  }

  function select(i) {
    if (i === chosen) return;
    for (const [at, on] of [[chosen, false], [i, true]]) {
      buttons[at]?.setAttribute("aria-checked", String(on));
      buttons[at]?.setAttribute("tabindex", on ? "0" : "-1");
    }
    chosen = i;
  }

  return { element, fill, select, name: (i, text) => put(buttons[i], { "aria-label": text }) };
}
