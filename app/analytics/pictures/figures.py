"""Numbers as people read them on a chart, and round places for the ticks of an axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_SCALES = ((1e12, " tn"), (1e9, " bn"), (1e6, " m"))
_STEPS = (1, 2, 2.5, 5, 10)
_NBSP = "\u00a0"
_MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Figures:
    """How the numbers of one chart are written: decimals by the span that they cover."""

    span: float
    largest: float
    sign: str = ""  # behind every number: a per cent sign

    def _scale(self) -> tuple[float, str]:
        for divisor, name in _SCALES:
            if self.largest >= divisor and self.span >= divisor / 100:
                return divisor, name
        return 1.0, ""

    def write(self, value: float | None, *, finer: int = 0) -> str:
        """The number as fine as the span asks for; trailing zeros say nothing and are left out."""
        if value is None:
            return "none"
        divisor, name = self._scale()
        decimals = _decimals(self.span / divisor) + finer
        if abs(value / divisor) >= 1e15 or decimals > 6:
            text = f"{value:.4g}".replace("e+", "e").replace("e-0", "e-")
        else:
            text = f"{value / divisor:,.{decimals}f}"
            text = text.rstrip("0").rstrip(".") if "." in text else text
        text = "0" if text == "-0" else text.replace("-", _MINUS)
        return f"{text}{name}{_NBSP + self.sign if self.sign else ''}"


def _decimals(span: float) -> int:
    """One from 5 to 500, none above, and below so many that 500 numbers can be told apart."""
    if span >= 500:
        return 0
    # Logarithms apart: five over the smallest of doubles is more than the largest.
    return 1 + max(0, math.ceil(math.log10(5) - math.log10(span) - 1e-9))


def figures_of(numbers: Sequence[float], unit: str | None) -> Figures:
    """The way to write the numbers of a chart."""
    if not numbers:
        return Figures(1.0, 1.0, "")
    low, high = min(numbers), max(numbers)
    largest = max(abs(low), abs(high))
    span = high - low or largest / 10 or 1.0
    return Figures(span, largest, "%" if unit == "%" else "")


def ticks(low: float, high: float, *, most: int) -> list[float]:
    """Round numbers inside the bounds, at most so many; none where the bounds are too close."""
    span = high - low
    if not span > max(abs(low), abs(high)) * 1e-12:
        return [low]
    power: float = 10.0 ** math.floor(math.log10(span / max(most, 1)))
    step = next((f * power for f in _STEPS if span / (f * power) <= most), 10 * power)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{row * step:.12g}") for row in range(first, last + 1)]
