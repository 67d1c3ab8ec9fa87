"""What charts with a memory share (EWMA, CUSUM): their settings, and the base of each phase.

A Shewhart chart judges each point by itself; these carry what came before, and so find small
lasting shifts sooner. Both start afresh in each phase.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from app.spc.charts import D2
from app.spc.errors import SpcError
from app.spc.labels import label_keys
from app.spc.means import mean, mean_ranges, ratio_of_sums
from app.spc.ragged import Ragged
from app.spc.series import (
    FloatArray,
    Observations,
    Series,
    check_sizes,
    form_of,
    observe_ratios,
    observe_values,
    refuse_rows,
)
from app.spc.settings import (
    Direction,
    Settings,
    baselines,
    check_choices,
    check_phase_texts,
    phase_bounds,
)

DATA = ("values", "proportion", "rate")

Data = Literal["values", "proportion", "rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """What a caller may choose about any chart with a memory.

    data: how sigma arises. `values`: from the moving ranges of the base points, also for ratios
        that vary more than chance explains. `proportion`: sqrt(p(1-p)/n_i). `rate`: sqrt(u/n_i).
    centre, sigma: in the displayed unit, instead of those of the base points; sigma for `values`.
    The rest is as in `Settings`.
    """

    data: Data = "values"
    direction: Direction = "neutral"
    phase_starts: Sequence[int] = ()
    baseline_points: int | Sequence[int | None] | None = None
    screen_moving_ranges: bool = True
    centre: float | None = None
    sigma: float | None = None
    multiplier: float = 1
    title: str | None = None
    unit: str | None = None
    phase_labels: Sequence[str | None] | None = None
    phase_reasons: Sequence[str | None] | None = None


class Base(NamedTuple):
    """A phase with its centre and sigma in raw units; rows `start` to `stop - 1`."""

    number: int  # from 0
    start: int
    stop: int
    baseline_stop: int
    points: int  # of the baseline: neither missing nor excluded
    centre: float
    sigma: FloatArray  # one a row of the phase; NaN where undefined
    label: str | None
    reason: str | None


class Prepared(NamedTuple):
    """A checked series with the base of each phase."""

    keys: Sequence[str]  # distinct, one a point
    observed: Observations
    usable: list[bool]  # neither missing nor excluded
    phases: list[Base]


def prepare(series: Series, settings: MemorySettings) -> Prepared:
    """Check a series and estimate each phase. SpcError for what cannot be charted."""
    plan = Settings(
        "i",
        phase_starts=settings.phase_starts,
        baseline_points=settings.baseline_points,
        direction=settings.direction,
        multiplier=settings.multiplier,
        phase_labels=settings.phase_labels,
        phase_reasons=settings.phase_reasons,
    )
    check_choices(plan)
    _check(settings)
    observed = _observe(series)
    _check_fit(observed, settings.data)
    kept = observed.values == observed.values
    if observed.excluded is not None:
        kept &= ~observed.excluded
    bounds = phase_bounds(plan, len(observed.values))
    rows = baselines(plan, len(bounds))
    check_phase_texts(plan, len(bounds))
    nothing = [None] * len(bounds)
    labels, reasons = settings.phase_labels or nothing, settings.phase_reasons or nothing
    phases = []
    for index, (start, stop) in enumerate(bounds):
        wanted = rows[index]
        end = stop if wanted is None else min(stop, start + wanted)
        points, centre, sigma = _estimate(observed, settings, start, stop, end)
        texts = labels[index], reasons[index]
        phases.append(Base(index, start, stop, end, points, centre, sigma, *texts))
    return Prepared(label_keys(series.x), observed, kept.tolist(), phases)


def _observe(series: Series) -> Observations:
    check_sizes(series)
    form = form_of(series)
    if form == "subgroups":
        detail = "Charts with a memory take one value a point; send the means of the subgroups."
        raise SpcError("data_do_not_fit_chart", detail, "/points")
    with np.errstate(all="ignore"):  # zero denominators are gaps
        return observe_ratios([series]) if form == "ratios" else observe_values([series])


def _check(settings: MemorySettings) -> None:
    if settings.data not in DATA:
        detail = f"The data are one of {', '.join(DATA)}."
        raise SpcError("unknown_data", detail, "/data")
    if settings.sigma is not None and settings.data != "values":
        detail = "Proportions and rates have a sigma of their own; leave it out, or say values."
        raise SpcError("sigma_not_wanted", detail, "/sigma")
    in_range("sigma", settings.sigma, above=0)
    in_range("centre", settings.centre)
    if settings.centre is None or settings.data == "values":
        return
    in_range("centre", settings.centre, above=0)
    if settings.data == "proportion" and settings.centre >= settings.multiplier:
        detail = f"A proportion has a centre below {settings.multiplier:g}, the whole."
        raise SpcError("centre_out_of_range", detail, "/centre")


def in_range(
    name: str,
    number: float | None,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> None:
    """Refuse a setting that is not finite, or not within the bounds that are given."""
    if number is None or (
        math.isfinite(number)
        and (above is None or number > above)
        and (least is None or number >= least)
        and (most is None or number <= most)
    ):
        return
    bounds = (("above", above), ("of at least", least), ("of at most", most))
    limits = [f"{words} {bound:g}" for words, bound in bounds if bound is not None]
    detail = " ".join([f"Give {name} as a finite number", " and ".join(limits)]).strip()
    raise SpcError(f"{name}_out_of_range", f"{detail}.", f"/{name}")


def _check_fit(observed: Observations, data: Data) -> None:
    if data == "values":
        return
    if observed.numerators is None or observed.denominators is None:
        detail = f"A {data} takes a numerator and a denominator for each point; else say values."
        raise SpcError("data_do_not_fit_chart", detail, "/points")
    refuse_rows(observed.numerators < 0, "negative_count", "numerator", "zero or more")
    if data == "proportion":
        wrong = observed.numerators > observed.denominators
        code = "numerator_exceeds_denominator"
        refuse_rows(wrong, code, "numerator", "at most the denominator")


def _estimate(
    observed: Observations, settings: MemorySettings, start: int, stop: int, end: int
) -> tuple[int, float, FloatArray]:
    """Base points, centre and sigma of one phase."""
    joined = slice(start, end)
    kept = np.ones(end - start, dtype=np.bool_)
    if observed.excluded is not None:  # excluded points leave, so that their neighbours join
        kept = ~observed.excluded[joined]
    values = observed.values[joined][kept]
    present = values == values
    points = int(np.count_nonzero(present))
    given = settings.centre if settings.centre is None else settings.centre / settings.multiplier
    if settings.data == "values":
        centre = mean(values[present].tolist()) if given is None else given
        return points, centre, _spread(values, settings, points, stop - start)
    assert observed.numerators is not None
    assert observed.denominators is not None
    parts = observed.numerators, observed.denominators, observed.values
    sums = [part[joined][kept][present].tolist() for part in parts]
    centre = ratio_of_sums(*sums) if given is None else given
    if points < 2 and given is None:  # as in every chart: one point says nothing about spread
        return points, centre, np.full(stop - start, np.nan)
    variance = centre * (1 - centre) if settings.data == "proportion" else centre
    sigma = np.sqrt(variance / observed.denominators[start:stop])
    sigma[sigma == 0] = np.nan
    return points, centre, sigma


def _spread(values: FloatArray, settings: MemorySettings, points: int, size: int) -> FloatArray:
    """Sigma of plain values: as stated, else the mean moving range of the base points over d2."""
    if settings.sigma is not None:
        return np.full(size, settings.sigma / settings.multiplier)
    ranges = Ragged(values, [0, len(values)]).moving_ranges()
    spread = mean_ranges(ranges, screen=settings.screen_moving_ranges)[0] / D2["standard"]
    return np.full(size, spread if points > 1 else np.nan)
