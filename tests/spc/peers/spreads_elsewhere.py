"""What other engines draw where they estimate spread otherwise, written out from their sources."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from app.spc.constants import c4, d2_d3
from app.spc.means import SCREEN_FACTOR
from app.spc.series import FloatArray
from tests.spc.peers.cases import Case
from tests.spc.peers.comparing import Difference, shown

_SIGNS = {"lower_limit": -3, "upper_limit": 3, "lower_warning": -2, "upper_warning": 2}
_PRINTED = 0.00051  # a constant printed with three decimals, in units of S
_PRINTED_C4 = 0.0015  # what c4 with four decimals makes of 3 sqrt(1 - c4 c4)
_EXACT_D2 = 2 / math.sqrt(math.pi)


def _centre(difference: Difference) -> FloatArray:
    return difference.case.ours().centre


def _where(rows: Any, line: FloatArray | float) -> FloatArray:
    """The line in some rows; of others nothing is said."""
    found: FloatArray = np.where(rows, line, np.nan)
    return found


def _about(difference: Difference, middle: FloatArray, sigma: FloatArray | float) -> FloatArray:
    """A line so many sigma from the middle, floored at zero."""
    line: FloatArray = middle + _SIGNS[difference.about] * sigma
    return line


def collapsed(difference: Difference) -> Any:
    """The centre, in phases where screening leaves nothing but ranges of zero."""
    case, line = difference.case, _centre(difference)
    found = np.full(len(line), np.nan)
    for phase in case.ours().phases:
        ranges = np.abs(np.diff(case.ours().values[phase.start : phase.baseline_stop]))
        kept = ranges[ranges < SCREEN_FACTOR * np.mean(ranges)]
        if case.screens and len(kept) and not kept.any():
            found[phase.start : phase.stop] = line[phase.start]
    return found


def g_about_median(difference: Difference) -> Any:
    """About the median, with its sigma."""
    median = _centre(difference)
    line = _about(difference, median, np.sqrt(median * (median + 1)))
    return np.maximum(line, 0)


def _unclipped(difference: Difference, widened: float = 1) -> FloatArray:
    """A line of proportions before it is clipped; sigma may be widened."""
    case, centre = difference.case, _centre(difference)
    sizes = case.column("denominators")
    if case.chart == "np":
        return _about(difference, centre, np.sqrt(centre * (1 - centre / sizes)))
    sigma = np.sqrt(centre * (1 - centre) / sizes) * widened
    for phase in case.ours().phases:
        sigma[phase.start : phase.stop] *= phase.sigma_z or 1
    return _about(difference, centre, sigma)


def above_ceiling(difference: Difference) -> Any:
    """Our line before it is clipped."""
    top = difference.case.column("denominators") if difference.case.chart == "np" else 1.0
    return _where(difference.ours == top, _unclipped(difference))


def plain_limits(difference: Difference) -> Any:
    """The chart without Laney's widening, in phases that are less dispersed than it takes."""
    case = difference.case
    centre, sizes = _centre(difference), case.column("denominators")
    variance = centre * (1 - centre) if case.chart == "p_prime" else centre
    line = np.maximum(_about(difference, centre, np.sqrt(variance / sizes)), 0)
    found = np.full(len(line), np.nan)
    for phase in case.ours().phases:
        if phase.sigma_z is not None and phase.sigma_z < 1:
            found[phase.start : phase.stop] = line[phase.start : phase.stop]
    return found


def level_prime(difference: Difference) -> Any:
    """About the weighted mean, as wide as an i chart of the ratios without their gaps."""
    case = difference.case
    as_individuals = replace(case, settings=replace(case.settings, chart="i"))
    closed = as_individuals.without_gaps()
    if case.baseline is not None:
        rows = sum(row < case.baseline for row in case.kept)
        closed = replace(closed, settings=replace(closed.settings, baseline_points=rows))
    lines = shown(closed.ours())
    found = np.full(len(case.series.x), np.nan)
    found[case.kept] = lines[difference.about] - lines["centre"]
    return _centre(difference) + found


