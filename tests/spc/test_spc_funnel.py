"""Funnel plots: limits against exact sums, over-dispersion against the formulas, published data."""

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.spc import SpcError
from app.spc.funnel import funnel
from app.spc.tails import binomial_limits, chi_square_tail, poisson_limits
from app.spc.units import FunnelSettings, Unit

pytestmark = pytest.mark.filterwarnings("error")

LEVELS = (0.001, 0.025, 0.975, 0.999)
# Deaths and operations on children under one, England 1991-1995 (Hospital Episode Statistics), as
# in Marshall & Spiegelhalter 2007, Bayesian Analysis 2:409.
HEART_SURGERY = {
    "Bristol": (41, 143),
    "Leicester": (25, 187),
    "Leeds": (24, 323),
    "Oxford": (23, 122),
    "Guys": (25, 164),
    "Liverpool": (42, 405),
    "Southampton": (24, 239),
    "Great Ormond St": (53, 482),
    "Newcastle": (26, 195),
    "Harefield": (25, 177),
    "Birmingham": (58, 581),
    "Brompton": (31, 301),
}


def draw(units: Mapping[str, tuple[float, float]], **chosen: Any) -> dict[str, Any]:
    given_units = [Unit(label, *sums) for label, sums in units.items()]
    return funnel(given_units, FunnelSettings(**({"kind": "proportion"} | chosen)))


def by_label(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["label"]: row for row in document["units"]}


def codes(document: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in document["quality"]["warnings"]]


def slow_limit(chances: list[Fraction], level: float) -> float:
    """Spiegelhalter 2005, appendix A.1, in exact fractions."""
    wanted, below = Fraction(level), Fraction(0)
    for count, chance in enumerate(chances):
        if below + chance >= wanted:
            alpha = (below + chance - wanted) / chance
            return max(0.0, float(count - alpha))
        below += chance
    raise AssertionError("the chances do not reach the level")


@given(st.integers(1, 60), st.integers(1, 99))
def test_binomial_limits_are_those_of_exact_fractions(n: int, hundredths: int) -> None:
    centre = Fraction(hundredths, 100)
    chances = [math.comb(n, r) * centre**r * (1 - centre) ** (n - r) for r in range(n + 1)]
    expected = [slow_limit(chances, level) for level in LEVELS]
    assert binomial_limits(n, hundredths / 100, LEVELS) == pytest.approx(expected, abs=1e-7)


@given(st.integers(1, 300))
def test_poisson_limits_are_those_of_exact_sums(tenths: int) -> None:
    mean = Fraction(tenths, 10)
    first = Fraction(math.exp(-tenths / 10))
    chances = [first * mean**r / math.factorial(r) for r in range(tenths + 60)]
    expected = [slow_limit(chances, level) for level in LEVELS]
    assert poisson_limits(tenths / 10, LEVELS) == pytest.approx(expected, abs=1e-7)


def test_large_counts_join_the_exact_ones() -> None:
    """Where the expansion takes over, limits may not jump by more than a hundredth of an event."""
    exact, expanded = binomial_limits(39_999, 0.5, LEVELS), binomial_limits(40_001, 0.5, LEVELS)
    for below, above in zip(exact, expanded, strict=True):
        assert above - below == pytest.approx(1, abs=0.02)
    exact, expanded = poisson_limits(10_000, LEVELS), poisson_limits(10_000.001, LEVELS)
    assert expanded == pytest.approx(exact, abs=0.01)
    assert poisson_limits(1e15, LEVELS)[1] == pytest.approx(1e15 - 1.959964 * 1e15**0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("statistic", "degrees", "tail"),
    [
        (3.841459, 1, 0.05),
        (18.307038, 10, 0.05),
        (29.588298, 10, 0.001),
        (67.504807, 50, 0.05),
        (124.342113, 100, 0.05),
        (3.940299, 10, 0.95),
        (0, 4, 1),
    ],
)
def test_the_chi_square_table(statistic: float, degrees: int, tail: float) -> None:
    assert chi_square_tail(statistic, degrees) == pytest.approx(tail, rel=1e-5)


