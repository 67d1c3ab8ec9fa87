"""EWMA, CUSUM, Pareto and funnel plots beside the engines that have them, on seeded data.

The known differences are those of OF_COMPARISONS; each has a test here that predicts what the
other engine says.
"""

import math
from typing import Any

import numpy as np
import pytest
import shewhart
from controlchartspy import funnel as control_funnel
from qikit import paretochart
from qikit.spc.compute import compute

from app.spc import Series
from app.spc.cusum import CusumSettings, cusum
from app.spc.ewma import EwmaSettings, ewma
from app.spc.funnel import LIMITS, funnel
from app.spc.pareto import Category, ParetoSettings, pareto
from app.spc.series import FloatArray
from app.spc.tails import chi_square_tail
from app.spc.units import FunnelSettings, Unit
from tests.spc.peers.divergences import OF_COMPARISONS
from tests.spc.requests import labels

SEEDS = range(12)
QIKIT = {"proportion": "p", "rate": "u", "ratio": "oe"}
CONTROL = {"proportion": "PR", "rate": "RC", "ratio": "SR"}
THEIR_LIMITS = ("ll99", "ll95", "ul95", "ul99")
Z_998, Z_95 = 3.090232306167813, 1.959963984540054


def close(expected: Any, tolerance: float = 1e-9) -> Any:
    return pytest.approx(expected, rel=tolerance, abs=tolerance)


def values_of(seed: int) -> FloatArray:
    random = np.random.default_rng(seed)
    size = int(random.integers(8, 120))
    drift: FloatArray = np.linspace(0, float(random.choice([0, 1.5])), size)
    return (50 + 4 * (random.normal(size=size) + drift)).round(1)


def column(document: dict[str, Any], name: str) -> list[Any]:
    return [point[name] for point in document["points"]]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exact", [True, False])
