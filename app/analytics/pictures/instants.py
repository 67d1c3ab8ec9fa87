"""Point labels as instants, and the ticks of a calendar: hours, days, weeks, months, years."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) / timedelta(milliseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HOUR = 3_600_000.0
_DAY = 24 * _HOUR
# Steps from fine to coarse: milliseconds, or months.
_HOURS = tuple((hours * _HOUR, 0) for hours in (1, 3, 6, 12))
_DAYS = tuple((days * _DAY, 0) for days in (1, 2))
_WEEKS = tuple((weeks * 7 * _DAY, 0) for weeks in (1, 2))
_BY_MONTH = tuple((0.0, months) for months in (1, 2, 3, 6))
_BY_YEAR = tuple((0.0, 12 * years) for years in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000))
Step = tuple[float, int]


def instants(labels: Sequence[str]) -> list[float] | None:
    """Milliseconds since 1970 of each label; None unless all are dates that rise."""
    if not labels or not all(map(_DATE.match, labels)):
        return None
    try:
        found = [milliseconds(label) for label in labels]
    except (ValueError, OverflowError):
        return None
    return found if all(a < b for a, b in pairwise(found)) else None


def milliseconds(label: str) -> float:
    """An ISO 8601 date or time; without an offset it is read as UTC."""
    instant = datetime.fromisoformat(label)
    aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    return round((aware - _EPOCH) / timedelta(milliseconds=1))


def moment(value: float) -> datetime:
    """The instant of so many milliseconds; the room beside a point may be no instant any more."""
    return _EPOCH + timedelta(milliseconds=min(max(value, _FIRST), _LAST))


def iso(value: float) -> str:
    """An instant in ISO 8601: the day alone at midnight."""
    return moment(value).isoformat().replace("+00:00", "Z").removesuffix("T00:00:00Z")


def day_words(value: float) -> str:
    """An instant as a date in words: 3 Sep 2018."""
    at = moment(value)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def steps_for(values: Sequence[float]) -> tuple[Step, ...]:
    """Steps of ticks for a series, from that of its own points on."""
    gap = median(b - a for a, b in pairwise(values)) if len(values) > 1 else _DAY
    if gap >= 360 * _DAY:
        return _BY_YEAR
    if gap >= 27 * _DAY:
        return _BY_MONTH + _BY_YEAR
    if gap >= 6.5 * _DAY:
        return _WEEKS + _BY_MONTH + _BY_YEAR
    return (() if gap >= _DAY else _HOURS) + _DAYS + _WEEKS + _BY_MONTH + _BY_YEAR


def count(low: float, high: float, step: Step) -> float:
    """About how many ticks the step makes between the bounds."""
    return (high - low) / (step[0] or step[1] * 30.4 * _DAY)


def places(first: float, low: float, high: float, step: Step) -> list[float]:
    """The ticks of a step: fixed steps count from the first point, the others from January."""
    size, months = step
    if not months:
        start = first - size * ((first - low) // size)
        number = int((high - start) // size) + 1
        return [start + row * size for row in range(number)]
    return [value for value in _month_starts(low, high, months) if low <= value <= high]


def _month_starts(low: float, high: float, months: int) -> Iterator[float]:
    year, month = moment(low).year, moment(low).month
    total = (year * 12 + month - 1) // months * months
    last = moment(high)
    while total <= last.year * 12 + last.month and total < 9999 * 12:
        if total >= 12:
            start = datetime(total // 12, total % 12 + 1, 1, tzinfo=UTC)
            yield (start - _EPOCH) / timedelta(milliseconds=1)
        total += months


def tick_words(values: Sequence[float], step: Step) -> list[list[str]]:
    """The lines of each tick: its own part, below it the larger part where that changes."""
    size, months = step
    lines, above = [], ""
    for value in values:
        at = moment(value)
        month = _MONTHS[at.month - 1]
        if months >= 12:
            lines.append([f"{at.year}"])
            continue
        own = f"{at.day} {month}" if not months else month
        larger = f"{at.year}"
        if not months and size < _DAY:
            own, larger = f"{at:%H:%M}", f"{at.day} {month} {at.year}"
        lines.append([own, larger] if larger != above else [own])
        above = larger
    return lines