@given(st.integers(1, 40), st.floats(0.01, 300))
def test_the_tail_of_even_degrees_is_a_poisson_sum(half: int, statistic: float) -> None:
    terms = [math.exp(-statistic / 2 + k * math.log(statistic / 2) - math.lgamma(k + 1))
             for k in range(half)]  # fmt: skip
    assert chi_square_tail(statistic, 2 * half) == pytest.approx(math.fsum(terms), rel=1e-9)


def test_the_heart_surgery_of_bristol() -> None:
    """Bristol alone lies beyond 99.8 %: the outlier that the inquiry found."""
    chart = draw(HEART_SURGERY, direction="decrease", over_dispersion="ignore", multiplier=100)
    units = by_label(chart)
    assert chart["centre"] == pytest.approx(100 * 397 / 3319)
    assert [label for label, unit in units.items() if unit["outside_998"]] == ["Bristol"]
    assert (units["Bristol"]["side"], units["Bristol"]["meaning"]) == ("high", "worse")
    assert (units["Leeds"]["side"], units["Leeds"]["meaning"]) == ("low", "better")
    assert units["Leeds"]["outside_95"]
    assert units["Guys"]["meaning"] is None
    assert list(units) == list(HEART_SURGERY)  # in the caller's order: this is no ranking
    assert "rank" not in json.dumps(chart)


def slow_dispersion(z: list[float], errors: list[float], part: float) -> tuple[float, float]:
    """phi and tau squared by the formulas of Spiegelhalter 2005 and DerSimonian & Laird 1986."""

    def quantile(at: float) -> float:  # R's type 7
        ordered, position = sorted(z), at * (len(z) - 1)
        low = math.floor(position)
        high = min(low + 1, len(z) - 1)
        return ordered[low] + (position - low) * (ordered[high] - ordered[low])

    lowest, highest = quantile(part), quantile(1 - part)
    phi = sum(min(max(score, lowest), highest) ** 2 for score in z) / len(z)
    weights = [1 / error**2 for error in errors]
    shared = sum(weights) - sum(weight**2 for weight in weights) / sum(weights)
    return phi, max(0.0, (len(z) * phi - (len(z) - 1)) / shared)


def test_over_dispersion_of_proportions() -> None:
    chart = draw(HEART_SURGERY, over_dispersion="adjust")
    centre = math.asin(math.sqrt(397 / 3319))
    z = [2 * math.sqrt(n) * (math.asin(math.sqrt(r / n)) - centre)
         for r, n in HEART_SURGERY.values()]  # fmt: skip
    errors = [1 / (2 * math.sqrt(n)) for _, n in HEART_SURGERY.values()]
    phi, tau_squared = slow_dispersion(z, errors, 0.1)
    assert chart["dispersion"]["phi"] == pytest.approx(phi)
    assert chart["dispersion"]["tau_squared"] == pytest.approx(tau_squared)
    assert (chart["dispersion"]["winsorised"], chart["dispersion"]["is_adjusted"]) == (4, True)
    bristol = by_label(chart)["Bristol"]
    assert bristol["z"] == pytest.approx(z[0])
    spread = math.sqrt(errors[0] ** 2 + tau_squared)
    assert bristol["adjusted_z"] == pytest.approx(z[0] * errors[0] / spread)
    upper = math.sin(centre + 1.959964 * spread) ** 2
    assert bristol["adjusted_limits"]["upper_95"] == pytest.approx(upper, rel=1e-6)
    assert bristol["outside_998"]
    assert "over_dispersed" in codes(chart)


def test_over_dispersion_of_ratios() -> None:
    """Observed over expected on the square root scale; figures of six units, by the formulas."""
    units = {"a": (100, 108), "b": (150, 112), "c": (180, 165), "d": (80, 95), "e": (120, 100),
             "f": (225, 220)}  # fmt: skip
    chart = draw(units, kind="ratio", over_dispersion="auto", multiplier=100)
    z = [2 * (math.sqrt(observed) - math.sqrt(expected)) for observed, expected in units.values()]
    errors = [0.5 / math.sqrt(expected) for _, expected in units.values()]
    phi, tau_squared = slow_dispersion(z, errors, 0.1)
    found = chart["dispersion"]
    assert (found["phi"], found["tau_squared"]) == pytest.approx((phi, tau_squared))
    assert (found["degrees_of_freedom"], found["is_adjusted"]) == (6, True)
    assert found["p_value"] == pytest.approx(chi_square_tail(6 * phi, 6))
    assert (chart["centre"], chart["centre_source"]) == (100, "expected")
    spread = math.sqrt(errors[1] ** 2 + tau_squared)
    lower = 100 * (1 - 3.090232 * spread) ** 2
    assert by_label(chart)["b"]["adjusted_limits"]["lower_998"] == pytest.approx(lower, rel=1e-6)
    assert by_label(chart)["b"]["outside_95"] == ((1 + 1.959964 * spread) ** 2 < 150 / 112)


