"""Documents to draw, made by the engine from short series."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from app import spc

LEVEL = [28, 31, 29, 32, 30, 27, 31, 30, 29, 32, 28, 31]
RISEN = [41, 43, 42, 44, 41, 43, 42, 44]


def weeks(number: int) -> list[str]:
    return [str(date(2018, 1, 1) + timedelta(weeks=week)) for week in range(number)]


def document(
    values: Sequence[float | None],
    *,
    chart: str = "i",
    x: Sequence[str] | None = None,
    excluded: Sequence[int] = (),
    notes: Mapping[int, str] | None = None,
    annotations: Mapping[int, Sequence[Any]] | None = None,
    phase_labels: Sequence[str | None] = (),
    **settings: Any,
) -> dict[str, Any]:
    """The document of a series of values, a week apart unless labels are given."""
    rows = range(len(values))
    series = spc.Series(
        x=weeks(len(values)) if x is None else list(x),
        values=list(values),
        excluded=[row in excluded for row in rows],
        notes=[(notes or {}).get(row) for row in rows],
    )
    drawn = spc.chart(series, spc.Settings(chart=chart, **settings))
    made = {"as_of": None} | spc.document(drawn, annotations=annotations)
    for phase, label in zip(made["phases"], phase_labels, strict=False):
        phase["label"] = label
    return made


def note(text: str, kind: str = "note", day: str | None = None) -> list[dict[str, Any]]:
    """The annotations of one point."""
    return [{"id": "a", "kind": kind, "text": text, "happened_on": day}]


def layer(specification: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The layer of this name."""
    found: dict[str, Any] = next(item for item in specification["layer"] if item["name"] == name)
    return found


def texts(specification: Mapping[str, Any]) -> list[str]:
    """Every text of a picture."""
    return [item["text"] for item in layer(specification, "texts")["data"]["values"]]
