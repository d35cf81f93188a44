"""Plotly figures on the page: the figure as JSON, drawn by plots.js with the book's own plotly.js."""

import html
import json
from typing import Any, ClassVar

from docutils import nodes

_HEIGHT = 380


class PlotlyRenderer:
    """How myst-nb shows `application/vnd.plotly.v1+json`."""

    mime_priority_overrides: ClassVar = [("html", "application/vnd.plotly.v1+json", 1)]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:  # noqa: ANN401, ARG004, FBT001
        """Return the figure's place on the page, its height kept free."""
        if data.mime_type != "application/vnd.plotly.v1+json":
            return None
        figure = {name: data.content[name] for name in ("data", "layout")}
        title = figure["layout"].get("title", {}).get("text", "A plot")
        height = figure["layout"].get("height", _HEIGHT)
        figure["layout"].pop("template", None)
        content = json.dumps(figure, separators=(",", ":")).replace("<", "\\u003c")
        return [
            nodes.raw(
                "",
                f'<div class="companion-plot" role="img" aria-label="{html.escape(title)}" '
                f'style="height:{height}px"><script type="application/json">{content}</script></div>',
                format="html",
            )
        ]
