"""axe-core: what WCAG 2.2 AA asks for, as far as a machine can tell."""

from pathlib import Path

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """Return what axe finds, one line for each element."""
    page.add_script_tag(content=_SCRIPT.read_text("utf-8"))
    result = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", _TAGS)
    return [
        f"{rule['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else rule['help']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
