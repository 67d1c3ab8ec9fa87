"""What a chart prints beside its numbers: annotations at their points, signals explained. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from app.measures.series import PhaseRow

Printed = dict[str, Any]


class AnnotationRow(NamedTuple):
    """An annotation, stored or computed, as a chart prints it."""

    id: str
    kind: str
    text: str
    happened_on: date
    explains: Sequence[str] = ()  # ids of signals
    pdsa_cycle_ids: Sequence[str] = ()


class Marks(NamedTuple):
    """What people decided about a series, each in the order of its days."""

    phases: Sequence[PhaseRow] = ()
    annotations: Sequence[AnnotationRow] = ()


NO_MARKS = Marks()


def by_row(days: Sequence[date], annotations: Iterable[AnnotationRow]) -> dict[int, list[Printed]]:
    """Annotations by the row that shows them: the latest point that begins on or before their day.

    A period lasts until the next one begins. What happened before the first point stands at the
    first, what happened after the last at the last. Without points nothing can show them.
    """
    placed: dict[int, list[Printed]] = {}
    if days:
        for annotation in annotations:
            row = max(0, bisect_right(days, annotation.happened_on) - 1)
            placed.setdefault(row, []).append(_printed(annotation))
    return placed


def by_signal(annotations: Iterable[AnnotationRow]) -> dict[str, list[Printed]]:
    """What explains each signal. A signal that is no longer there is looked up by nobody."""
    explained: dict[str, list[Printed]] = {}
    for annotation in annotations:
        for signal in annotation.explains:
            cycles = {"pdsa_cycle_ids": list(annotation.pdsa_cycle_ids)}
            explained.setdefault(signal, []).append(_printed(annotation) | cycles)
    return explained


def _printed(annotation: AnnotationRow) -> Printed:
    return {
        "id": annotation.id,
        "kind": annotation.kind,
        "text": annotation.text,
        "happened_on": annotation.happened_on.isoformat(),
    }