def test_ewma_of_shewhart(seed: int, exact: bool) -> None:
    values, weight = values_of(seed), [0.1, 0.2, 0.4, 1.0][seed % 4]
    settings = EwmaSettings(
        centre=51, sigma=3.7, weight=weight, limits="exact" if exact else "asymptotic"
    )
    ours = ewma(Series(labels(len(values)), values.tolist()), settings)
    table = shewhart.ewma(values, center=51, sigma=3.7, lam=weight, asymptotic=not exact).table
    assert column(ours, "statistic") == close(table["ewma"].tolist())
    assert column(ours, "lower_limit") == close(table["lcl"].tolist())
    assert column(ours, "upper_limit") == close(table["ucl"].tolist())
    assert column(ours, "outside_limits") == table["signal"].tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_cusum_of_shewhart(seed: int) -> None:
    values, k, h = values_of(seed), [0.25, 0.5, 1.0][seed % 3], [4.0, 5.0][seed % 2]
    settings = CusumSettings(centre=51, sigma=3.7, allowance=k, decision_interval=h)
    ours = cusum(Series(labels(len(values)), values.tolist()), settings)
    table = shewhart.cusum(values, center=51, sigma=3.7, k=k, h=h).table
    assert column(ours, "high") == close((table["cusum_pos"] / 3.7).tolist())
    assert column(ours, "low") == close((-table["cusum_neg"] / 3.7).tolist())
    assert column(ours, "outside_limits") == table["signal"].tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_estimates_of_charts_with_a_memory_differ_by_the_digits_of_d2(seed: int) -> None:
    values = values_of(seed)
    series = Series(labels(len(values)), values.tolist())
    by_ewma = ewma(series, EwmaSettings(screen_moving_ranges=False))["phases"][0]
    by_cusum = cusum(series, CusumSettings(screen_moving_ranges=False))["phases"][0]
    for stats in (shewhart.ewma(values).stats, shewhart.cusum(values).stats):
        theirs = stats["sigma"] * 2 / math.sqrt(math.pi) / 1.128
        assert [by_ewma["centre"], by_cusum["centre"]] == close([stats["center"]] * 2)
        assert [by_ewma["sigma"], by_cusum["sigma"]] == close([theirs] * 2)
        assert stats["sigma"] != close(theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_pareto_of_shewhart_and_qikit(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.choice(np.arange(1, 200), int(random.integers(2, 15)), replace=False).tolist()
    named = {f"reason {row:02d}": float(count) for row, count in enumerate(counts)}
    categories = [Category(label, value) for label, value in named.items()]
    ours = pareto(categories, ParetoSettings())
    theirs = shewhart.pareto(named)
    rows = ours["categories"]
    assert [row["label"] for row in rows] == theirs.table.index.tolist()
    shares = [row["cumulative_share"] for row in rows]
    assert shares == close(theirs.table["cumulative_share"].tolist())
    assert ours["vital_few"] == theirs.stats["n_for_80pct"]
    chart = paretochart([label for label, value in named.items() for _ in range(int(value))]).data
    assert [row["label"] for row in rows] == chart["category"].tolist()
    assert shares == close((chart["cum_percent"] / 100).tolist())


def units_of(seed: int, kind: str) -> list[Unit]:
    random = np.random.default_rng(seed)
    many = int(random.integers(12, 40))
    sizes = random.integers(20, 400, many).astype(float)
    spread = [0.0, 0.25][seed % 2]
    centre = {"proportion": 0.2, "rate": 0.3, "ratio": 1.0}[kind]
    rates = centre * np.exp(spread * random.normal(size=many))
    if kind == "proportion":
        counts = random.binomial(sizes.astype(int), np.clip(rates, 0.01, 0.9))
    else:
        counts = random.poisson(rates * sizes)
    each = zip(counts.tolist(), sizes.tolist(), strict=True)
    return [Unit(f"{row:02d}", float(x), n) for row, (x, n) in enumerate(each)]


def drawn(units: list[Unit], kind: Any) -> dict[str, Any]:
    return funnel(units, FunnelSettings(kind=kind, over_dispersion="ignore"))


def limits(document: dict[str, Any], which: str = "limits") -> FloatArray:
    rows = [[unit[which][name] for name in LIMITS] for unit in document["units"]]
    return np.array(rows, dtype=np.float64)


def by_qikit(units: list[Unit], kind: str) -> tuple[FloatArray, dict[str, Any]]:
    sizes = np.array([unit.denominator for unit in units])
    rates = np.array([unit.numerator for unit in units]) / sizes
    centre = 1.0 if kind == "ratio" else None
    found = compute(QIKIT[kind], rates, n=sizes, cl_override=centre, funnel=True)
    columns = [found[name] for name in ("lcl", "lcl_95", "ucl_95", "ucl")]
    return np.array(columns).T, found["summary"]


def by_control(units: list[Unit], kind: str, *, adjusted: bool) -> tuple[FloatArray, FloatArray]:
    found = control_funnel(
        {},
        [unit.label for unit in units],
        [unit.numerator for unit in units],
        [unit.denominator for unit in units],
        return_objs="limits",
        funnel_settings={
            "chart_type": CONTROL[kind],
            "od_adjust": "yes" if adjusted else "no",
            "perc_labels": "No",
        },
    ).limits
    assert found is not None
    rows: dict[str, Any] = {str(row["group"]): row for row in found}
    ordered = [rows[unit.label] for unit in units]
    lines = [[row[name] for name in THEIR_LIMITS] for row in ordered]
    return np.array(lines, dtype=np.float64), np.array([row["z"] for row in ordered])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", QIKIT)
def test_exact_limits_of_funnels_are_those_of_qikit(seed: int, kind: str) -> None:
    units = units_of(seed, kind)
    theirs, _ = by_qikit(units, kind)
    np.testing.assert_allclose(limits(drawn(units, kind)), theirs, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["proportion", "ratio"])
def test_adjusted_limits_of_funnels_are_those_of_controlchartspy(seed: int, kind: str) -> None:
    units = units_of(seed, kind)
    ours = drawn(units, kind)
    theirs, z = by_control(units, kind, adjusted=True)
    if ours["dispersion"]["tau_squared"] > 0 or kind == "proportion":
        np.testing.assert_allclose(limits(ours, "adjusted_limits"), theirs, rtol=1e-9, atol=1e-9)
        adjusted = [unit["adjusted_z"] for unit in ours["units"]]
        np.testing.assert_allclose(adjusted, z, rtol=1e-9, atol=1e-9)


def units_elsewhere(kind: str) -> tuple[list[Unit], dict[str, Any], FloatArray, FloatArray]:
    units = units_of(1, kind)
    sizes = np.array([unit.denominator for unit in units])
    return units, drawn(units, kind), sizes, np.array([unit.numerator for unit in units])


def funnel_limits_approximate(kind: str) -> None:
    """Proportions by the arcsine; ratios by chi-square; rates by logarithms with halves added."""
    units, ours, sizes, counts = units_elsewhere(kind)
    theirs, _ = by_control(units, kind, adjusted=False)
    assert not np.allclose(limits(ours), theirs, rtol=1e-3)
    levels = np.array([-Z_998, -Z_95, Z_95, Z_998])
    if kind == "proportion":
        angles = math.asin(math.sqrt(ours["centre"])) + levels / (2 * np.sqrt(sizes))[:, None]
        np.testing.assert_allclose(np.sin(np.clip(angles, 0, math.pi / 2)) ** 2, theirs, rtol=1e-9)
    elif kind == "rate":
        centre = counts.sum() / sizes.sum()
        expected = centre * sizes
        errors = np.sqrt(expected / (expected + 0.5) ** 2 + sizes / (sizes + 0.5) ** 2)
        predicted = centre * np.exp(levels * errors[:, None])
        np.testing.assert_allclose(predicted, theirs, rtol=1e-9)
    else:  # exact, of the continuous gamma distribution: between a half and one event further out
        for size, lines in zip(sizes.tolist(), theirs.tolist(), strict=True):
            for line, beyond in zip(lines, (0.999, 0.975, 0.025, 0.001), strict=True):
                freedom = 2 * round(size) + 2 * (beyond < 0.5)
                assert chi_square_tail(2 * line * size, freedom) == close(beyond, 1e-6)


def funnel_dispersion_untransformed(kind: str) -> None:
    """phi of z-scores on the scale of the values."""
    units, ours, sizes, counts = units_elsewhere(kind)
    _, summary = by_qikit(units, kind)
    centre = ours["centre"]
    variance = centre * (1 - centre) if kind == "proportion" else centre
    z = (counts / sizes - centre) / np.sqrt(variance / sizes)
    low, high = np.percentile(z, [10, 90])
    assert summary["dispersion_phi"] == close(float(np.mean(np.clip(z, low, high) ** 2)))
    assert summary["dispersion_phi"] != close(ours["dispersion"]["phi"], 1e-3)


@pytest.mark.parametrize("kind", QIKIT)
@pytest.mark.parametrize("predicted", [funnel_limits_approximate, funnel_dispersion_untransformed])
def test_known_differences_of_funnels(kind: str, predicted: Any) -> None:
    predicted(kind)
    name = predicted.__name__.replace("_", "-")
    assert name in [divergence.name for divergence in OF_COMPARISONS]
