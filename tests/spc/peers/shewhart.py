"""shewhart 0.1: lines of its charts phase by phase, rules from its own table."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import shewhart
from shewhart._rules import RULESETS, apply_rules

from app.spc.series import FloatArray
from tests.spc.peers.cases import Case
from tests.spc.peers.zones import Zones

NAME = "shewhart"
Lines = dict[str, FloatArray]
_RULES = {
    "nelson": {
        "nelson_1": "outside_limits",
        "nelson_2": "shift",
        "nelson_3": "trend",
        "nelson_4": "fourteen_alternating",
        "nelson_5": "two_of_three",
        "nelson_6": "four_of_five",
        "nelson_7": "fifteen_inner",
        "nelson_8": "eight_outer",
    },
    "western_electric": {
        "we_1": "outside_limits",
        "we_2": "two_of_three",
        "we_3": "four_of_five",
        "we_4": "shift",
    },
}


_ABOUT_SIDES = {"nelson_2", "nelson_3", "nelson_4", "we_4"}  # the others need a sigma


def rules(zones: Zones) -> dict[str, dict[str, set[int]]]:
    """By rule set and rule, the rows that it marks in one phase, given our lines.

    Its charts of ratios judge sides and trends on plain distances from the centre.
    """
    sides = zones.values - zones.centre
    found: dict[str, dict[str, set[int]]] = {}
    for rule_set, names in _RULES.items():
        marked: dict[str, set[int]] = {}
        for key in RULESETS[rule_set]:
            if key in _ABOUT_SIDES:
                signals = apply_rules(sides, [key])
            elif zones.has_sigma:
                signals = apply_rules(sides / zones.sigma, [key])
            else:
                continue
            marked[names[key]] = {row for _, _, points in signals for row in points}
        found[rule_set] = marked
    return found


def lines(case: Case) -> Lines | None:
    """Values and lines, one a row; None for what it does not offer: gaps, exclusions, screening."""
    draw = _DRAW.get(case.chart)
    screened = case.screens and case.chart in ("i", "u_prime", "p_prime")
    if draw is None or screened or case.excluded or case.gaps:
        return None
    parts = []
    for rows in case.phases:
        stop = rows.stop if case.baseline is None else rows.start + case.baseline
        part = draw(case, slice(rows.start, stop), rows)
        if part is None:
            return None
        size = rows.stop - rows.start
        parts.append({name: np.broadcast_to(line, size) for name, line in part.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _individuals(case: Case, base: slice, rows: slice) -> Lines:
    values = case.column("values")
    fitted = shewhart.imr(values[base], rules=None)
    stats = shewhart.imr(values[rows], rules=None, limits=fitted.baseline).stats
    return _stated(stats, "i") | {"value": values[rows]}


def _ranges(case: Case, base: slice, rows: slice) -> Lines:
    values = case.column("values")
    fitted = shewhart.imr(values[base], rules=None)
    result = shewhart.imr(values[rows], rules=None, limits=fitted.baseline)
    ranges = result.table["moving_range"].to_numpy()
    return _stated(result.stats, "mr") | {"value": ranges}


def _run(case: Case, base: slice, rows: slice) -> Lines:
    values = case.column("values")
    median = shewhart.run_chart(values[base]).stats["median"]
    return {"value": values[rows], "centre": np.array([median])}


def _counts(case: Case, base: slice, rows: slice) -> Lines:
    values = case.column("values")
    fitted = shewhart.c_chart(values[base], rules=None)
    result = shewhart.c_chart(values[rows], rules=None, limits=fitted.baseline)
    return _stated(result.stats, "c") | {"value": values[rows]}


def _ratios(function: str, what: str, centre: str, shown: str) -> Callable[..., Lines | None]:
    draw: Any = getattr(shewhart, function)

    def lines(case: Case, base: slice, rows: slice) -> Lines | None:
        above, below = case.column("numerators"), case.column("denominators")
        if np.ptp(above[base] / below[base]) == 0:
            return None  # it refuses what does not vary
        fitted = draw(above[base], size=below[base], rules=None)
        result = draw(above[rows], size=below[rows], rules=None, limits=fitted.baseline)
        table = result.table
        return {
            "value": table[shown].to_numpy(),
            "centre": np.array([result.stats[centre]]),
            "lower_limit": table["lcl"].to_numpy(),
            "upper_limit": table["ucl"].to_numpy(),
        }

    return lines


def _subgroups(function: str, prefix: str, shown: str) -> Callable[..., Lines | None]:
    draw: Any = getattr(shewhart, function)

    def lines(case: Case, base: slice, rows: slice) -> Lines | None:
        groups = case.series.subgroups or []
        if len({len(group or ()) for group in groups}) > 1:
            return None  # it refuses subgroups that differ in size
        fitted = draw(_frame(case, base), value="y", subgroup="x", rules=None)
        result = draw(
            _frame(case, rows), value="y", subgroup="x", rules=None, limits=fitted.baseline
        )
        return _stated(result.stats, prefix) | {"value": result.table[shown].to_numpy()}

    return lines


def _frame(case: Case, rows: slice) -> pd.DataFrame:
    each = zip(case.series.x[rows], (case.series.subgroups or [])[rows], strict=True)
    return pd.DataFrame([(x, y) for x, group in each for y in group or ()], columns=["x", "y"])


def _stated(stats: dict[str, float], prefix: str) -> Lines:
    names = {"centre": "center", "lower_limit": "lcl", "upper_limit": "ucl"}
    return {name: np.array([stats[f"{prefix}_{key}"]]) for name, key in names.items()}


_DRAW: dict[str, Callable[..., Lines | None]] = {
    "run": _run,
    "i": _individuals,
    "mr": _ranges,
    "c": _counts,
    "p": _ratios("p_chart", "defectives", "p_center", "proportion"),
    "np": _ratios("np_chart", "defectives", "np_center", "defectives"),
    "u": _ratios("u_chart", "defects", "u_center", "per_unit"),
    "p_prime": _ratios("laney_p", "defectives", "p_center", "proportion"),
    "u_prime": _ratios("laney_u", "defects", "u_center", "per_unit"),
    "xbar": _subgroups("xbar_s", "xbar", "mean"),
    "s": _subgroups("xbar_s", "s", "stdev"),
    "r": _subgroups("xbar_r", "r", "range"),
}
