"""Chart: what the engine answers, a window on arrays that several series may share."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.spc.bases import Base, Layout
from app.spc.charts import ChartType, Estimate
from app.spc.display import Levels, levels
from app.spc.icons import Assurance, assurance, conflicting_signals, variation
from app.spc.judging import Judgement
from app.spc.phases import Phase
from app.spc.quality import Judged, Quality, assess
from app.spc.quiet import quietly
from app.spc.rule_sets import RuleSet
from app.spc.series import BoolArray, FloatArray, Observations, Series
from app.spc.settings import Settings
from app.spc.signals import Signal


@dataclass(eq=False)
class Drawing:
    """Series drawn and judged together, end to end, in their displayed units."""

    kind: ChartType
    rules: RuleSet
    layout: Layout
    base: Base
    estimate: Estimate
    judged_lines: FloatArray  # 7 x rows, on the scale that the rules judge
    judgement: Judgement
    values: FloatArray
    lines: FloatArray  # 5 x rows
    infinite: BoolArray | None  # rows with numbers that are too large; None where there are none

    @cached_property
    def levels(self) -> Levels:
        """What documents print of the phases."""
        return quietly(levels, self.kind, self.base, self.layout, self.estimate, self.judged_lines)


@dataclass(eq=False)
class Chart:
    """A judged series. Arrays have one entry per point, in the displayed unit; NaN is undefined.

    Arrays are views, and icons, phases and quality are worked out when they are first asked for.
    """

    series: Series
    settings: Settings
    target: FloatArray | None
    signals: tuple[Signal, ...]
    drawing: Drawing
    rows: slice  # where it lies in the drawing
    first_phase: int

    @property
    def kind(self) -> ChartType:
        """The chart."""
        return self.drawing.kind

    @property
    def rules(self) -> RuleSet:
        """The rule set that was judged."""
        return self.drawing.rules

    @property
    def present(self) -> BoolArray:
        """False at a gap."""
        return ~np.isnan(self.drawing.base.values[self.rows])

    @property
    def values(self) -> FloatArray:
        """What the chart shows of each point."""
        return self.drawing.values[self.rows]

    @property
    def lines(self) -> FloatArray:
        """5 x points: centre, lower and upper limit, lower and upper warning line."""
        return self.drawing.lines[:, self.rows]

    @property
    def centre(self) -> FloatArray:
        """The centre line."""
        return self.drawing.lines[0, self.rows]

    @property
    def lower_limit(self) -> FloatArray:
        """The lower 3 sigma limit."""
        return self.drawing.lines[1, self.rows]

    @property
    def upper_limit(self) -> FloatArray:
        """The upper 3 sigma limit."""
        return self.drawing.lines[2, self.rows]

    @property
    def lower_warning(self) -> FloatArray:
        """The lower 2 sigma line."""
        return self.drawing.lines[3, self.rows]

    @property
    def upper_warning(self) -> FloatArray:
        """The upper 2 sigma line."""
        return self.drawing.lines[4, self.rows]

    @property
    def outside_limits(self) -> BoolArray:
        """Whether a point lies outside the 3 sigma limits; never for an excluded one."""
        return self.drawing.judgement.outside_limits[self.rows]

    @property
    def overflowed(self) -> bool:
        """Whether numbers are too large to be computed, and so undefined."""
        infinite = self.drawing.infinite
        return infinite is not None and bool(infinite[self.rows].any())

    @cached_property
    def observed(self) -> Observations:
        """The numbers that the chart was made from, before the multiplier."""
        return self.drawing.base.observed.part(self.rows)

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases, the latest one last."""
        count = 1 + len(self.settings.phase_starts)
        labels = self.settings.phase_labels or [None] * count
        reasons = self.settings.phase_reasons or [None] * count
        return tuple(
            self._phase(index, label, reason)
            for index, (label, reason) in enumerate(zip(labels, reasons, strict=True))
        )

    def _phase(self, index: int, label: str | None, reason: str | None) -> Phase:
        layout, levels = self.drawing.layout, self.drawing.levels
        number, offset = self.first_phase + index, self.rows.start
        start, stop = layout.segments[number]
        return Phase(
            index,
            start - offset,
            stop - offset,
            layout.baseline_stops[number] - offset,
            levels.base_points[number],
            _finite(levels.centres[number] * self.settings.multiplier),
            _finite(levels.sigmas[number] * self.settings.multiplier),
            _finite(levels.sigma_zs[number]),
            self.drawing.judgement.runs[number],
            label,
            reason,
        )

    @cached_property
    def variation(self) -> str:
        """The icon of what the process does."""
        wins = self.rules.improvement_wins
        return variation(self.signals, len(self.series.x) - 1, improvement_wins=wins)

    @cached_property
    def assurance(self) -> Assurance:
        """The icon of whether the process will meet its target."""
        return assurance(self.target, self.lines, self.phases[-1], self.settings.direction)

    @cached_property
    def quality(self) -> Quality:
        """How far the limits of the latest phase can be trusted."""
        latest = self.phases[-1]
        lower = self.lower_limit[latest.start :]
        judged = Judged(
            self.observed,
            self.series.x,
            latest,
            self.kind,
            self.rules.name,
            bool(np.count_nonzero(lower == lower)),
            self.overflowed,
            self.signals,
        )
        conflicts = conflicting_signals(self.signals, len(self.series.x) - 1)
        return quietly(assess, judged, conflicts)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
