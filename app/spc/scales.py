"""Scales: what is drawn, where the rules judge something else.

A time between rare events is judged as its root, which is nearly normal; an np chart is judged as
the p chart of the same data, so that samples of different sizes cannot look like a trend.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from app.spc.series import FloatArray, Observations
from app.spc.tracks import Segment

# Nelson 1994, A control chart for parts-per-million nonconforming items, J. Quality Technology 26.
_EXPONENT = 3.6


class Scale(NamedTuple):
    """How to draw what was judged: its values, and its lines (a row a line) in each segment."""

    values: Callable[[Observations], FloatArray]
    lines: Callable[[FloatArray, Observations, Sequence[Segment]], FloatArray]


def roots(observed: Observations, segments: Sequence[Segment]) -> FloatArray:
    """The 3.6th roots; by plain numbers, because array powers differ between processors."""
    return np.array([value ** (1 / _EXPONENT) for value in observed.values.tolist()])


def _powers(lines: FloatArray, observed: Observations, segments: Sequence[Segment]) -> FloatArray:
    """Lines of roots in units of time; they are level in a segment, and none is below zero."""
    drawn = np.empty_like(lines)
    for start, stop in segments:
        if start < stop:
            levels = np.maximum(lines[:, start], 0.0).tolist()
            drawn[:, start:stop] = np.array([[_power(level)] for level in levels])
    return drawn


def _power(level: float) -> float:
    try:
        return math.pow(level, _EXPONENT)
    except OverflowError:
        return np.inf


def _numerators(observed: Observations) -> FloatArray:
    assert observed.numerators is not None
    return observed.numerators


def _shares(lines: FloatArray, observed: Observations, segments: Sequence[Segment]) -> FloatArray:
    assert observed.denominators is not None
    drawn: FloatArray = lines * observed.denominators
    return drawn


POWER = Scale(lambda observed: observed.values, _powers)
SHARE = Scale(_numerators, _shares)
