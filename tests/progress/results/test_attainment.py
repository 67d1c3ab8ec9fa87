"""Attainment of an aim: the share of the way, each status and its edges, and what never matters."""

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app import spc
from app.analytics.summaries.figures import figures_of
from app.progress.results.attainment import Attainment, AttainmentStatus, attainment_of
from app.projects.aims import Aim

TODAY = date(2018, 6, 1)
DUE, PASSED = date(2018, 6, 1), date(2018, 5, 31)
S = AttainmentStatus


def an_aim(**over: Any) -> Aim:
    stated: dict[str, Any] = {"target_value": 80.0, "direction": "increase", "by_when": DUE}
    return Aim(**(stated | over))


def a_summary(**over: Any) -> dict[str, Any]:
    """Up from 60 to 70 with a new phase of 12 points."""
    return {
        "baseline_phase": 0,
        "baseline_centre": 60.0,
        "baseline_points": 12,
        "current_phase": 1,
        "current_centre": 70.0,
        "current_points": 12,
        "lower_limit": 65.0,
        "upper_limit": 75.0,
        "current_high_signals": 0,
        "current_low_signals": 0,
        **over,
    }


def attained(
    aim: Aim | None = None, measure_direction: str | None = "increase", **over: Any
) -> Attainment:
    found = attainment_of(aim or an_aim(), measure_direction, a_summary(**over), today=TODAY)
    assert found is not None
    return found


def test_the_share_is_of_the_way_from_the_baseline_to_the_target() -> None:
    assert attained() == Attainment(S.IN_PROGRESS, 0.5, 0.25, 0.75, False)


def test_downwards_the_limits_change_places() -> None:
    found = attained(
        an_aim(target_value=40.0, direction="decrease"),
        "decrease",
        current_centre=50.0,
        lower_limit=45.0,
        upper_limit=55.0,
    )
    assert found == Attainment(S.IN_PROGRESS, 0.5, 0.25, 0.75, False)


def test_a_step_back_is_below_zero() -> None:
    assert attained(current_centre=50.0).share == -0.5


@pytest.mark.parametrize("missing", ["target_value", "direction"])
def test_without_a_target_or_a_direction_there_is_nothing_to_attain(missing: str) -> None:
    aim = an_aim(**{missing: None})
    assert attainment_of(aim, "increase", a_summary(), today=TODAY) is None
    assert attainment_of(None, "increase", a_summary(), today=TODAY) is None


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"baseline_centre": None}, S.NO_BASELINE),
        ({"current_centre": None}, S.INSUFFICIENT_DATA),
        ({"baseline_points": 11}, S.INSUFFICIENT_DATA),
        ({"baseline_points": 11, "current_centre": 85.0}, S.INSUFFICIENT_DATA),
        ({"current_points": 7, "current_centre": 85.0}, S.INSUFFICIENT_DATA),
        ({}, S.IN_PROGRESS),
        ({"current_centre": 79.999}, S.IN_PROGRESS),
        ({"current_centre": 80.0, "current_points": 8}, S.ATTAINED_PROVISIONAL),
        ({"current_centre": 80.0, "current_points": 11}, S.ATTAINED_PROVISIONAL),
        ({"current_centre": 80.0}, S.ATTAINED_SUSTAINED),
        ({"current_centre": 85.0, "current_low_signals": 1}, S.ATTAINED_PROVISIONAL),
        ({"current_centre": 85.0, "current_high_signals": 1}, S.ATTAINED_SUSTAINED),
        ({"current_centre": 95.0, "lower_limit": 90.0}, S.ATTAINED_SUSTAINED),
    ],
)
def test_each_status(over: dict[str, Any], status: AttainmentStatus) -> None:
    assert attained(**over).status is status


def test_no_measure_is_no_baseline() -> None:
    found = attainment_of(an_aim(), None, None, today=TODAY)
    assert found == Attainment(S.NO_BASELINE)


def test_it_is_missed_the_day_after() -> None:
    assert attained(an_aim(by_when=DUE)).status is S.IN_PROGRESS
    assert attained(an_aim(by_when=PASSED)).status is S.MISSED
    assert attained(an_aim(by_when=None)).status is S.IN_PROGRESS
    assert attained(an_aim(by_when=PASSED), current_centre=80.0).status is S.ATTAINED_SUSTAINED
    assert attained(an_aim(by_when=PASSED), baseline_points=3).status is S.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("better", "lower", "status"),
    [
        ("increase", 81.0, S.ATTAINED_SUSTAINED),  # more is better: nobody has gone too far
        ("neutral", 81.0, S.OVERSHOT),
        ("decrease", 81.0, S.OVERSHOT),
        ("neutral", 79.0, S.ATTAINED_SUSTAINED),  # the target is within chance
        ("neutral", None, S.ATTAINED_SUSTAINED),  # nothing says how far is too far
    ],
)
def test_it_is_overshot_only_where_further_is_no_better(
    better: str, lower: float | None, status: AttainmentStatus
) -> None:
    found = attained(None, better, current_centre=90.0, lower_limit=lower, upper_limit=99.0)
    assert found.status is status


