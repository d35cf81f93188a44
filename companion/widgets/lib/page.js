/**
 * The host on a page without a kernel: a model over the saved state, and the module's own source.
 * Bytes in the state come as {"base64": "…"} and are handed on as a DataView, as a kernel's would be.
 */
const revive = (_, value) =>
  value && typeof value.base64 === "string"
    ? new DataView(Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)).buffer)
    : value;

function savedModel(state) {
  const listeners = new Map();
  return {
    get: (name) => state[name],
    set(name, value) {
      if (Object.is(state[name], value)) return; // as a kernel's model: no change, no event
      state[name] = value;
      for (const callback of [...(listeners.get(`change:${name}`) ?? [])]) callback();
    },
    on: (event, callback) => listeners.set(event, [...(listeners.get(event) ?? []), callback]),
    off: (event, callback) =>
      listeners.set(event, (listeners.get(event) ?? []).filter((other) => other !== callback)),
    save_changes() {},
    send() {},
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
