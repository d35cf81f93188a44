// BertViz listens to the mouse alone. Here the focus points, and Enter clicks; arrow keys lead on among things of one kind.
{
  const types = (e) => (e.__on ?? []).map((one) => one.type); // where d3 5 keeps its listeners
  const kind = (e) => e.tagName + types(e);
  const visible = (e) => getComputedStyle(e).visibility === "visible";
  const ring = (e) => [...document.querySelectorAll("svg [tabindex]")].filter((f) => kind(f) === kind(e) && visible(f));

  const name = (e) => {
    if (e.textContent) return e.textContent;
    if (e.parentNode.querySelector(":scope > .plus-sign")) return "show how it is computed";
    if (e.parentNode.querySelector(":scope > .minus-sign")) return "hide how it is computed";
    const [, layer, head] = e.parentNode.firstChild.id.match(/_(\d+)_(\d+)$/) ?? [];
    return layer ? `layer ${layer}, head ${head}` : `head ${[...e.parentNode.children].indexOf(e)}`;
  };

  const make = (type) => new MouseEvent(type, { bubbles: true });
  const press = (e, event) => {
    const all = ring(e);
    const at = all.indexOf(e);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) all[(at + step + all.length) % all.length].focus();
    else if (event.key === "Enter" || event.key === " ") {
      e.dispatchEvent(make(event.shiftKey ? "dblclick" : "click"));
      if (!visible(e)) ring(e)[at]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const reach = () => {
    const seen = new Set();
    for (const e of document.querySelectorAll("svg *")) {
      const heard = types(e);
      if (!heard.includes("click") && !(heard.includes("mouseover") && e.textContent)) continue;
      const group = kind(e) + (e.closest("#expanded, #collapsed")?.id ?? "");
      if (!e.hasAttribute("tabindex")) {
        e.setAttribute("role", heard.includes("click") ? "button" : "group");
        e.setAttribute("aria-label", name(e));
        e.addEventListener("focus", () => {
          for (const f of ring(e)) f.setAttribute("tabindex", f === e ? 0 : -1);
          e.dispatchEvent(make("mouseover"));
        });
        e.addEventListener("blur", () => {
          e.dispatchEvent(make("mouseout"));
          for (let f = e; f; f = f.parentNode) f.dispatchEvent(new MouseEvent("mouseleave"));
        });
        e.addEventListener("keydown", (event) => press(e, event));
        e.setAttribute("tabindex", seen.has(group) ? -1 : 0);
      }
      seen.add(group);
    }
  };
  new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
}
