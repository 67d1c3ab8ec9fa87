"""chart(): a series and settings in, lines and signals out."""

from dataclasses import dataclass

import numpy as np

from app.spc.charts import ChartType
from app.spc.fit import check_fit
from app.spc.icons import Assurance, assurance, conflicting_signals, variation
from app.spc.judging import judge
from app.spc.phases import Phase, describe_phase, draw_lines, plan_phases
from app.spc.quality import Judged, Quality, assess, without_infinities
from app.spc.rule_sets import RuleSet
from app.spc.series import BoolArray, FloatArray, Observations, Series, observe
from app.spc.settings import Settings, chart_type, check_choices, rule_set, targets
from app.spc.signals import Scene, Signal, signals_of
from app.spc.tracks import Segment


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A judged series. Arrays have one entry per point, in the displayed unit; NaN is undefined."""

    series: Series
    settings: Settings
    rules: RuleSet
    present: BoolArray  # False at a gap
    values: FloatArray
    lines: FloatArray  # 5 x points: centre, lower and upper limit, lower and upper warning line
    target: FloatArray | None
    outside_limits: BoolArray
    phases: tuple[Phase, ...]
    signals: tuple[Signal, ...]
    variation: str
    assurance: Assurance
    quality: Quality

    @property
    def centre(self) -> FloatArray:
        """The centre line."""
        line: FloatArray = self.lines[0]
        return line

    @property
    def lower_limit(self) -> FloatArray:
        """The lower 3 sigma limit."""
        line: FloatArray = self.lines[1]
        return line

    @property
    def upper_limit(self) -> FloatArray:
        """The upper 3 sigma limit."""
        line: FloatArray = self.lines[2]
        return line

    @property
    def lower_warning(self) -> FloatArray:
        """The lower 2 sigma line."""
        line: FloatArray = self.lines[3]
        return line

    @property
    def upper_warning(self) -> FloatArray:
        """The upper 2 sigma line."""
        line: FloatArray = self.lines[4]
        return line


def chart(series: Series, settings: Settings) -> Chart:
    """Draw the lines of a chart and judge the rules of its rule set inside each phase.

    Values and lines come back in the displayed unit (raw x multiplier), which is the unit of the
    target. Undefined and overflowing numbers are NaN. Raises SpcError for input that cannot be
    charted. Sources: Shewhart's charts with the usual constants, one base of points per phase;
    the rules as RULE_SETS states them.
    """
    with np.errstate(all="ignore"):  # undefined and huge numbers are expected, and become NaN
        return _chart(series, settings)


def _chart(series: Series, settings: Settings) -> Chart:
    kind, rules = chart_type(settings), rule_set(settings)
    check_choices(settings)
    observed = observe(series)
    check_fit(observed, kind)
    target = targets(settings, len(series.x))
    plans = plan_phases(observed, settings, kind, rules)
    raw = draw_lines(plans, kind, len(series.x))
    segments = [Segment(plan.start, plan.stop) for plan in plans]
    judged = judge(observed.values, raw, observed.excluded, segments, rules)
    phases = [
        describe_phase(index, plan, runs, settings.multiplier)
        for index, (plan, runs) in enumerate(zip(plans, judged.runs, strict=True))
    ]
    signals = [
        signal
        for phase, found in zip(phases, judged.found, strict=True)
        for signal in signals_of(found, _scene(phase, observed, settings), rules)
    ]
    values, lines = observed.values * settings.multiplier, raw[:5] * settings.multiplier
    overflowed = without_infinities(values) | without_infinities(lines)
    latest = phases[-1]
    wins = rules.improvement_wins
    return Chart(
        series,
        settings,
        rules,
        observed.values == observed.values,
        values,
        lines,
        target,
        judged.outside_limits,
        tuple(phases),
        tuple(signals),
        variation(signals, len(values) - 1, improvement_wins=wins),
        assurance(target, lines, latest, settings.direction),
        _quality(observed, lines, latest, kind, rules, series, overflowed, signals),
    )


def _scene(phase: Phase, observed: Observations, settings: Settings) -> Scene:
    return Scene(phase.index, phase.start, phase.stop, 0, observed.keys, settings.direction)


def _quality(
    observed: Observations,
    lines: FloatArray,
    latest: Phase,
    kind: ChartType,
    rules: RuleSet,
    series: Series,
    overflowed: bool,
    signals: list[Signal],
) -> Quality:
    lower = lines[1, latest.start :]
    has_limits = bool(np.count_nonzero(lower == lower))
    judged = Judged(observed, series.x, latest, kind, rules.name, has_limits, overflowed, signals)
    return assess(judged, conflicting_signals(signals, len(series.x) - 1))
