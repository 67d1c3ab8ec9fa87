"""How far a chart can be trusted: its base points, warnings about its data, and simulated odds."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from app.spc.charts import CHARTS, ChartType
from app.spc.lookup import FAMILIES, false_signal_rate, minimum_detectable_shift
from app.spc.phases import Phase
from app.spc.series import FloatArray, Observations
from app.spc.signals import Signal
from app.spc.spread import (
    BasePoints,
    autocorrelation,
    base_points,
    mean_events,
    sigma_z,
    standardised,
    varies_more,
)

TRIAL_BELOW = 12  # base points
FIRM_FROM = 20
FEWEST_POINTS = 10  # that the runs of a run chart say anything of
LARGE_COUNT = 5  # events a point, from which limits of counts are about symmetrical
_MANY_GAPS = 0.2
_MANY_ZEROS = 0.25
# These break what the simulation assumed; nothing is said of its odds then.
_ASSUMED = frozenset({"small_counts", "many_zeros", "over_dispersed"})
_EVENTS = {"c": "events", "u": "events"}  # of shares: of the rarer outcome

LimitsQuality = Literal["none", "trial", "provisional", "firm"]


class DataWarning(NamedTuple):
    """Something about the data that the reader of the chart should know."""

    code: str
    detail: str


class Quality(NamedTuple):
    """Trust in the latest phase; `points` alone counts those of the whole series.

    false_signal_rate: the probability that a stable process raises at least one signal in so many
        points of the phase under the rule set.
    minimum_detectable_shift: in sigma, seen with 80 % power among the points after the baseline;
        None too where the lines are taken from every point.
    """

    points: int
    baseline_points: int
    limits: LimitsQuality
    warnings: tuple[DataWarning, ...]
    false_signal_rate: float | None = None
    minimum_detectable_shift: float | None = None


class Judged(NamedTuple):
    """The latest phase of a chart, as far as its quality depends on it."""

    observed: Observations
    labels: Sequence[str]
    phase: Phase
    kind: ChartType
    rule_set: str
    has_limits: bool
    overflowed: bool
    signals: Sequence[Signal]  # of all phases


def assess(judged: Judged, further: tuple[DataWarning, ...] = ()) -> Quality:
    """The quality of a chart; `further` warnings come last."""
    phase, kind = judged.phase, judged.kind
    base, after = phase.base_points, _points_after(judged)
    found = (
        _zero_denominators(judged),
        _undefined(judged),
        _few_points(judged, base + after),
        _many_gaps(judged, base + after),
        _signal_in_baseline(judged),
        *_doubts(judged),
        *further,
    )
    warnings = tuple([warning for warning in found if warning is not None])
    rate = shift = None
    if judged.has_limits == kind.has_limits and _model_holds(warnings):
        rate = false_signal_rate(kind.name, judged.rule_set, base, after)
        shift = minimum_detectable_shift(kind.name, judged.rule_set, base, after)
    limits = judge_limits(base, has_limits=judged.has_limits)
    return Quality(len(judged.labels), base, limits, warnings, rate, shift)


def judge_limits(base_points: int, *, has_limits: bool) -> LimitsQuality:
    """`trial` below 12 base points, `provisional` below 20, then `firm`; `none` without limits."""
    if not has_limits:
        return "none"
    if base_points < TRIAL_BELOW:
        return "trial"
    return "provisional" if base_points < FIRM_FROM else "firm"


def _points_after(judged: Judged) -> int:
    """Points of the phase after its baseline that are neither missing nor excluded."""
    phase, observed = judged.phase, judged.observed
    if phase.baseline_stop == phase.stop:
        return 0
    rows = slice(phase.baseline_stop, phase.stop)
    kept = observed.values[rows] == observed.values[rows]
    if observed.excluded is not None:
        kept &= ~observed.excluded[rows]
    return int(np.count_nonzero(kept))


def _zero_denominators(judged: Judged) -> DataWarning | None:
    zero_denominators = judged.observed.zero_denominators
    if not zero_denominators:
        return None
    shown = ", ".join(judged.labels[row] for row in zero_denominators[:5])
    more = " and later ones" if len(zero_denominators) > 5 else ""
    return DataWarning("denominator_zero", f"A zero denominator is shown as a gap: {shown}{more}.")


def _undefined(judged: Judged) -> DataWarning | None:
    if judged.overflowed:
        detail = "Some numbers are too large to be computed and are shown as undefined."
        return DataWarning("overflow", detail)
    if judged.has_limits or not judged.kind.has_limits or judged.phase.base_points < 2:
        return None
    detail = "The base points of the latest phase do not vary, so it has no limits."
    return DataWarning("no_variation", detail)


def _few_points(judged: Judged, points: int) -> DataWarning | None:
    base = judged.phase.base_points
    if judged.has_limits and base < TRIAL_BELOW:
        detail = (
            f"The limits rest on {base} points and are trial limits: they become provisional at "
            f"{TRIAL_BELOW} and firm at {FIRM_FROM}."
        )
        return DataWarning("few_base_points", detail)
    if not judged.kind.has_limits and 0 < points < FEWEST_POINTS:
        detail = f"Runs say little of fewer than {FEWEST_POINTS} points; there are {points}."
        return DataWarning("few_points", detail)
    return None


def _many_gaps(judged: Judged, points: int) -> DataWarning | None:
    phase, excluded = judged.phase, judged.observed.excluded
    rows = phase.stop - phase.start
    if points < rows and excluded is not None:  # those were left out on purpose
        rows -= int(np.count_nonzero(excluded[phase.start : phase.stop]))
    if rows - points <= _MANY_GAPS * rows:
        return None
    detail = (
        f"{rows - points} of {rows} points are missing; find out why before reading the chart, "
        "because points are seldom missing by chance."
    )
    return DataWarning("many_gaps", detail)


def _signal_in_baseline(judged: Judged) -> DataWarning | None:
    """Lines that are frozen should come from a stable process."""
    phase = judged.phase
    if not judged.signals or phase.baseline_stop == phase.stop:
        return None
    rules = {
        signal.rule: None
        for signal in judged.signals
        if signal.phase == phase.index
        and signal.completed_at is not None
        and signal.completed_at < phase.baseline_stop
    }
    if not rules:
        return None
    detail = (
        f"The base points themselves hold a signal ({', '.join(rules)}), so the lines mix two "
        "states of the process: find its cause, and exclude points or choose another baseline."
    )
    return DataWarning("signal_in_baseline", detail)


def _doubts(judged: Judged) -> Sequence[DataWarning | None]:
    """What the spread of the base points lets doubt."""
    phase, name = judged.phase, judged.kind.name
    if phase.base_points < 3 or name not in FAMILIES:
        return ()
    base = base_points(judged.observed, phase.start, phase.baseline_stop, phase.base_points)
    events = mean_events(base, name)
    if events is None:
        return (_alike(base.values),)
    small = _small_counts(name, events, base.values)
    if not varies_more(base, name):
        return (small,)
    deviations = standardised(base, name)
    return small, _over_dispersed(name, deviations), _alike(deviations)


def _over_dispersed(name: str, deviations: FloatArray) -> DataWarning | None:
    if FAMILIES[name] != "counts":
        return None
    prime = f"{name}_prime"
    instead = f"a {prime} chart" if prime in CHARTS else "an i chart"
    return _too_narrow(deviations, f"choose {instead}")


def _too_narrow(deviations: FloatArray, advice: str) -> DataWarning | None:
    ratio = sigma_z(deviations)
    if ratio is None:
        return None
    detail = (
        f"The points vary {ratio:.1f} times as much as their counts explain, so the limits are too "
        f"narrow; {advice}."
    )
    return DataWarning("over_dispersed", detail)


def over_dispersion(base: BasePoints, chart: str, advice: str) -> DataWarning | None:
    """Whether base points of a `p` or `u` chart vary more than their counts explain."""
    if len(base.values) < 3 or not varies_more(base, chart):
        return None
    return _too_narrow(standardised(base, chart), advice)


def _alike(values: FloatArray) -> DataWarning | None:
    likeness = autocorrelation(values)
    if likeness is None:
        return None
    detail = (
        f"Neighbouring points are alike (correlation {likeness:.1f}): the process drifts or "
        "changed within the base points, or points depend on each other; then signals come too "
        "often. Look for a change, or collect less often."
    )
    return DataWarning("autocorrelated", detail)


def _small_counts(name: str, events: float, values: FloatArray) -> DataWarning | None:
    if events >= LARGE_COUNT or FAMILIES[name] != "counts":
        return None
    zeros = len(values) - int(np.count_nonzero(values))
    if zeros > _MANY_ZEROS * len(values):
        detail = (
            f"{zeros} of {len(values)} base points count nothing; for events so rare, chart the "
            "time (t) or the number of cases (g) between them."
        )
        return DataWarning("many_zeros", detail)
    what = _EVENTS.get(name, "cases of the rarer outcome")
    detail = (
        f"A point counts {events:.1f} {what} on average; below {LARGE_COUNT} the limits are poor. "
        "Collect over longer periods, or choose a run chart."
    )
    return DataWarning("small_counts", detail)


def _model_holds(warnings: Sequence[DataWarning]) -> bool:
    """Whether the data are as the simulation assumed them."""
    return not warnings or not any(warning.code in _ASSUMED for warning in warnings)
