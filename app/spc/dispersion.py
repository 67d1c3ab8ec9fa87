"""Over-dispersion of units that are compared: how much more they differ than chance explains.

Sources: Spiegelhalter 2005, Qual Saf Health Care 14:347 and Stat Med 24:1185; Spiegelhalter et al.
2012, J R Stat Soc A 175:1; DerSimonian & Laird 1986, Control Clin Trials 7:177. The transformations
and the quantiles are those of FunnelPlotR (proportions, and its CQC method for ratios).
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from app.spc.series import FloatArray
from app.spc.tails import Z, chi_square_tail

Kind = Literal["proportion", "rate", "ratio"]


class Scores(NamedTuple):
    """Units on the transformed scale, on which their spread does not depend on their value."""

    z: FloatArray
    errors: FloatArray  # standard errors within the units


class Dispersion(NamedTuple):
    """phi: mean squared winsorised z, 1 where chance explains all. tau_squared: variance between

    units on the transformed scale. p_value: of phi against 1; None for fewer than two units.
    """

    phi: float | None
    tau_squared: float
    p_value: float | None
    degrees_of_freedom: int
    winsorised: int  # units whose z was pulled in


def score(kind: Kind, numerators: FloatArray, denominators: FloatArray, centre: float) -> Scores:
    """Arcsine square root for proportions; square root of observed over expected for the rest."""
    if kind == "proportion":
        errors = 0.5 / np.sqrt(denominators)
        distance = np.arcsin(np.sqrt(numerators / denominators)) - math.asin(math.sqrt(centre))
        return Scores(distance / errors, errors)
    expected = denominators * centre
    errors = 0.5 / np.sqrt(expected)
    return Scores((np.sqrt(numerators / expected) - 1) / errors, errors)


def estimate(scores: Scores, *, winsorise: float, centre_is_given: bool) -> Dispersion:
    """phi from z pulled in to its `winsorise` quantiles, and the variance between units."""
    known = np.isfinite(scores.z)
    z, weights = scores.z[known], 1 / scores.errors[known] ** 2
    units = len(z)
    if units < 2:
        return Dispersion(None, 0.0, None, 0, 0)
    # The chi-square loses a degree where the centre was estimated from the same units.
    degrees = units if centre_is_given else units - 1
    lowest, highest = np.quantile(z, [winsorise, 1 - winsorise])
    pulled = np.clip(z, lowest, highest)
    statistic = math.fsum((pulled**2).tolist())
    total = math.fsum(weights.tolist())
    shared = total - math.fsum((weights**2).tolist()) / total
    return Dispersion(
        phi=statistic / units,
        tau_squared=max(0.0, (statistic - (units - 1)) / shared),
        p_value=chi_square_tail(statistic, degrees),
        degrees_of_freedom=degrees,
        winsorised=int(np.count_nonzero(pulled != z)),
    )


def adjusted_limits(
    kind: Kind, denominator: float, centre: float, tau_squared: float, levels: tuple[float, ...]
) -> list[float]:
    """Limits that add the variance between units, carried back from the transformed scale."""
    if kind == "proportion":
        spread = math.sqrt(0.25 / denominator + tau_squared)
        middle = math.asin(math.sqrt(centre))
        angles = [min(max(middle + Z(level) * spread, 0.0), math.pi / 2) for level in levels]
        return [math.sin(angle) ** 2 for angle in angles]
    spread = math.sqrt(0.25 / (denominator * centre) + tau_squared)
    return [centre * max(0.0, 1 + Z(level) * spread) ** 2 for level in levels]