def _subgroups(case: Case) -> tuple[FloatArray, FloatArray]:
    """Sizes and standard deviations."""
    groups = [np.array(group, dtype=np.float64) for group in case.series.subgroups or ()]
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    return sizes, np.array([group.std(ddof=1) for group in groups])


def printed_constants(difference: Difference) -> Any:
    """Their line where it is ours but for the rounding of a constant."""
    case = difference.case
    sizes, _ = _subgroups(case)
    has_parts = case.baseline is not None or len(case.phases) > 1
    if len(set(sizes)) > 1 or (case.chart == "xbar" and has_parts):
        return None
    spread = replace(case, settings=replace(case.settings, chart="s")).ours().centre
    return _where(
        np.abs(difference.theirs - difference.ours) <= _PRINTED * spread, difference.theirs
    )


def spread_of_whole_series(difference: Difference) -> Any:
    """Limits from the mean standard deviation of all subgroups, but for rounding."""
    sizes, spreads = _subgroups(difference.case)
    if len(set(sizes)) > 1:
        return None
    spread = spreads.mean()
    line = _about(difference, _centre(difference), spread / (c4(sizes) * np.sqrt(sizes)))
    return _where(np.abs(difference.theirs - line) <= _PRINTED * spread, difference.theirs)


def pooled_and_unbiased(difference: Difference) -> Any:
    """Limits from the pooled standard deviation over c4 of its degrees of freedom."""
    sizes, spreads = _subgroups(difference.case)
    if len(set(sizes)) == 1:
        return None
    freedom = sizes - 1
    total = float(freedom.sum())
    unbiasing = 1 - 1 / (4 * (total + 1)) - 7 / (32 * (total + 1) ** 2)
    sigma = math.sqrt(float((freedom * spreads**2).sum()) / total) / unbiasing
    if difference.case.chart == "xbar":
        line = _about(difference, _centre(difference), sigma / np.sqrt(sizes))
    else:
        factor = c4(sizes)
        line = sigma * factor
        if difference.about != "centre":
            line = np.maximum(_about(difference, line, sigma * np.sqrt(1 - factor**2)), 0)
    return _where(np.abs(difference.theirs - line) <= _PRINTED_C4 * sigma, difference.theirs)


def mr_lines(difference: Difference) -> Any:
    """Warning lines about their own centre; no lower limit."""
    centre = difference.lines["centre"]
    if difference.about == "lower_limit":
        return "nothing"
    sign = 1 if difference.about == "upper_warning" else -1
    return centre + sign * (SCREEN_FACTOR * centre - centre) * 2 / 3


def _mr_elsewhere(difference: Difference) -> FloatArray:
    """Ranges taken across phases, and none beside an excluded point in the centre."""
    case = difference.case
    ranges = np.abs(np.diff(case.column("values"), prepend=np.nan))
    if difference.about == "value":
        return ranges
    counted = np.ones(len(ranges), dtype=np.bool_)
    if case.baseline is not None:
        counted[case.baseline :] = False
    for row in case.excluded:
        counted[row : row + 2] = False
    centre = np.concatenate(
        [
            np.full(rows.stop - rows.start, np.nanmean(ranges[rows][counted[rows]]))
            for rows in case.phases
        ]
    )
    return centre if difference.about == "centre" else SCREEN_FACTOR * centre


def ranges_across_phases(difference: Difference) -> Any:
    """In phases after the first."""
    case = difference.case
    later = np.arange(len(case.series.x)) >= case.phases[0].stop
    return _where(later, _mr_elsewhere(difference))


def both_ranges_excluded(difference: Difference) -> Any:
    """In cases with excluded points."""
    return _mr_elsewhere(difference) if difference.case.excluded else None


def exact_d2(difference: Difference) -> Any:
    """Our line, as far from the centre as the other constant puts it."""
    narrower = 1.128 / _EXACT_D2
    if difference.case.chart == "p_prime":
        return np.clip(_unclipped(difference, narrower), 0, 1)
    centre = _centre(difference)
    return centre + (difference.ours - centre) * narrower


def exact_d4(difference: Difference) -> Any:
    """The mean range times D4 to all digits."""
    d2, d3 = d2_d3(np.array([2.0]))
    return _centre(difference) * float(1 + 3 * d3[0] / d2[0])
