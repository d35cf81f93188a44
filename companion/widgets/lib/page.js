/**
 * The host on a page without a kernel: a model over the saved state, and the module's own source.
 * Bytes in the state come as {"base64": "…"} and are handed on as a DataView, as a kernel's would be.
 */
const revive = (_, value) =>
  value && typeof value.base64 === "string"
    ? new DataView(Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)).buffer)
    : value;

const UNREACHABLE =
  "The model lives on the book's site, and this page is not there (or cannot be reached by scripts, as a file opened from disk).";

/** Hands a question to the book's live.js, which is fetched with the first one. */
async function askPage(content, buffers, reply) {
  const root = document.documentElement.dataset.content_root;
  try {
    if (root === undefined || location.protocol === "file:") throw new Error(UNREACHABLE);
    const page = await import(new URL(`${root}_static/live.js`, document.baseURI).href);
    page.answer(content, buffers, reply);
  } catch (error) {
    reply({ id: content.id, error: error.message });
  }
}

function savedModel(state) {
  const listeners = new Map();
  const hear = (event, ...args) => [...(listeners.get(event) ?? [])].forEach((callback) => callback(...args));
  return {
    get: (name) => state[name],
    set(name, value) {
      if (Object.is(state[name], value)) return; // as a kernel's model: no change, no event
      state[name] = value;
      hear(`change:${name}`);
    },
    on: (event, callback) => listeners.set(event, [...(listeners.get(event) ?? []), callback]),
    off: (event, callback) =>
      listeners.set(event, (listeners.get(event) ?? []).filter((other) => other !== callback)),
    save_changes() {},
    send: (content, _, buffers) => askPage(content, buffers, (...reply) => hear("msg:custom", ...reply)),
  };
}

export async function start(id) {
  const place = document.getElementById(id);
  const [state, source] = place.querySelectorAll("script");
  const still = place.querySelector("figure");
  const el = document.createElement("div");
  let url;
  try {
    const model = savedModel(JSON.parse(state.textContent, revive));
    url = URL.createObjectURL(new Blob([JSON.parse(source.textContent)], { type: "text/javascript" }));
    const module = await import(url);
    still.replaceWith(el);
    await module.default.render({ model, el });
  } catch (error) {
    if (!el.shadowRoot?.querySelector(".error")) {
      const message = document.createElement("p");
      message.setAttribute("role", "alert");
      message.textContent = `This figure could not be drawn: ${error.message}`;
      place.append(message);
    }
    throw error;
  } finally {
    URL.revokeObjectURL(url);
  }
}
