/**
 * Makes an element. Strings become text nodes, never HTML: what a reader types is shown as typed.
 * An error in a listener (`onclick`, `oninput`, …) is told to the widget around it, then thrown on.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), guard(element, value));
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Writes attributes where they differ. (What is written is styled and laid out anew, even if nothing has changed.) */
export function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

/** Gives `element` these children, by changing those that it has, where they differ. For parts that listen to nothing. */
export function renew(element, ...children) {
  const wanted = children.filter((child) => child != null && child !== "").map((child) => (child instanceof Node ? child : new Text(child)));
  wanted.forEach((next, i) => {
    const old = element.childNodes[i];
    if (!old) element.append(next);
    else if (old.nodeName !== next.nodeName) old.replaceWith(next);
    else if (next instanceof Text) old.data === next.data || (old.data = next.data);
    else {
      for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
      put(old, Object.fromEntries([...next.attributes].map(({ name, value }) => [name, value])));
      renew(old, ...next.childNodes);
    }
  });
  while (element.childNodes.length > wanted.length) element.lastChild.remove();
}

/** `callback`, whose error is announced on `target` (a "widget-error" event) before it is thrown on. */
export const guard = (target, callback) => (...args) => {
  try {
    return callback(...args);
  } catch (error) {
    target.dispatchEvent(new CustomEvent("widget-error", { bubbles: true, detail: error }));
    throw error;
  }
};

/** `callback`, run once at the end of the present turn, however often it is asked for until then. */
export function soon(target, callback) {
  let asked = false;
  const run = guard(target, () => {
    asked = false;
    callback();
  });
  return () => {
    if (!asked) queueMicrotask(run);
    asked = true;
  };
}

/** A check box in a chip. Returns {element, box}; `oninput(checked)` hears the reader. */
export function toggle(text, oninput) {
  const box = h("input", { type: "checkbox", oninput: () => oninput(box.checked) });
  return { box, element: h("label", { class: "chip" }, box, text) };
}

/** A radio group of chips. Returns {element, select(i)}; `onpick(i)` hears the reader. */
export function radios(label, options, onpick) {
  const name = `r${Math.random().toString(36).slice(2)}`;
  const boxes = options.map((_, i) => h("input", { type: "radio", name, oninput: () => onpick(i) }));
  const chips = options.map((text, i) => h("label", { class: "chip" }, boxes[i], text));
  const element = h("div", { class: "controls", role: "radiogroup", "aria-label": label }, h("span", { class: "label" }, label), ...chips);
  return { element, select: (i) => boxes.forEach((box, j) => (box.checked = i === j)) };
}
