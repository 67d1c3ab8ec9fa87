"""Which signals of a chart are those that are remembered. Pure: rows and charts in, pairs out."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from app import spc
from app.analytics.detections.models import DetectedSignal


class Sight(NamedTuple):
    """A signal as the chart shows it now."""

    fingerprint: str
    signal_id: str
    rule: str
    rule_set: str
    direction: str | None
    meaning: str
    starts_on: date
    ends_on: date
    completed_on: date | None


class Comparison(NamedTuple):
    """What is seen still, for the first time, and no more."""

    kept: list[tuple[DetectedSignal, Sight]]
    new: list[Sight]
    gone: list[DetectedSignal]


def sights_of(chart: spc.Chart) -> list[Sight]:
    """The signals of a chart, each once."""
    days = [date.fromisoformat(day) for day in chart.series.x] if chart.signals else []
    sights = {}
    for signal in chart.signals:
        starts_on = days[signal.start]
        fingerprint = _fingerprint(signal.rule, signal.direction, starts_on)
        sights[fingerprint] = Sight(
            fingerprint,
            signal.id,
            signal.rule,
            chart.rules.name,
            signal.direction,
            signal.meaning,
            starts_on,
            days[signal.end],
            None if signal.completed_at is None else days[signal.completed_at],
        )
    return list(sights.values())


def _fingerprint(rule: str, direction: str | None, starts_on: date) -> str:
    """Neither phase, rule set nor engine is part of it: they change without the process."""
    text = "\x1f".join((rule, direction or "", starts_on.isoformat()))
    return hashlib.sha256(text.encode()).hexdigest()


def compare(remembered: Iterable[DetectedSignal], sights: Sequence[Sight]) -> Comparison:
    """First the same start finds its row, then the same points: a run may begin earlier now."""
    rows = {row.fingerprint: row for row in remembered}
    kept = [(rows.pop(sight.fingerprint), sight) for sight in sights if sight.fingerprint in rows]
    known = {sight.fingerprint for _, sight in kept}
    new = []
    for sight in sights:
        if sight.fingerprint in known:
            continue
        row = next((row for row in rows.values() if _overlap(row, sight)), None)
        if row is None:
            new.append(sight)
        else:
            kept.append((rows.pop(row.fingerprint), sight))
    return Comparison(kept, new, list(rows.values()))


def _overlap(row: DetectedSignal, sight: Sight) -> bool:
    """Whether both say the same of some of the same points. Whole phases have their start."""
    return (
        (row.rule, row.direction) == (sight.rule, sight.direction)
        and row.completed_on is not None
        and sight.completed_on is not None
        and row.starts_on <= sight.ends_on
        and sight.starts_on <= row.ends_on
    )
