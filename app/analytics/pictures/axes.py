"""The two axes of a chart: what they span, where they have ticks, and where a value lies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from app.analytics.pictures.figures import ticks
from app.analytics.pictures.instants import (
    count,
    day_words,
    instants,
    places,
    steps_for,
    tick_words,
)
from app.analytics.pictures.typeset import clean, width, wrap

_LINES = ("value", "centre", "lower_limit", "upper_limit", "target")


class Frame(NamedTuple):
    """A rectangle of the picture in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height


class Tick(NamedTuple):
    """A place on an axis with the lines of its label."""

    value: float
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """How far along the axis a value lies, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Horizontal(Axis):
    """The axis of the points: time where all labels are dates, else their order."""

    values: list[float] = field(default_factory=list)  # one a row
    labels: list[str] = field(default_factory=list)
    is_time: bool = False

    def place(self, value: float, frame: Frame) -> float:
        """The pixel of a value."""
        return frame.left + self.share(value) * frame.width

    def edges(self) -> list[float]:
        """The borders between neighbouring points, those of the axis first and last."""
        middles = [(a + b) / 2 for a, b in pairwise(self.values)]
        return [self.low, *middles, self.high]

    def words(self, row: int) -> str:
        """The label of a row in words."""
        return day_words(self.values[row]) if self.is_time else self.labels[row]

    def ticks(self, pixels: float, size: float) -> list[Tick]:
        """As many ticks as have room, and no more."""
        if not self.values:
            return []
        return self._calendar(pixels, size) if self.is_time else self._ordinal(pixels, size)

    def _calendar(self, pixels: float, size: float) -> list[Tick]:
        room = pixels / (width("28 May", size) + 1.4 * size)
        steps = steps_for(self.values)
        step = next((s for s in steps if count(self.low, self.high, s) <= room), steps[-1])
        found = places(self.values[0], self.low, self.high, step)
        if not found:  # a short series between two ticks of a coarse calendar
            step, found = (1.0, 0), self.values[:1]
        return [Tick(v, w) for v, w in zip(found, tick_words(found, step), strict=True)]

    def _ordinal(self, pixels: float, size: float) -> list[Tick]:
        rows = len(self.values)
        spacing = pixels / rows
        widest = max(width(label, size) for label in self.labels[:2000])
        room = min(widest, max(9 * size, spacing - size))
        every = max(1, -int(-(room + size) // spacing))
        return [
            Tick(self.values[row], wrap(self.labels[row], size, room, lines=2))
            for row in range(0, rows, every)
        ]


def horizontal(labels: Sequence[str]) -> Horizontal:
    """The axis of these point labels, with half a step of room at both ends."""
    found = instants(labels)
    values = [float(row) for row in range(len(labels))] if found is None else found
    texts = [clean(label) for label in labels]
    if not values:
        return Horizontal(0.0, 1.0)
    span = values[-1] - values[0]
    alone = 43_200_000.0 if found else 0.5
    pad = max(span / max(len(values) - 1, 1) / 2, span * 0.012) if span else alone
    return Horizontal(values[0] - pad, values[-1] + pad, values, texts, found is not None)


@dataclass(frozen=True, slots=True)
class Vertical(Axis):
    """The axis of the values."""

    def place(self, value: float, frame: Frame) -> float:
        """The pixel of a value."""
        return frame.bottom - self.share(value) * frame.height

    def ticks(self, pixels: float, size: float) -> list[float]:
        """Round numbers at a readable distance."""
        return ticks(self.low, self.high, most=max(2, int(pixels / (3.4 * size))))


def numbers_of(points: Sequence[dict[str, Any]]) -> list[float]:
    """Every number that is drawn."""
    return [value for name in _LINES for row in points if (value := row[name]) is not None]


def vertical(numbers: Sequence[float], *, ceiling: float | None = None) -> Vertical:
    """The axis of these numbers: a little room around them, none below zero or over the ceiling."""
    if not numbers:
        return Vertical(0.0, 1.0)
    low, high = min(numbers), max(numbers)
    pad = (high - low) * 0.06
    if high - low <= max(abs(low), abs(high)) * 1e-9:
        pad = max(abs(high) * 0.1, 1e-12) if high else 1.0
    bottom = low - pad if low < 0 or low - pad > 0 else 0.0
    top = high + pad
    if ceiling is not None and high <= ceiling < top:
        top = ceiling
    if top <= bottom:
        bottom -= pad
    return Vertical(bottom, top)