def test_what_auto_adjusts() -> None:
    alike = {str(number): (50.0 + number % 3, 100.0) for number in range(12)}
    assert not draw(alike)["dispersion"]["is_adjusted"]
    assert not draw(alike, over_dispersion="adjust")["dispersion"]["is_adjusted"]
    unlike = {str(number): (20.0 + 5 * number, 100.0) for number in range(12)}
    assert draw(unlike)["dispersion"]["is_adjusted"]
    ignored = draw(unlike, over_dispersion="ignore")
    assert not ignored["dispersion"]["is_adjusted"]
    flagged = [
        sum(unit["outside_95"] for unit in chart["units"]) for chart in (draw(unlike), ignored)
    ]
    assert flagged[0] < flagged[1]


def test_a_target_is_in_the_displayed_unit() -> None:
    chart = draw({"a": (40, 100)}, target=40, multiplier=100)
    assert (chart["centre"], chart["centre_source"]) == (40, "target")
    assert chart["units"][0]["z"] == pytest.approx(0)
    rate = draw({"a": (4, 1000.5)}, kind="rate", target=2, multiplier=1000)
    assert rate["units"][0]["limits"]["upper_95"] == pytest.approx(
        1000 * poisson_limits(2.001, [0.975])[0] / 1000.5
    )


def test_one_event_in_one_case_is_no_outlier() -> None:
    """The published line lies at 0.998 there, although half of such units lie on 1."""
    chart = draw({"tiny": (1, 1), "rest": (499, 999)}, over_dispersion="ignore")
    tiny = by_label(chart)["tiny"]
    assert tiny["limits"]["upper_998"] < 1
    assert not tiny["outside_95"]
    assert "small_numbers" in codes(chart)


def test_units_without_a_denominator_stand_without_a_value() -> None:
    chart = draw({"a": (0, 0), "b": (3, 20), "c": (5, 20)})
    empty = by_label(chart)["a"]
    assert empty["value"] is empty["z"] is empty["limits"]["upper_95"] is None
    assert not empty["outside_95"]
    assert codes(chart)[:2] == ["denominator_zero", "small_numbers"]
    assert chart["centre"] == 0.2


@pytest.mark.parametrize("numerator", [0, 20])
def test_units_that_all_have_none_or_all(numerator: int) -> None:
    chart = draw({"a": (numerator, 20), "b": (numerator, 20)})
    assert "no_limits" in codes(chart)
    assert chart["units"][0]["limits"]["upper_95"] is None
    assert json.dumps(chart, allow_nan=False)


def test_nothing_to_compare() -> None:
    chart = draw({})
    assert (chart["units"], chart["curve"], chart["centre"]) == ([], [], None)
    assert codes(chart) == ["no_units"]


def test_the_curve_holds_every_unit_and_its_limits() -> None:
    chart = draw(HEART_SURGERY)
    sizes = [point["n"] for point in chart["curve"]]
    assert sizes == sorted(set(sizes))
    assert (sizes[0], sizes[-1]) == (61, 611)
    assert all(size == int(size) for size in sizes)
    same = draw({"x": (1, sizes[40])} | HEART_SURGERY, target=chart["centre"])
    again = draw(HEART_SURGERY, target=chart["centre"])
    assert by_label(same)["x"]["limits"] == again["curve"][40]["limits"]


counts = st.integers(0, 80)
some_units = st.dictionaries(
    st.text(max_size=4),
    st.tuples(counts, counts).map(lambda pair: (float(min(pair)), float(max(pair)))),
    max_size=15,
)


