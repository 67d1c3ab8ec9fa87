"""Annotations of a chart as labelled marks that do not collide: flags above the plot with their
text, or numbers with a list where there are too many."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.analytics.pictures.axes import Frame, Horizontal
from app.analytics.pictures.instants import milliseconds, moment
from app.analytics.pictures.rows import Rows
from app.analytics.pictures.typeset import clean, fit, width

MOST_LANES = 3
_WORDS = {"pdsa_start": "PDSA"}


class Note(NamedTuple):
    """One text at one place of the axis."""

    x: float  # pixels
    kind: str
    text: str
    when: str


class Flag(NamedTuple):
    """A note with the lane that its label stands in; lane 0 is the lowest."""

    note: Note
    label: str
    lane: int


def notes_of(rows: Rows, frame: Frame) -> list[Note]:
    """All notes from left to right; a point's own note is one of them."""
    found = []
    for row, point in enumerate(rows.points):
        own = [{"kind": "note", "text": point["note"]}] if point["note"] else []
        for item in [*own, *point["annotations"]]:
            if isinstance(item, Mapping) and (text := clean(str(item.get("text") or ""))):
                place = _place(rows.axis, row, item)
                note = Note(
                    rows.axis.place(place, frame),
                    str(item.get("kind") or "note"),
                    text,
                    rows.axis.words(row),
                )
                found.append(note)
    return sorted(found, key=lambda note: note.x)


def _place(axis: Horizontal, row: int, item: Mapping[str, Any]) -> float:
    """The day on which it happened, where the axis is time and spans that day; else its point."""
    day = item.get("happened_on")
    if axis.is_time and isinstance(day, str):
        try:
            place = milliseconds(day)
        except ValueError:
            return axis.values[row]
        if axis.low <= place <= axis.high:
            return place
    return axis.values[row]


def _label(note: Note) -> str:
    word = _WORDS.get(note.kind)
    return f"{word}: {note.text}" if word and not note.text.startswith(word) else note.text


def flags(notes: Sequence[Note], right: float, size: float) -> list[Flag] | None:
    """The notes with their whole labels, or None if they have no room in the lanes.

    From right to left: a label lies above all labels and flagstaffs that begin inside its width.
    """
    placed: list[Flag] = []
    for note in reversed(notes):
        label = _label(note)
        room = min(right - note.x - size / 2, 20 * size)
        shown = fit(label, size, room)
        if len(shown) < min(len(label), 12):
            return None
        end = note.x + width(shown, size) + 1.3 * size
        lane = max((flag.lane + 1 for flag in placed if flag.note.x < end), default=0)
        if lane >= MOST_LANES:
            return None
        placed.append(Flag(note, shown, lane))
    return placed[::-1]


def numbers(notes: Sequence[Note], size: float) -> list[Flag]:
    """The notes as numbers; those that are close to each other stand in lanes of their own."""
    placed: list[Flag] = []
    for number, note in enumerate(notes, 1):
        taken = {flag.lane for flag in placed if note.x - flag.note.x < 1.6 * size}
        lane = next((lane for lane in range(MOST_LANES) if lane not in taken), MOST_LANES - 1)
        placed.append(Flag(note, str(number), lane))
    return placed


def listed(notes: Sequence[Note], axis: Horizontal) -> list[str]:
    """A line of the list below the plot for each number: the number, a tab, when and what."""
    years = {moment(axis.values[row]).year for row in (0, -1)} if axis.is_time else set()
    year = f" {min(years, default=0)}"
    return [
        f"{number}\t{note.when.removesuffix(year) if len(years) == 1 else note.when}: {note.text}"
        for number, note in enumerate(notes, 1)
    ]
