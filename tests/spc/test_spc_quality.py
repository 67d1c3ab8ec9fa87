"""Warnings about data, and the simulated odds of a chart."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from app.spc import CHARTS, RULE_SETS, Chart, Quality, Series, Settings, chart
from app.spc import simulated_rates as rates
from app.spc import simulated_shifts as shifts
from app.spc.lookup import FAMILIES, false_signal_rate, minimum_detectable_shift
from simulations import rule_sets as simulation
from simulations.rule_sets import Setup, draw_noise, prepare
from tests.spc.requests import labels

NOISE = [10.3, 9.1, 11.2, 8.7, 10.9, 9.8, 9.0, 11.6, 10.1, 8.9, 10.6, 9.4]


def seeded() -> np.random.Generator:
    """The same numbers in every test, whatever order they run in."""
    return np.random.default_rng(1)


def draw(values: Any, name: str = "i", **settings: Any) -> Chart:
    excluded = settings.pop("excluded", None)
    return chart(Series(labels(len(values)), values, excluded=excluded), Settings(name, **settings))


def draw_ratios(
    numerators: list[Any], denominators: list[Any], name: str, **settings: Any
) -> Chart:
    excluded = settings.pop("excluded", None)
    x = labels(len(numerators))
    series = Series(x, numerators=numerators, denominators=denominators, excluded=excluded)
    return chart(series, Settings(name, **settings))


def codes(quality: Quality) -> list[str]:
    return [warning.code for warning in quality.warnings]


def detail(judged: Chart, code: str) -> str:
    (found,) = [warning.detail for warning in judged.quality.warnings if warning.code == code]
    return found


def test_an_ordinary_chart_has_no_warnings() -> None:
    assert codes(draw(NOISE).quality) == []
    assert codes(draw(NOISE, "run").quality) == []
    binomial = seeded().binomial(60, 0.4, 24).tolist()
    assert codes(draw_ratios(binomial, [60] * 24, "p").quality) == []
    assert codes(draw_ratios(seeded().poisson(30, 24).tolist(), [60] * 24, "u").quality) == []
    assert codes(draw(seeded().poisson(30, 24).tolist(), "c").quality) == []


def test_few_base_points_give_trial_limits() -> None:
    judged = draw(NOISE, baseline_points=11)
    assert codes(judged.quality) == ["few_base_points"]
    assert detail(judged, "few_base_points").startswith("The limits rest on 11 points")
    assert codes(draw(NOISE, baseline_points=12).quality) == []


def test_a_short_run_chart_is_said_to_be_short() -> None:
    assert codes(draw(NOISE[:9], "run").quality) == ["few_points"]
    assert codes(draw(NOISE[:10], "run").quality) == []
    assert codes(draw([], "run").quality) == []


def test_gaps_are_counted_but_not_exclusions() -> None:
    few = [*NOISE[:10], None, None]
    assert codes(draw(few, "run").quality) == []
    many = [*NOISE[:10], None, None, None]
    judged = draw(many, "run")
    assert detail(judged, "many_gaps").startswith("3 of 13 points are missing")
    excluded = [False] * 10 + [True] * 6
    left_out = [*NOISE[:10], *[99] * 6]
    assert codes(draw(left_out, "run", excluded=excluded).quality) == []
    # Of what is not excluded, 3 of 13 are missing.
    both = draw([*many, 5, 5, 5], "run", excluded=[False] * 13 + [True] * 3)
    assert detail(both, "many_gaps").startswith("3 of 13 points are missing")


@pytest.mark.parametrize(("name", "advised"), [("p", "p_prime"), ("u", "u_prime"), ("c", "i")])
def test_over_dispersion(name: str, advised: str) -> None:
    sizes = [10_000 if name != "c" else 1] * 24
    base = [400 + 80 * (-1) ** row + 7 * (row % 5) for row in range(24)]
    judged = draw(base, "c") if name == "c" else draw_ratios(base, sizes, name)
    assert codes(judged.quality) == ["over_dispersed"]
    instead = advised if advised in CHARTS else "i"
    assert f"choose a{'n' if instead == 'i' else ''} {instead} chart" in detail(
        judged, "over_dispersed"
    )
    assert judged.quality.false_signal_rate is None
    assert judged.quality.minimum_detectable_shift is None


def test_one_stray_point_is_no_over_dispersion() -> None:
    numerators = seeded().binomial(400, 0.5, 24)
    numerators[7] += 70  # 7 sigma
    judged = draw_ratios(numerators.tolist(), [400] * 24, "p")
    assert judged.outside_limits[7]
    assert codes(judged.quality) == []


def test_over_dispersion_is_found_beside_gaps_and_exclusions() -> None:
    base: list[Any] = [4000 + 300 * (-1) ** row for row in range(26)]
    base[3] = None
    excluded = [row == 11 for row in range(26)]
    judged = draw_ratios(base, [10_000] * 26, "p", excluded=excluded)
    assert "over_dispersed" in codes(judged.quality)


def test_the_ratio_is_laney_s_sigma_z() -> None:
    numerators, size = np.array([400 + 80 * (-1) ** row for row in range(24)]), 10_000
    centre = numerators.mean() / size
    z = (numerators / size - centre) / np.sqrt(centre * (1 - centre) / size)
    expected = np.abs(np.diff(z)).mean() / 1.128
    judged = draw_ratios(numerators.tolist(), [size] * 24, "p")
    assert f"vary {expected:.1f} times" in detail(judged, "over_dispersed")


def test_small_counts_and_many_zeros() -> None:
    small = draw([3, 4, 2, 5, 3, 4, 2, 6, 3, 4, 5, 3], "c")
    assert codes(small.quality) == ["small_counts"]
    assert detail(small, "small_counts").startswith("A point counts 3.7 events on average")
    assert small.quality.false_signal_rate is None
    rare = draw([0, 1, 0, 0, 2, 0, 1, 0, 0, 1, 0, 0], "c")
    assert codes(rare.quality) == ["many_zeros"]
    assert detail(rare, "many_zeros").startswith("8 of 12 base points count nothing")
    # Of a share near 1, the rarer outcome is what is not counted.
    nearly_all = draw_ratios([38, 39, 37, 39, 38, 40, 38, 37, 39, 38, 39, 38], [40] * 12, "p")
    assert codes(nearly_all.quality) == ["small_counts"]
    assert codes(draw_ratios([0] * 12, [40] * 12, "p").quality) == ["many_zeros"]


def test_neighbours_that_are_alike() -> None:
    drift = [row + NOISE[row % 12] for row in range(24)]
    judged = draw(drift, rule_set="limits_only")
    assert codes(judged.quality) == ["autocorrelated"]
    assert codes(draw(drift[:19]).quality) == []  # too few to tell
    assert codes(draw(drift, "run").quality) == ["autocorrelated"]
    assert codes(draw([1e9 + value for value in NOISE * 2]).quality) == []


def test_independent_points_are_seldom_called_alike_or_over_dispersed() -> None:
    rng = np.random.default_rng(5)
    raised = {"autocorrelated": 0, "over_dispersed": 0}
    for _ in range(500):
        for quality in (
            draw(rng.normal(size=24)).quality,
            draw_ratios(rng.binomial(50, 0.3, 24).tolist(), [50] * 24, "p").quality,
        ):
            for code in codes(quality):
                raised[code] = raised.get(code, 0) + 1
    assert raised.keys() == {"autocorrelated", "over_dispersed"}
    assert raised["autocorrelated"] <= 15
    assert raised["over_dispersed"] <= 10


def test_a_signal_among_base_points() -> None:
    values = [*NOISE[:5], 25.0, *NOISE[6:], *NOISE]
    judged = draw(values, baseline_points=12, screen_moving_ranges=True)
    assert "signal_in_baseline" in codes(judged.quality)
    assert "(outside_limits)" in detail(judged, "signal_in_baseline")
    assert "signal_in_baseline" not in codes(draw(values).quality)  # no baseline is frozen
    later = [*NOISE, *NOISE[:5], 25.0]
    assert "signal_in_baseline" not in codes(draw(later, baseline_points=12).quality)


def test_quality_speaks_of_the_latest_phase() -> None:
    values = [0.0, 50.0] * 6 + NOISE
    quality = draw(values, phase_starts=[12]).quality
    assert quality == draw(NOISE).quality._replace(points=24)


def test_tables_cover_every_rule_set_in_its_present_version() -> None:
    wanted = {name: rules.version for name, rules in RULE_SETS.items()}
    advice = "run `python -m simulations.rule_sets`"
    for table in (rates, shifts):
        assert wanted == table.VERSIONS, advice
        cells = {tuple(line.split(" : ")[0].split()) for line in table.TABLE.splitlines()}
        families = sorted(set(FAMILIES.values()))
        axis = map(str, simulation.BEFORE)
        assert cells == set(product(wanted, families, axis)), advice
        assert (table.BEFORE, table.AFTER) == (simulation.BEFORE, simulation.AFTER)
        lengths = {len(line.split(" : ")[1].split()) for line in table.TABLE.splitlines()}
        assert lengths == {len(table.AFTER)}
    assert simulation.FAMILIES.keys() == set(FAMILIES.values())


@pytest.mark.parametrize(
    ("rule_set", "name", "before", "after"),
    [
        ("mdc", "i", 12, 24),
        ("mdc", "run", 12, 24),
        ("mdc", "c", 4, 5),
        ("anhoej", "run", 12, 24),
        ("anhoej", "i", 24, 0),
        ("nelson", "i", 8, 10),
        ("ihi_run", "run", 4, 5),
        ("plotthedots", "i", 16, 36),
        ("western_electric", "c", 12, 24),
    ],
)
def test_another_seed_gives_the_tabulated_rates(
    rule_set: str, name: str, before: int, after: int
) -> None:
    sample = prepare(Setup(rule_set, FAMILIES[name], before), draw_noise(before, 2_000, seed=7))
    found = simulation.find(sample, before + after).share(before + after)
    expected = false_signal_rate(name, rule_set, before, after)
    assert expected is not None
    error = (0.25 / 2_000 + 0.25 / rates.RUNS) ** 0.5  # at most
    assert found == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(
    ("rule_set", "name", "before", "after"),
    [("mdc", "i", 12, 24), ("anhoej", "run", 12, 24), ("limits_only", "c", 16, 12)],
)
def test_another_seed_finds_the_tabulated_shift_four_times_in_five(
    rule_set: str, name: str, before: int, after: int
) -> None:
    shift = minimum_detectable_shift(name, rule_set, before, after)
    assert shift is not None
    sample = prepare(Setup(rule_set, FAMILIES[name], before), draw_noise(before, 2_000, seed=7))
    (seen,) = simulation.power(sample, [after], shift)
    assert seen == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(("before", "after"), [(10, 14), (20, 30), (45, 0), (5, 7)])
def test_between_the_cells_the_tables_hold_too(before: int, after: int) -> None:
    sample = prepare(Setup("mdc", "ranges", before), draw_noise(before, 3_000, seed=7))
    found = simulation.find(sample, before + after).share(before + after)
    assert false_signal_rate("i", "mdc", before, after) == pytest.approx(found, abs=0.045)


@pytest.mark.parametrize("rule_set", list(RULE_SETS))
def test_a_curve_over_lengths_is_what_each_length_gives(rule_set: str) -> None:
    sample = prepare(Setup(rule_set, "ranges", 8), draw_noise(8, 200))
    curve = simulation.false_signal_rates(sample)
    for after, share in zip(simulation.AFTER, curve, strict=True):
        if after in {0, 2, 10, 24}:
            assert simulation.find(sample, 8 + after).share(8 + after) == share


# Chance of any signal, by another simulation (4,000 runs, about 1.6 points): base points, points
# after them, shift in sigma.
@pytest.mark.parametrize(
    ("rule_set", "name", "before", "after", "rate"),
    [
        ("lifeqi", "i", 4, 5, 0.27),
        ("mdc", "i", 4, 5, 0.27),
        ("anhoej", "run", 4, 5, 0.03),
        ("ihi_run", "run", 4, 5, 0.15),
        ("lifeqi", "i", 12, 24, 0.51),
        ("mdc", "i", 12, 24, 0.48),
        ("anhoej", "run", 12, 24, 0.15),
        ("ihi_run", "run", 12, 24, 0.66),
    ],
)
def test_rates_agree_with_an_independent_simulation(
    rule_set: str, name: str, before: int, after: int, rate: float
) -> None:
    assert false_signal_rate(name, rule_set, before, after) == pytest.approx(rate, abs=0.03)


def test_odds_of_a_chart_are_those_of_its_table() -> None:
    frozen = draw([*NOISE, *NOISE, *NOISE], baseline_points=12).quality
    assert frozen.false_signal_rate == false_signal_rate("i", "mdc", 12, 24)
    assert frozen.minimum_detectable_shift == minimum_detectable_shift("i", "mdc", 12, 24)
    whole = draw([*NOISE, *NOISE, *NOISE]).quality
    assert whole.false_signal_rate == false_signal_rate("i", "mdc", 36, 0)
    assert whole.minimum_detectable_shift is None
    gaps = draw([*NOISE, *NOISE, *NOISE, None, None], baseline_points=12).quality
    assert gaps.false_signal_rate == frozen.false_signal_rate
    excluded = [False] * 36 + [True]
    ghost = draw([*NOISE, *NOISE, *NOISE, 5], baseline_points=12, excluded=excluded).quality
    assert ghost.false_signal_rate == frozen.false_signal_rate


def test_odds_that_are_unknown_are_left_open() -> None:
    assert draw([1.0]).quality.false_signal_rate is None
    assert draw([5] * 24).quality.false_signal_rate is None
    assert draw(seeded().normal(size=1_000)).quality.false_signal_rate is None
    assert false_signal_rate("g", "mdc", 12, 24) is None
    assert false_signal_rate("i", "of another make", 12, 24) is None
    assert false_signal_rate("i", "mdc", 1, 24) is None
    assert minimum_detectable_shift("i", "mdc", 12, 1) is None
    assert minimum_detectable_shift("run", "limits_only", 12, 24) is None


@pytest.mark.parametrize("name", ["i", "run", "c"])
def test_the_simulation_judges_as_charts_do(name: str) -> None:
    setup, points = Setup("anhoej", FAMILIES[name], 8), 20
    noise = draw_noise(8, 100)
    found = simulation.find(prepare(setup, noise), points)
    shown = 10_000 + 100 * noise if name == "c" else noise
    for row, (completed, whole) in enumerate(zip(found.completed, found.whole, strict=True)):
        judged = draw(shown[row, :points], name, rule_set="anhoej", baseline_points=8)
        ends = [s.completed_at for s in judged.signals if s.completed_at is not None]
        assert completed == min(ends, default=simulation.NEVER)
        assert whole == any(s.completed_at is None for s in judged.signals)


def test_more_points_signal_more_and_see_smaller_shifts() -> None:
    seen = [false_signal_rate("i", "mdc", 12, after) or 0 for after in range(105)]
    assert seen == sorted(seen)
    sizes = [minimum_detectable_shift("i", "mdc", 12, after) for after in range(8, 80, 8)]
    stated = [size for size in sizes if size is not None]
    assert len(stated) >= 5
    assert stated == sorted(stated, reverse=True)
