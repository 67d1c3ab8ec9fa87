"""What other engines mark by rules that they read otherwise, written out from their sources."""

import math
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from app.spc.series import FloatArray
from tests.spc.peers.comparing import Difference, marked, shown
from tests.spc.peers.zones import Zones, zones_of

_LENGTHS = {"nelson/shift": 9, "western_electric/shift": 8}


def without_rows_of_gaps(difference: Difference) -> Any:
    """As our engine would say it if the rows of gaps had never been."""
    case = difference.case
    if not case.gaps:
        return None
    closed, kept = case.without_gaps(), case.kept
    if "/" in difference.about:
        rule_set, rule = difference.about.split("/")
        return {(kept[row], side) for row, side in marked(closed.ours(rule_set), rule)}
    return _spread(difference, shown(closed.ours())[difference.about], kept)


def ranges_across_gaps(difference: Difference) -> Any:
    """As our engine would draw it without the rows of gaps; baselines count them still."""
    case = difference.case
    if not case.gaps:
        return None
    closed = case.without_gaps()
    if case.baseline is not None:
        rows = sum(row < case.baseline for row in case.kept)
        settings = replace(closed.settings, baseline_points=rows)
        closed = replace(closed, settings=settings)
    return _spread(difference, shown(closed.ours())[difference.about], case.kept)


def _spread(difference: Difference, line: FloatArray, rows: list[int]) -> FloatArray:
    found = np.full(len(difference.ours), np.nan)
    found[rows] = line
    return found


def trend_across_gaps(difference: Difference) -> Any:
    """Six points in a row, gaps left out, broken by ties."""
    return _breaking_trend(difference) if difference.case.gaps else None


def trend_broken_by_ties(difference: Difference) -> Any:
    """As our trend, without stretches that a tie breaks."""
    is_less = difference.theirs < difference.ours
    return _breaking_trend(difference) if is_less and _has_ties(difference) else None


def _has_ties(difference: Difference) -> bool:
    values = difference.case.ours().values[difference.case.kept]
    return bool((values[1:] == values[:-1]).any())


def _breaking_trend(difference: Difference) -> set[int]:
    case = difference.case
    found = marked(case.without_gaps().ours("nelson"), "trend")
    return {case.kept[row] for row, _ in found}


def skipping_shift(difference: Difference) -> Any:
    """Runs on one side of the centre, without the points that lie on it and without gaps."""
    length = _LENGTHS[difference.about]
    phases = zones_of(difference.case.ours())
    has_ties = any((zones.values == zones.centre).any() for zones in phases)
    if not (has_ties or difference.case.gaps):
        return None

    def runs(zones: Zones) -> set[int]:
        sides = np.sign(zones.values - zones.centre)
        return _long({row: side for row, side in enumerate(sides) if abs(side) == 1}, length)

    return _in_phases(difference, runs)


def one_sided_eight(difference: Difference) -> Any:
    """Eight in a row beyond 1 sigma on any side: ours, and more."""
    if not difference.ours < difference.theirs:
        return None

    def runs(zones: Zones) -> set[int]:
        beyond = np.abs(zones.values - zones.centre) > zones.sigma
        return {row for row in _long(dict(enumerate(beyond)), 8) if beyond[row]}

    return _in_phases(difference, runs)


def _in_phases(difference: Difference, find: Any) -> set[int]:
    phases = zones_of(difference.case.ours())
    return {row for zones in phases for row in zones.in_series(find(zones))}


def _long(codes: dict[int, Any], length: int) -> set[int]:
    """Positions in runs of at least `length` equal codes."""
    runs = [[row for row, _ in run] for _, run in groupby(codes.items(), lambda item: item[1])]
    return {row for run in runs if len(run) >= length for row in run}


def longest_run_rounded_down(difference: Difference) -> Any:
    """Whether the longest run has floor(log2 k) + 3 points; from ten useful points."""
    runs, is_long = difference.ours
    if runs.useful_points < 10 or is_long:
        return None
    return runs.longest_run >= math.floor(math.log2(runs.useful_points)) + 3


def nothing_below_ten(difference: Difference) -> Any:
    """No signal below ten useful points."""
    runs, _ = difference.ours
    return False if runs.useful_points < 10 else None


def turning_points_once(difference: Difference) -> Any:
    """Ours, without the second side of points that end one trend and start another."""
    case, sides = difference.case, {"high": "low", "low": "high"}
    signals = [each for each in case.ours("wahealth").signals if each.rule == "trend"]
    starts = {(each.members[0], each.direction) for each in signals}
    twice = {(row, side) for row, side in starts if (row, sides[str(side)]) in difference.ours}
    return difference.ours - twice
