"""Annotations as flags that do not collide, or as numbers with a list."""

import random

import pytest

from app.analytics.pictures.axes import Frame
from app.analytics.pictures.chart import chart
from app.analytics.pictures.notes import MOST_LANES, Flag, Note, flags, notes_of
from app.analytics.pictures.rows import rows_of
from app.analytics.pictures.style import CANVASES
from app.analytics.pictures.typeset import width
from tests.analytics.pictures.series import LEVEL, document, layer, note, texts

FRAME = Frame(0, 0, 600, 300)
PAGE = CANVASES["page"]


def collide(a: Flag, b: Flag, size: float) -> bool:
    """Whether two labels overlap, or the staff of the one goes through the label of the other."""
    left, right = (a, b) if a.note.x <= b.note.x else (b, a)
    reaches = left.note.x + width(left.label, size) > right.note.x
    return reaches and left.lane <= right.lane


def test_flags_never_collide() -> None:
    chance = random.Random(3)
    placed_at_all = 0
    for _ in range(300):
        notes = sorted(
            Note(chance.uniform(0, 600), "note", "word " * chance.randint(1, 5), "")
            for _ in range(chance.randint(1, 7))
        )
        placed = flags(notes, 700, 11)
        if placed is None:
            continue
        placed_at_all += 1
        assert [flag.note for flag in placed] == notes
        assert all(flag.lane < MOST_LANES for flag in placed)
        pairs = [(a, b) for i, a in enumerate(placed) for b in placed[i + 1 :]]
        assert not any(collide(a, b, 11) for a, b in pairs)
    assert placed_at_all > 50


def test_a_note_stands_on_its_day_where_the_axis_has_it() -> None:
    made = document(
        LEVEL,
        notes={0: "Snow"},
        annotations={
            5: note("Cycle 1", "pdsa_start", "2018-02-07"),
            6: note("Elsewhere", day="1999-01-01"),
            7: note("No day", day="soon"),
        },
    )
    rows = rows_of(made, 600)
    found = {item.text: item for item in notes_of(rows, FRAME)}
    places = [rows.axis.place(value, FRAME) for value in rows.axis.values]
    assert places[5] < found["Cycle 1"].x < places[6]
    assert found["Snow"].x == places[0]
    assert found["Elsewhere"].x == places[6]
    assert found["No day"].x == places[7]
    assert found["Cycle 1"].kind == "pdsa_start"
    said = [found[text].when for text in ("Cycle 1", "Elsewhere", "No day")]
    assert said == ["7 Feb 2018", "1 Jan 1999", "19 Feb 2018"]


def test_what_happened_beside_the_axis_says_when() -> None:
    before = {0: note("Poster", "change", "2017-12-04")}
    assert "4 Dec 2017: Poster" in texts(chart(document(LEVEL, annotations=before), PAGE))
    after = {11: note("Leaflet for all", "pdsa_start", "2018-07-02")}
    assert "2 Jul: Leaflet for all" in texts(chart(document(LEVEL, annotations=after), PAGE))


@pytest.mark.parametrize("odd", ["text alone", {"kind": None, "text": None}, {}, 7])
def test_an_annotation_without_a_text_is_left_out(odd: object) -> None:
    made = document(LEVEL, annotations={3: [odd]})
    assert notes_of(rows_of(made, 600), FRAME) == []


def test_few_notes_are_written_out_and_many_are_numbered() -> None:
    few = chart(document(LEVEL, notes={2: "New rota"}), CANVASES["page"])
    assert "New rota" in texts(few)
    crowd = {row: note(f"Change number {row} of the team", "pdsa_start") for row in range(10)}
    many = chart(document(LEVEL, annotations=crowd), CANVASES["page"])
    assert "1 Jan: Change number 0 of the team" in texts(many)
    assert {"1", "10"} <= set(texts(many))
    assert "PDSA cycle starts" in texts(many)
    shapes = [item["shape"] for item in layer(many, "symbols")["data"]["values"]]
    assert shapes.count("square") >= 10


def test_more_notes_than_have_room_are_counted() -> None:
    crowd = {row: note(f"Change number {row} of the team") for row in range(30)}
    shown = texts(chart(document(LEVEL * 3, annotations=crowd), CANVASES["page"]))
    assert "and 19 earlier" in shown
    assert any("Change number 29" in text for text in shown)
