"""Numbers of several parts end to end, so that one pass of arithmetic serves a thousand series."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from app.spc.series import BoolArray, FloatArray, all_hold, are_finite


class Ragged(NamedTuple):
    """Part k is numbers[edges[k]:edges[k + 1]]; parts differ in length and may be empty."""

    numbers: FloatArray
    edges: Sequence[int]

    def where(self, keep: BoolArray) -> "Ragged":
        """The numbers marked, in the same parts."""
        kept = np.flatnonzero(keep)
        return Ragged(self.numbers[kept], np.searchsorted(kept, self.edges).tolist())

    def without_gaps(self) -> "Ragged":
        """The numbers that are not NaN."""
        if are_finite(self.numbers, self.numbers):
            return self
        present = self.numbers == self.numbers
        return self if all_hold(present) else self.where(present)

    def moving_ranges(self) -> "Ragged":
        """Absolute differences of neighbours in each part; a NaN loses both of its ranges."""
        return self.steps(np.abs(self.numbers[1:] - self.numbers[:-1]))

    def steps(self, between: FloatArray) -> "Ragged":
        """What lies between neighbours, without NaN and without what lies between parts."""
        size = len(between)
        if len(self.edges) == 2:
            return Ragged(between, [0, size]).without_gaps()
        edges = np.array(self.edges)
        inner = edges[1:-1]
        joints = inner[(inner > 0) & (inner <= size)] - 1  # empty parts at an end have none
        between[joints] = np.nan
        return Ragged(between, np.minimum(edges, size).tolist()).without_gaps()

    def parts(self) -> list[list[float]]:
        """Each part as plain numbers, on which exact sums are quickest."""
        numbers = self.numbers.tolist()
        if len(self.edges) == 2:
            return [numbers]
        return [numbers[start:stop] for start, stop in pairwise(self.edges)]

    def part(self, index: int) -> list[float]:
        """One part as plain numbers."""
        part: list[float] = self.numbers[self.edges[index] : self.edges[index + 1]].tolist()
        return part

    def counts(self) -> list[int]:
        """How many numbers each part has."""
        return [stop - start for start, stop in pairwise(self.edges)]
