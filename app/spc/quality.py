"""How far a chart can be trusted: the number of base points, and warnings about its data."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from app.spc.series import FloatArray

TRIAL_BELOW = 12  # base points
FIRM_FROM = 20

LimitsQuality = Literal["none", "trial", "provisional", "firm"]


class DataWarning(NamedTuple):
    """Something about the data that the reader of the chart should know."""

    code: str
    detail: str


class Quality(NamedTuple):
    """Trust in the limits of the latest phase, from its base points.

    The false-signal rate and the minimum detectable shift await their simulated tables.
    """

    points: int
    baseline_points: int
    limits: LimitsQuality
    warnings: tuple[DataWarning, ...]
    false_signal_rate: float | None = None
    minimum_detectable_shift: float | None = None


def judge_limits(base_points: int, *, has_limits: bool) -> LimitsQuality:
    """`trial` below 12 base points, `provisional` below 20, then `firm`; `none` without limits."""
    if not has_limits:
        return "none"
    if base_points < TRIAL_BELOW:
        return "trial"
    return "provisional" if base_points < FIRM_FROM else "firm"


def data_warnings(
    zero_denominators: Sequence[int], labels: Sequence[str], *, overflowed: bool, flat: bool
) -> tuple[DataWarning, ...]:
    """The warnings of one series, in a fixed order."""
    warnings = []
    if zero_denominators:
        shown = ", ".join(labels[row] for row in zero_denominators[:5])
        more = " and later ones" if len(zero_denominators) > 5 else ""
        detail = f"A zero denominator is shown as a gap: {shown}{more}."
        warnings.append(DataWarning("denominator_zero", detail))
    if overflowed:
        detail = "Some numbers are too large to be computed and are shown as undefined."
        warnings.append(DataWarning("overflow", detail))
    if flat:
        detail = "The base points of the latest phase do not vary, so it has no limits."
        warnings.append(DataWarning("no_variation", detail))
    return tuple(warnings)


def without_infinities(numbers: FloatArray) -> bool:
    """Turn infinities into NaN in place; whether there were any."""
    infinite = np.isinf(numbers)
    if not np.count_nonzero(infinite):
        return False
    numbers[infinite] = np.nan
    return True
