"""What axe-core finds on a page; the package brings its script, so nothing is fetched."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def violations(page: Page) -> list[str]:
    """Each rule of WCAG 2.2 A and AA, or of good practice, that the page breaks, with the elements."""
    options = {"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]}
    broken_rules = (await Axe().run(page, options=options)).response["violations"]
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes']]}" for rule in broken_rules]
