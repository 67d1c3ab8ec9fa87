"""Annotations of a chart as labelled marks that do not collide: flags above the plot with their
text, or numbers with a list where there are too many."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.analytics.pictures.axes import Frame, Horizontal
from app.analytics.pictures.instants import day_words, milliseconds, moment
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
    is_elsewhere: bool = False  # on a day that the axis does not reach


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
                day = _day(rows.axis, item)
                is_elsewhere = day is not None and not rows.axis.low <= day <= rows.axis.high
                place = rows.axis.values[row] if day is None or is_elsewhere else day
                note = Note(
                    rows.axis.place(place, frame),
                    str(item.get("kind") or "note"),
                    text,
                    rows.axis.words(row) if day is None else day_words(day),
                    is_elsewhere,
                )
                found.append(note)
    return sorted(found, key=lambda note: note.x)


def _day(axis: Horizontal, item: Mapping[str, Any]) -> float | None:
    """When it happened, if it says so and the axis is time; it may lie beside the axis."""
    day = item.get("happened_on")
    if not axis.is_time or not isinstance(day, str):
        return None
    try:
        return milliseconds(day)
    except (ValueError, OverflowError):
        return None


def _label(note: Note) -> str:
    """The text of a flag, led by its day where the axis cannot show that."""
    word = _WORDS.get(note.kind)
    text = f"{word}: {note.text}" if word and not note.text.startswith(word) else note.text
    return f"{note.when}: {text}" if note.is_elsewhere else text


def flags(notes: Sequence[Note], right: float, size: float) -> list[Flag] | None:
    """The notes with their whole labels, or None if they have no room in the lanes.

    From right to left: a label lies above all labels and flagstaffs that begin inside its width.
    """
    placed: list[Flag] = []
    for note in reversed(notes):
        label = _label(note)
        room = min(right - note.x - size / 2, 20 * size)
        shown = fit(label, size, room)
        if len(shown) < (len(label) if note.is_elsewhere else min(len(label), 12)):
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
