"""Which representation an Accept header asks for."""

import pytest

from app.kit.errors import NotAcceptable
from app.kit.negotiation import CSV, JSON, JSON_LINES, choose

OFFERS = (JSON, CSV, JSON_LINES)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        (BROWSER, JSON),
        ("text/csv", CSV),
        ("TEXT/CSV", CSV),
        ("text/*", CSV),
        ("application/*", JSON),
        ("application/jsonl", JSON_LINES),
        ("text/csv, application/json", JSON),
        ("application/json;q=0.5, text/csv", CSV),
        ("application/json; q=0.5, text/csv;q=0.4, */*;q=0.1", JSON),
        ("*/*, application/json;q=0", CSV),
        ("application/*;q=0.9, application/json;q=0.1", JSON_LINES),
        ("text/csv;header=present;q=0.9", CSV),
        ("text/csv;q=high, application/jsonl;q=0.001", JSON_LINES),
        ("text/html, text/csv;q=1.000", CSV),
        (", ,text/csv", CSV),
    ],
)
def test_chosen(accept: str | None, chosen: str) -> None:
    assert choose(accept, OFFERS) == chosen


@pytest.mark.parametrize(
    "accept",
    ["text/html", "*/*;q=0", "application/json;q=0", "text/csv;q=nan", "text/csv;q=2", "csv", ";"],
)
def test_none_will_do(accept: str) -> None:
    with pytest.raises(NotAcceptable) as refusal:
        choose(accept, OFFERS)
    assert refusal.value.extra == {"offers": list(OFFERS)}


def test_a_range_without_weight_beats_a_vaguer_one() -> None:
    assert choose("text/csv;q=0.2, text/*;q=0.9", (CSV, "text/plain")) == "text/plain"
