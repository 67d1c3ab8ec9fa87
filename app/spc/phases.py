"""Phases: the base points of each one, its centre and sigma, and the lines drawn from them."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.spc.charts import Base, ChartType, Estimate
from app.spc.rule_sets import RuleSet
from app.spc.runs import Runs
from app.spc.series import FloatArray, Observations
from app.spc.settings import Settings, baselines, phase_bounds, phase_texts

_MULTIPLES = np.array([[-3.0], [3.0], [-2.0], [2.0], [-1.0], [1.0]])  # of sigma
_CLIPPED = 4  # limits and warning lines; the 1 sigma lines serve rules alone and are not drawn
_NO_NUMBERS: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a chart; rows `start` to `stop - 1`; centre and sigma in the displayed unit."""

    index: int
    start: int
    stop: int
    baseline_stop: int  # row after the baseline
    base_points: int  # of the baseline: neither missing nor excluded
    centre: float | None
    sigma: float | None  # None where it varies from point to point, or is undefined
    runs: Runs
    label: str | None
    reason: str | None


class Plan(NamedTuple):
    """The rows of one phase before anything is judged, and its estimate in raw units."""

    start: int
    stop: int
    baseline_stop: int
    base_points: int
    estimate: Estimate
    label: str | None
    reason: str | None


def plan_phases(
    observed: Observations, settings: Settings, kind: ChartType, rules: RuleSet
) -> list[Plan]:
    """Estimate centre and sigma of every phase from its base points."""
    bounds = phase_bounds(settings, len(observed.values))
    rows = baselines(settings, len(bounds))
    labels = phase_texts(settings.phase_labels, len(bounds), "phase_labels")
    reasons = phase_texts(settings.phase_reasons, len(bounds), "phase_reasons")
    plans = []
    for (start, stop), baseline, label, reason in zip(bounds, rows, labels, reasons, strict=True):
        end = stop if baseline is None else min(stop, start + baseline)
        base = _base(observed, start, stop, end, settings.screen_moving_ranges, rules)
        points = len(base.values)
        estimate = kind.estimate(base)
        if points < 2:  # one point says nothing about spread
            estimate = Estimate(estimate.centre)
        plans.append(Plan(start, stop, end, points, estimate, label, reason))
    return plans


def _base(
    observed: Observations, start: int, stop: int, end: int, screen: bool, rules: RuleSet
) -> Base:
    with_gaps = values = observed.values[start:end]
    if observed.excluded is not None:  # excluded points leave, so that their neighbours join
        with_gaps = values[~observed.excluded[start:end]]
    present = values == values
    if observed.excluded is not None:
        present &= ~observed.excluded[start:end]
    numerators = denominators = sizes = _NO_NUMBERS
    if observed.numerators is not None and observed.denominators is not None:
        numerators = observed.numerators[start:end][present]
        denominators = observed.denominators[start:end][present]
        sizes = observed.denominators[start:stop]
    values = values[present]
    return Base(with_gaps, values, numerators, denominators, sizes, screen, rules.constants)


def draw_lines(plans: list[Plan], kind: ChartType, size: int) -> FloatArray:
    """Lines in raw units, a row each: centre, then lower and upper line at 3, 2 and 1 sigma."""
    lines = np.empty((7, size))
    for plan in plans:
        centre, sigma = plan.estimate
        band = centre + _MULTIPLES * sigma
        if kind.floor is not None:
            np.maximum(band[:_CLIPPED], kind.floor, out=band[:_CLIPPED])
        if kind.ceiling is not None:
            np.minimum(band[:_CLIPPED], kind.ceiling, out=band[:_CLIPPED])
        lines[0, plan.start : plan.stop] = centre
        lines[1:, plan.start : plan.stop] = band
    return lines


def describe_phase(index: int, plan: Plan, runs: Runs, multiplier: float) -> Phase:
    """A phase as documents print it."""
    centre, sigma = plan.estimate
    return Phase(
        index,
        plan.start,
        plan.stop,
        plan.baseline_stop,
        plan.base_points,
        _finite(centre * multiplier),
        _finite(sigma * multiplier) if isinstance(sigma, float) else None,
        runs,
        plan.label,
        plan.reason,
    )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