def test_overshot_downwards() -> None:
    aim = an_aim(target_value=40.0, direction="decrease")
    found = attained(aim, "neutral", current_centre=30.0, lower_limit=25.0, upper_limit=35.0)
    assert found.status is S.OVERSHOT


@pytest.mark.parametrize(
    ("better", "over", "status"),
    [
        ("increase", {"current_centre": 80.0}, S.ATTAINED_SUSTAINED),
        ("increase", {"current_centre": 79.0}, S.IN_PROGRESS),
        ("increase", {"current_centre": 80.0, "current_low_signals": 1}, S.ATTAINED_PROVISIONAL),
        ("decrease", {"current_centre": 81.0}, S.IN_PROGRESS),
        ("neutral", {"lower_limit": 75.0, "upper_limit": 85.0}, S.ATTAINED_SUSTAINED),
        ("neutral", {"lower_limit": 65.0, "upper_limit": 75.0}, S.IN_PROGRESS),
        ("neutral", {"lower_limit": None}, S.INSUFFICIENT_DATA),
        (
            "neutral",
            {"lower_limit": 75.0, "upper_limit": 85.0, "current_high_signals": 1},
            S.ATTAINED_PROVISIONAL,
        ),
    ],
)
def test_to_maintain_is_to_stay_and_has_no_way(
    better: str, over: dict[str, Any], status: AttainmentStatus
) -> None:
    found = attained(an_aim(direction="maintain"), better, **over)
    assert found.status is status
    assert (found.share, found.is_shifting) == (None, False)


def test_a_baseline_beyond_the_target_leaves_no_way() -> None:
    found = attained(baseline_centre=85.0, current_centre=86.0)
    assert (found.status, found.share, found.lower_share) == (S.ATTAINED_SUSTAINED, None, None)
    assert attained(baseline_centre=80.0, current_centre=80.0).share is None


def test_without_a_new_phase_the_centre_has_not_moved_whatever_the_signals() -> None:
    same: dict[str, Any] = {"current_phase": 0, "current_centre": 60.0, "current_points": 30}
    assert attained(**same).share == 0.0
    assert not attained(**same).is_shifting
    shifting = attained(**same, current_high_signals=2)
    assert (shifting.status, shifting.share, shifting.is_shifting) == (S.IN_PROGRESS, 0.0, True)
    assert not attained(**same, current_low_signals=2).is_shifting
    down = attained(an_aim(target_value=40.0, direction="decrease"), "decrease", **same)
    assert str(down.share) == "0.0"


VALUES = st.lists(st.integers(0, 100), min_size=24, max_size=40)
TARGETS = st.integers(-20, 120)
AIMS = st.sampled_from(["increase", "decrease", "maintain"])
BETTER = st.sampled_from(["increase", "decrease", "neutral"])
UNITS = st.sampled_from([1e-6, 0.01, 1 / 7, 0.3, 3.0, 60.0, 1000.0, 1e8])


def _attained(
    values: list[int], target: float, direction: str, better: Any, *, unit: float, offset: float = 0
) -> Attainment:
    """From points to attainment, in a unit of one's own."""
    settings = spc.Settings(
        "i", direction=better, phase_starts=[12], multiplier=unit, target=target * unit
    )
    days = [date.fromordinal(736_695 + row).isoformat() for row in range(len(values))]
    series = spc.Series(days, [value + offset for value in values])
    aim = an_aim(target_value=(target + offset) * unit, direction=direction)
    figures = figures_of(spc.chart(series, settings), settings)
    found = attainment_of(aim, better, figures, today=TODAY)
    assert found is not None
    return found


def _same(first: Attainment, second: Attainment) -> None:
    assert first.status is second.status
    assert first.is_shifting is second.is_shifting
    for name in ("share", "lower_share", "upper_share"):
        one, other = getattr(first, name), getattr(second, name)
        assert (one is None) is (other is None), name
        assert one is None or math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6), name


@given(values=VALUES, target=TARGETS, direction=AIMS, better=BETTER, unit=UNITS)
def test_the_unit_never_matters(
    values: list[int], target: int, direction: str, better: str, unit: float
) -> None:
    plain = _attained(values, target, direction, better, unit=1)
    _same(plain, _attained(values, target, direction, better, unit=unit))


@given(values=VALUES, target=TARGETS, direction=AIMS, offset=st.integers(-50, 500))
def test_nor_where_the_scale_begins(
    values: list[int], target: int, direction: str, offset: int
) -> None:
    """Degrees Celsius or kelvin: the way is a difference."""
    assume(len(set(values)) > 2)
    plain = _attained(values, target, direction, "neutral", unit=1)
    _same(plain, _attained(values, target, direction, "neutral", unit=1, offset=offset))


@given(values=VALUES, target=TARGETS, direction=st.sampled_from(["increase", "decrease"]))
def test_upside_down_it_is_the_same(values: list[int], target: int, direction: str) -> None:
    mirror = {"increase": "decrease", "decrease": "increase"}
    plain = _attained(values, target, direction, direction, unit=1)
    turned = _attained(
        [100 - value for value in values],
        100 - target,
        mirror[direction],
        mirror[direction],
        unit=1,
    )
    _same(plain, turned)
