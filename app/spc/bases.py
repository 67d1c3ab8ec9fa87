"""The base points of phases: what centre and spread are taken from.

A base holds all phases of all series that are drawn together, so that a formula is written once,
for arrays of one number a phase.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from app.spc.means import mean_ranges, ratios_of_sums
from app.spc.ragged import Ragged
from app.spc.series import BoolArray, FloatArray, Observations, all_hold, are_finite
from app.spc.tracks import Segment

Each = TypeVar("Each", np.float64, np.bool_)


class Layout(NamedTuple):
    """The phases of joined series: segments that follow one another, and their baselines."""

    segments: list[Segment]
    baseline_stops: list[int]  # row after the baseline of each segment
    phase_counts: list[int]  # of each series


class Base:
    """Base points: in the baseline of their phase, neither missing nor excluded.

    `values` are on the scale that is judged. `screen` leaves the extreme moving ranges out; `d2` is
    the mean range of two observations for a sigma of one.
    """

    def __init__(
        self,
        observed: Observations,
        values: FloatArray,
        layout: Layout,
        *,
        screen: bool,
        d2: float,
    ) -> None:
        self.observed, self.values, self.screen, self.d2 = observed, values, screen, d2
        stops = [segment.stop for segment in layout.segments]
        self.edges = [0, *stops]
        # Rows of the baselines without excluded points; None is every row.
        self._track = None if observed.excluded is None else ~observed.excluded
        if layout.baseline_stops != stops:
            self._track = _rows_of_baselines(self._track, layout, len(values))
        self._points = self._rows_of_points()
        self.judged = self.points(values)  # the base points themselves
        self.counts = self.judged.counts()  # one a phase

    def _rows_of_points(self) -> BoolArray | None:
        """Rows of the track without gaps; None is every row."""
        if are_finite(self.values, self.values):
            return self._track
        present: BoolArray = self.values == self.values
        if all_hold(present):
            return self._track
        return present if self._track is None else present & self._track

    @property
    def numerators(self) -> FloatArray:
        """Of every row; the series must state ratios or subgroups."""
        assert self.observed.numerators is not None
        return self.observed.numerators

    @property
    def sizes(self) -> FloatArray:
        """Denominators, or sizes of subgroups, of every row."""
        assert self.observed.denominators is not None
        return self.observed.denominators

    def track(self, numbers: FloatArray) -> Ragged:
        """Numbers of each baseline in order, without excluded points; NaN is a gap."""
        ragged = Ragged(numbers, self.edges)
        return ragged if self._track is None else ragged.where(self._track)

    def points(self, numbers: FloatArray) -> Ragged:
        """Numbers of each phase's base points."""
        ragged = Ragged(numbers, self.edges)
        return ragged if self._points is None else ragged.where(self._points)

    def mean_ranges(self, numbers: FloatArray) -> FloatArray:
        """Mean moving range of each baseline, NaN where it says nothing about spread.

        A gap loses both of its ranges; the neighbours of an excluded point join.
        """
        return mean_ranges(self.track(numbers).moving_ranges(), screen=self.screen)

    def overall(self) -> FloatArray:
        """Sum of numerators over sum of sizes, of each phase."""
        shown, above, below = self.observed.values, self.numerators, self.sizes
        ratios = self.judged if shown is self.values else self.points(shown)
        return ratios_of_sums(self.points(above), self.points(below), ratios)

    def rows(self, numbers: npt.NDArray[Each]) -> npt.NDArray[Each]:
        """One number a phase (last axis) spread over the rows of the phase."""
        if len(self.edges) == 2:
            return numbers  # of length one: it broadcasts by itself
        return np.repeat(numbers, np.diff(self.edges), axis=-1)

    def whole(self, numbers: FloatArray) -> Ragged:
        """Numbers of each phase, whether in the baseline or not; NaN is a gap."""
        return Ragged(numbers, self.edges)


def _rows_of_baselines(track: BoolArray | None, layout: Layout, size: int) -> BoolArray:
    """Rows of the track that lie in a baseline."""
    rows = np.ones(size, dtype=np.bool_) if track is None else track
    for segment, baseline_stop in zip(layout.segments, layout.baseline_stops, strict=True):
        rows[baseline_stop : segment.stop] = False
    return rows
