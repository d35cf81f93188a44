"""The theme's icons: only those it shows, each an SVG mask in one small style sheet."""

import re
from pathlib import Path
from urllib.parse import quote

SOLID = (
    "angle-left", "angle-right", "arrow-up", "bars", "chevron-down", "circle-half-stroke", "download", "expand",
    "file", "file-pdf", "home", "lightbulb", "list", "magnifying-glass", "moon", "pencil", "rocket", "sun",
)  # fmt: skip
BRANDS = ("github",)
_RENAMED = {"home": "house"}


def icon_css(modules: Path) -> str:
    """Return the style sheet; `modules` is the node_modules folder that holds Font Awesome Free."""
    svgs = modules / "@fortawesome/fontawesome-free/svgs"
    rules = [
        "[class*=fa-]{display:inline-block;width:1em;height:1em;vertical-align:-.125em}",
        "[class*=fa-]{background:currentColor;mask:var(--icon) center/contain no-repeat}",
        "[class*=fa-]::before{content:none}",
        ".fa-lg{font-size:1.25em}",
    ]
    for folder, names in (("solid", SOLID), ("brands", BRANDS)):
        for name in names:
            svg = (svgs / folder / f"{_RENAMED.get(name, name)}.svg").read_text("utf-8")
            svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
            rules.append(f".fa-{name}{{--icon:url('data:image/svg+xml,{quote(svg)}')}}")
    return "\n".join(rules)
