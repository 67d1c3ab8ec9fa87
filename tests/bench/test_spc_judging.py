"""How long the rules take on a whole programme at once; nothing is asserted about time."""

from functools import partial

import numpy as np
import pytest

from app.spc import RULE_SETS
from app.spc.judging import Segment, judge
from tests.bench.test_spc_engine import Timed, show

pytestmark = pytest.mark.bench

LINES = np.array([0.0, -3.0, 3.0, -2.0, 2.0, -1.0, 1.0])


@pytest.mark.parametrize(("series", "points"), [(1, 24), (1_000, 36)])
def test_judging(series: int, points: int) -> None:
    """What does each rule set cost, lines and JSON aside?

    Size: one series of 24 points, and 1,000 of 36 in joined arrays. Comparison: limits_only, the
    smallest set.
    """
    size = series * points
    values = np.random.default_rng(3).normal(size=size)
    lines = np.repeat(LINES[:, None], size, axis=1)
    segments = [Segment(start, start + points) for start in range(0, size, points)]
    timed: Timed = {
        name: partial(judge, values, lines, None, segments, rules)
        for name, rules in RULE_SETS.items()
    }
    smallest: Timed = {"limits_only": timed.pop("limits_only")}
    show(f"Rules of {series} x {points} points", smallest, timed)
