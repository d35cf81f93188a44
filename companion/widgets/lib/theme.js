import palette from "./palette.json";

/** "dark" or "light", as the page around the widget says: the book, JupyterLab, VS Code, or the system. */
export function currentMode() {
  const { theme } = document.documentElement.dataset;
  if (theme === "dark" || theme === "light") return theme;
  const lab = document.body.dataset.jpThemeLight;
  if (lab) return lab === "false" ? "dark" : "light";
  if (document.body.classList.contains("vscode-dark")) return "dark";
  if (document.body.classList.contains("vscode-light")) return "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Calls `listener(colours, mode)` now and whenever the page changes its mode; returns a function that stops it. */
export function followTheme(listener) {
  let mode;
  const update = () => {
    if (currentMode() === mode) return;
    mode = currentMode();
    listener(palette[mode], mode);
  };
  const observer = new MutationObserver(update);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light", "class"] });
  }
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", update);
  update();
  return () => {
    observer.disconnect();
    query.removeEventListener("change", update);
  };
}

/** A colour scale: 256 steps between the given hexadecimal stops, each as a pixel of an ImageData (ABGR). */
export function ramp(stops) {
  const rgb = stops.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, step) => {
    const x = (step / 255) * (rgb.length - 1);
    const i = Math.min(Math.floor(x), rgb.length - 2);
    const [r, g, b] = rgb[i].map((channel, c) => Math.round(channel + (x - i) * (rgb[i + 1][c] - channel)));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}
