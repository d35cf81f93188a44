import style from "./style.css";
import { guard, h } from "./dom.js";
import { followTheme } from "./theme.js";

/**
 * Makes an anywidget module of `draw({ model, root, onTheme })`. The widget lives in a shadow root, so that
 * neither the book's style nor the notebook's leaks in. `draw` may return a function that cleans up.
 * An error is shown in the widget's place and thrown on, so that the console (and a test) sees it too.
 */
export function defineWidget(css, draw) {
  return {
    render({ model, el }) {
      const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
      root.replaceChildren(h("style", {}, style + css));
      root.addEventListener("widget-error", ({ detail }) => showError(root, detail));

      const listeners = new Set();
      let colours;
      const cleanups = [
        followTheme(guard(root, (next, mode) => {
          colours = next;
          el.style.colorScheme = mode;
          for (const [name, value] of Object.entries(colours)) {
            if (typeof value === "string") el.style.setProperty(`--${name}`, value);
          }
          listeners.forEach((listener) => listener(colours));
        })),
      ];
      const onTheme = (listener) => {
        listeners.add(listener);
        listener(colours);
      };
      const start = guard(root, () => draw({ model: guardModel(model, root, cleanups), root, onTheme }));
      const cleanup = start();
      if (cleanup) cleanups.push(cleanup);
      return () => cleanups.forEach((run) => run());
    },
  };
}

function showError(root, error) {
  root.querySelector(".error")?.remove();
  root.append(h("div", { class: "error", role: "alert" }, `This figure stopped working: ${error.message}`));
}

/** `model`, whose listeners are guarded and taken off when the view goes. */
function guardModel(model, root, cleanups) {
  return {
    get: (name) => model.get(name),
    set(name, value) {
      model.set(name, value);
      model.save_changes();
    },
    send: (content, buffers) => model.send(content, undefined, buffers),
    on(event, callback) {
      const listener = guard(root, callback);
      model.on(event, listener);
      cleanups.push(() => model.off(event, listener));
    },
  };
}
