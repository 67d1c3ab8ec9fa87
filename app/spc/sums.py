"""Exactly rounded sums of many parts at once: what math.fsum gives, from a few passes over arrays.

Adding a large power of two and taking it away again splits every number: a high part, a multiple
of one small power of two, and a rest. High parts are so few digits long that a double holds every
sum of them, in whatever order they are added; rests are split again until nothing is left.
Source: Rump, Ogita & Oishi 2008, Accurate floating-point summation part I, SIAM J. Sci. Comput. 31.
"""

import math

import numpy as np

from app.spc.ragged import Ragged
from app.spc.series import FloatArray

_DIGITS = 53  # of a double
_LARGEST = 2.0**900  # far enough from infinity for the power of two that splits


def sums(parts: Ragged) -> FloatArray | None:
    """The sum of each part, 0 of nothing; None where numbers are undefined or next to infinite."""
    numbers, counts = parts.numbers, np.diff(parts.edges)
    found = np.zeros(len(counts))
    if not len(numbers):
        return found
    largest = max(float(numbers.max()), -float(numbers.min()))
    if not largest < _LARGEST:
        return None
    filled = np.flatnonzero(counts)  # reduceat knows no empty parts
    starts = np.asarray(parts.edges)[filled]
    spare = int(counts.max() + 1).bit_length()  # digits that a sum has more than its numbers
    splitter = math.ldexp(1.0, math.frexp(largest)[1] + spare)
    totals: list[FloatArray] = []
    rest = numbers
    while not totals or np.count_nonzero(rest):
        high = rest + splitter
        high -= splitter
        totals.append(np.add.reduceat(high, starts))
        rest = rest - high
        splitter = math.ldexp(splitter, spare + 1 - _DIGITS)
    found[filled] = _added(totals)
    return found


def _added(totals: list[FloatArray]) -> FloatArray:
    if len(totals) <= 2:  # one addition is exactly rounded
        return sum(totals[1:], totals[0])
    return np.array([math.fsum(each) for each in zip(*[t.tolist() for t in totals], strict=True)])
