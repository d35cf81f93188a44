// Draws the plotly figures of a page, in the page's colours, with the book's own plotly.js.
(() => {
  const places = document.querySelectorAll(".companion-plot");
  if (!places.length) return;
  const own = new URL("vendor/plotly.js", document.currentScript.src).href;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--companion-${name}`).trim();
  const look = () => {
    const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("muted"), automargin: true };
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("ink"), family: "system-ui, sans-serif", size: 14 },
      colorway: ["accent", "key", "query", "value"].map(colour),
      margin: { l: 60, r: 20, t: 50, b: 50 },
      hoverlabel: { font: { family: "system-ui, sans-serif" } },
      xaxis: axis, yaxis: axis,
    };
  };

  const draw = () => {
    for (const place of places) {
      place.figure ??= JSON.parse(place.querySelector("script").textContent);
      const { data, layout } = structuredClone(place.figure);
      // plotly keeps no alpha-less defaults of ours: the look is a template, so a figure's own wishes win.
      layout.template = { layout: look() };
      window.Plotly.react(place, data, layout, { responsive: true, displayModeBar: false });
    }
  };

  const script = document.createElement("script");
  script.src = own;
  script.onload = () => {
    draw();
    new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  };
  document.head.append(script);
})();
