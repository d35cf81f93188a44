import { h, put } from "./dom.js";

/**
 * Short texts in a row, of which one is picked by pointing, tapping or with the arrow keys; one stop of the Tab key. `fill(list)` shows
 * {text, label, class} each, by changing the elements that are there: with every letter that is typed, most stay. `select(i)` marks one.
 */
export function chips(label, onPick) {
  const element = h("div", { class: "pieces", role: "radiogroup", "aria-label": label, onclick: pick, onpointerover: pick, onfocusin: pick, onkeydown: walk });
  let chosen = -1;

  const indexOf = (target) => [...element.children].indexOf(target.closest("button"));

  function pick({ target }) {
    const i = indexOf(target);
    if (i >= 0) onPick(i);
  }

  function walk(event) {
    const [i, n] = [indexOf(event.target), element.children.length];
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const edge = { Home: 0, End: n - 1 }[event.key];
    if (i < 0 || (!move && edge === undefined)) return;
    event.preventDefault();
    element.children[edge ?? (i + move + n) % n].focus();
  }

  function fill(list) {
    while (element.children.length > list.length) element.lastChild.remove();
    while (element.children.length < list.length) element.append(h("button", { type: "button", role: "radio", "aria-checked": "false", tabindex: "-1" }, ""));
    list.forEach(({ text, label: name, class: kind }, i) => {
      const button = element.children[i];
      put(button, { class: kind, "aria-label": name });
      if (button.firstChild.data !== text) button.firstChild.data = text;
    });
    element.hidden = !list.length;
    select(-1);
  }

  function select(i) {
    element.children[chosen]?.setAttribute("aria-checked", "false");
    element.children[i]?.setAttribute("aria-checked", "true");
    for (const [at, index] of [[chosen, "-1"], [0, "-1"], [Math.max(0, i), "0"]]) {
      if (element.children[at]) put(element.children[at], { tabindex: index });
    }
    chosen = i;
  }

  return { element, fill, select };
}