@given(some_units, st.randoms(use_true_random=False), st.sampled_from(["auto", "adjust"]))
@settings(max_examples=50)
def test_it_does_not_depend_on_the_order(
    units: dict[str, tuple[float, float]], chance: Any, handling: str
) -> None:
    shuffled = list(units.items())
    chance.shuffle(shuffled)
    one = draw(units, over_dispersion=handling)
    other = draw(dict(shuffled), over_dispersion=handling)
    assert json.dumps(one["curve"]) == json.dumps(other["curve"])
    assert one["dispersion"] == other["dispersion"]
    assert by_label(one) == by_label(other)


@given(some_units)
@settings(max_examples=50)
def test_counting_the_other_cases_mirrors_the_flags(units: dict[str, tuple[float, float]]) -> None:
    """Answered in time or late is one question; limits as published alone would not mirror."""
    pooled = sum(sums[0] for sums in units.values()), sum(sums[1] for sums in units.values())
    assume(0 < pooled[0] < pooled[1])
    others = {label: (n - r, n) for label, (r, n) in units.items()}
    one = by_label(draw(units, over_dispersion="ignore", target=0.5))
    other = by_label(draw(others, over_dispersion="ignore", target=0.5))
    swapped = {"high": "low", "low": "high", None: None}
    for label in units:
        assert other[label]["side"] == swapped[one[label]["side"]]
        assert other[label]["outside_998"] == one[label]["outside_998"]


@given(some_units, st.integers(-3, 3))
@settings(max_examples=30)
def test_rates_scale_with_the_exposure(units: dict[str, tuple[float, float]], power: int) -> None:
    """Per day or per week: sides, z and phi stay, values and limits scale."""
    factor = 2.0**power
    scaled = {label: (r, n * factor) for label, (r, n) in units.items()}
    one, other = draw(units, kind="rate"), draw(scaled, kind="rate")
    assert one["dispersion"]["phi"] == other["dispersion"]["phi"]
    for before, after in zip(one["units"], other["units"], strict=True):
        assert (before["side"], before["z"]) == (after["side"], after["z"])
        for name, limit in before["limits"].items():
            expected = None if limit is None else pytest.approx(limit / factor)
            assert after["limits"][name] == expected


def test_flags_are_seldom_wrong_by_chance() -> None:
    """Of units that differ by chance only, at most the stated part is beyond a limit."""
    chance = np.random.default_rng(1185)
    sizes = chance.integers(5, 300, 1_000)
    seen = chance.binomial(sizes, 0.3)
    units = {
        str(row): (float(r), float(n)) for row, (r, n) in enumerate(zip(seen, sizes, strict=True))
    }
    chart = draw(units, target=0.3, over_dispersion="ignore")
    assert sum(unit["outside_95"] for unit in chart["units"]) <= 60
    assert sum(unit["outside_998"] for unit in chart["units"]) <= 5


@pytest.mark.parametrize(
    ("sums", "chosen", "code", "pointer"),
    [
        ((3, 2), {}, "numerator_exceeds_denominator", "/units/0/numerator"),
        ((1, 2.5), {}, "denominator_not_whole", "/units/0/denominator"),
        ((-1, 2), {"kind": "rate"}, "numerator_out_of_range", "/units/0/numerator"),
        ((1, math.inf), {}, "denominator_out_of_range", "/units/0/denominator"),
        ((1, 2), {"kind": "mean"}, "unknown_kind", "/kind"),
        ((1, 2), {"target": 100, "multiplier": 100}, "target_out_of_range", "/target"),
        ((1, 2), {"target": 0}, "target_out_of_range", "/target"),
        ((1, 2), {"winsorise": 0.5}, "winsorise_out_of_range", "/winsorise"),
        ((1, 2), {"over_dispersion": "yes"}, "unknown_over_dispersion", "/over_dispersion"),
        ((1, 2), {"direction": "up"}, "unknown_direction", "/direction"),
        ((1, 2), {"multiplier": 0}, "multiplier_out_of_range", "/multiplier"),
    ],
)
def test_refusals(
    sums: tuple[float, float], chosen: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(SpcError) as refused:
        draw({"a": sums}, **chosen)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_a_thousand_units_at_most() -> None:
    with pytest.raises(SpcError) as refused:
        draw({str(number): (1, 2) for number in range(1001)})
    assert refused.value.code == "too_many_units"
