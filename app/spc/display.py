"""From the scale that rules judge on to the displayed unit: values, lines, and levels of phases."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.spc.bases import Base, Layout
from app.spc.charts import ChartType, Estimate
from app.spc.phases import DRAWN
from app.spc.series import BoolArray, FloatArray, any_holds


class Levels(NamedTuple):
    """What documents print of every phase, before the multiplier; NaN is undefined."""

    base_points: Sequence[int]
    centres: Sequence[float]
    sigmas: Sequence[float]
    sigma_zs: Sequence[float]


class Display(NamedTuple):
    """Values and lines in the displayed unit; NaN is undefined."""

    values: FloatArray
    lines: FloatArray  # 5 x rows
    infinite: BoolArray | None  # rows with numbers that are too large; None where there are none


def display(
    kind: ChartType,
    base: Base,
    layout: Layout,
    lines: FloatArray,
    multipliers: Sequence[float],
) -> Display:
    """Draw what was judged. multipliers: one a series."""
    values, lines = base.values, lines[:DRAWN]
    are_given = values is base.observed.values  # and therefore finite
    if kind.scale is not None:
        values = kind.scale.values(base.observed)
        lines = kind.scale.lines(lines, base.observed, layout.segments)
    if multipliers.count(1) != len(multipliers):
        factor = _of_rows(multipliers, layout)
        values, lines, are_given = values * factor, lines * factor, False
    too_large = np.isinf(lines)
    if not any_holds(too_large) and (are_given or not np.isinf(values).any()):
        return Display(values, lines, None)
    infinite = np.isinf(values) | too_large.any(axis=0)
    values = np.where(np.isinf(values), np.nan, values)
    return Display(values, np.where(too_large, np.nan, lines), infinite)


def _of_rows(multipliers: Sequence[float], layout: Layout) -> float | FloatArray:
    """Each series' multiplier for each of its rows."""
    if len(set(multipliers)) == 1:
        return multipliers[0]
    ends = np.cumsum(layout.phase_counts) - 1
    stops = [layout.segments[end].stop for end in ends]
    return np.repeat(multipliers, np.diff([0, *stops])).astype(np.float64)


def levels(
    kind: ChartType, base: Base, layout: Layout, found: Estimate, lines: FloatArray
) -> Levels:
    """Levels of phases on the drawn scale; a sigma on another scale would mislead there."""
    undefined = [math.nan] * len(layout.segments)
    varies = kind.scale is not None or found.centre_of_rows is not None
    sigma = found.sigma if kind.scale is None else None
    return Levels(
        base.counts,
        _level(kind, base, layout, lines[:1]) if varies else found.centre.tolist(),
        undefined if sigma is None else sigma.tolist(),
        undefined if found.sigma_z is None else found.sigma_z.tolist(),
    )


def _level(kind: ChartType, base: Base, layout: Layout, centre: FloatArray) -> list[float]:
    """The centre line of each phase where it is level, NaN where it is not."""
    if kind.scale is not None:
        centre = kind.scale.lines(centre, base.observed, layout.segments)
    numbers = centre[0].tolist()
    phases = [{each for each in numbers[a:b] if each == each} for a, b in layout.segments]
    return [phase.pop() if len(phase) == 1 else math.nan for phase in phases]
