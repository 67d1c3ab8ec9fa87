"""Chart: what the engine answers, with its icons and its quality judged when first asked for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.spc.charts import ChartType
from app.spc.icons import Assurance, assurance, variation
from app.spc.phases import Phase
from app.spc.quality import Quality, data_warnings, judge_limits
from app.spc.rule_sets import RuleSet
from app.spc.series import BoolArray, FloatArray, Observations, Series
from app.spc.settings import Settings
from app.spc.signals import Signal


@dataclass(eq=False)
class Chart:
    """A judged series. Arrays have one entry per point, in the displayed unit; NaN is undefined."""

    series: Series
    settings: Settings
    rules: RuleSet
    kind: ChartType
    present: BoolArray  # False at a gap
    values: FloatArray
    lines: FloatArray  # 5 x points: centre, lower and upper limit, lower and upper warning line
    target: FloatArray | None
    outside_limits: BoolArray
    phases: tuple[Phase, ...]
    signals: tuple[Signal, ...]
    overflowed: bool  # some numbers are too large and were made undefined
    joined: Observations  # of all series that were drawn together; this one has `rows` of them
    rows: slice

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

    @cached_property
    def observed(self) -> Observations:
        """The numbers that the chart was made from, before the multiplier."""
        return self.joined.part(self.rows)

    @cached_property
    def variation(self) -> str:
        """The icon of what the process does."""
        wins = self.rules.improvement_wins
        return variation(self.signals, len(self.values) - 1, improvement_wins=wins)

    @cached_property
    def assurance(self) -> Assurance:
        """The icon of whether the process will meet its target."""
        return assurance(self.target, self.lines, self.phases[-1], self.settings.direction)

    @cached_property
    def quality(self) -> Quality:
        """How far the limits of the latest phase can be trusted."""
        latest = self.phases[-1]
        lower = self.lower_limit[latest.start :]
        has_limits = bool(np.count_nonzero(lower == lower))
        lacks_limits = self.kind.has_limits and not has_limits
        return Quality(
            len(self.series.x),
            latest.base_points,
            judge_limits(latest.base_points, has_limits=has_limits),
            data_warnings(
                self.observed.zero_denominators,
                self.series.x,
                overflowed=self.overflowed,
                flat=lacks_limits and not self.overflowed and latest.base_points > 1,
            ),
        )
