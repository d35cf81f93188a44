"""axe-core: what WCAG 2.2 AA asks for, as far as a machine can tell."""

from pathlib import Path

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Lines are made on the page: all that axe returns, what passed included, takes longer to fetch than to find.
# A colour that is on its way from light to dark is nobody's to read: a transition has two seconds to end.
_VIOLATIONS = """async () => {
  const changing = () => document.getAnimations().some((one) => one.effect.getComputedTiming().endTime < Infinity);
  for (let i = 0; i < 100 && changing(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const {violations} = await axe.run(document, {runOnly, resultTypes: ['violations']});
  return violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target} ${node.any[0]?.message ?? rule.help}`));
}"""


def violations(page: Page) -> list[str]:
    """Return what axe finds, one line for each element."""
    page.add_script_tag(content=_SCRIPT.read_text("utf-8"))
    return page.evaluate(_VIOLATIONS)
