"""docs/spc.md names every chart, rule set and known difference, and its pictures are there."""

import re
from pathlib import Path

from app.spc import CHARTS, RULE_SETS
from tests.spc.peers.divergences import DIVERGENCES, OF_COMPARISONS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "spc.md").read_text(encoding="utf-8")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
LARGEST = 60_000  # bytes


def names_of_rows(heading: str) -> list[str]:
    """The first cells of the tables of a section, where they name something."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([a-z0-9_-]+)` \|", section, re.MULTILINE)


def test_every_chart_has_a_row() -> None:
    assert names_of_rows("Charts") == list(CHARTS)


def test_every_rule_set_has_a_row_with_its_version() -> None:
    assert names_of_rows("Rule sets") == list(RULE_SETS)
    for each in RULE_SETS.values():
        assert f"| `{each.name}` | {each.version} |" in PAGE


def test_every_known_difference_has_a_row() -> None:
    known = {each.name for each in (*DIVERGENCES, *OF_COMPARISONS)}
    rows = names_of_rows("Differences from other engines")
    assert set(rows) == known
    assert len(rows) == len(known)


def test_pictures_are_there_are_small_and_have_a_text_alternative() -> None:
    shown = {path: text for text, path in PICTURE.findall(PAGE)}
    there = {f"pictures/{path.name}" for path in (DOCS / "pictures").glob("*.svg")}
    assert shown.keys() == there
    assert all(len(text) > 20 for text in shown.values())
    assert all((DOCS / path).stat().st_size <= LARGEST for path in shown)


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors
