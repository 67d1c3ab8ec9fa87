"""The Stable Shift Algorithm: what it proposes, what it turns down, against a slow plain oracle."""

from collections.abc import Collection, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import Series, Settings
from app.spc.stable_shift import Shift, find_shift

FLAT = [10.0, 11, 9, 10.5, 9.5, 11, 9, 10.2, 9.8, 10.6, 9.4, 10]
HIGH = [20.0, 21, 19, 20.5, 19.5, 21, 19, 20.2, 19.8, 20.6, 19.4, 20]


def series_of(values: Sequence[float | None], **over: Any) -> Series:
    return Series(x=[f"{row:05d}" for row in range(len(values))], values=values, **over)


def found(
    values: Sequence[float | None],
    *,
    run_length: int = 8,
    period_points: int = 12,
    declined: Collection[int] = (),
    excluded: Sequence[bool] | None = None,
    **over: Any,
) -> Shift | None:
    given: dict[str, Any] = {"chart": "i", "baseline_points": 12} | over
    return find_shift(
        series_of(values, excluded=excluded),
        Settings(**given),
        run_length=run_length,
        period_points=period_points,
        declined=declined,
    )


def test_a_lasting_shift_is_found_with_its_limits() -> None:
    shift = found([*FLAT, *HIGH, *HIGH])
    assert shift is not None
    assert (shift.start, shift.direction, shift.period_stop) == (12, "high", 24)
    assert shift.run_rows == tuple(range(12, 36))
    assert shift.before.centre == pytest.approx(10)
    assert shift.after.centre == pytest.approx(20)
    assert shift.after.lower_limit is not None
    assert shift.before.upper_limit is not None
    assert shift.after.lower_limit > shift.before.upper_limit


def test_counts_out_of_samples_are_judged_as_their_share() -> None:
    """The centre of an np chart follows the size of each sample; a lasting share is no shift."""
    sizes = [40] * 20 + [20] * 28
    shares = [0.2] * 12 + [0.6] * 36
    drift = [0.05 if row % 2 else -0.05 for row in range(48)]
    counts = [size * (share + d) for size, share, d in zip(sizes, shares, drift, strict=True)]
    series = Series(x=[f"{row:05d}" for row in range(48)], numerators=counts, denominators=sizes)
    p, np = (
        find_shift(series, Settings(chart, baseline_points=12), period_points=12)
        for chart in ("p", "np")
    )
    assert p is not None
    assert np is not None
    assert np[:4] == p[:4]
    assert np.before.centre == pytest.approx(sizes[np.start] * 0.2, rel=0.1)
    assert np.after.centre == pytest.approx(sizes[np.start] * 0.6, rel=0.1)


def test_a_shift_down_and_the_multiplier() -> None:
    values = [1 - value / 100 for value in (*FLAT, *HIGH, 21)]
    shift = found(values, multiplier=100)
    assert shift is not None
    assert (shift.start, shift.direction) == (12, "low")
    assert shift.before.centre == pytest.approx(90)
    assert shift.after.centre == pytest.approx(80, rel=0.01)


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("stable", [*FLAT, *FLAT, *FLAT]),
        ("too few points for a baseline and new limits", [*FLAT, *HIGH[:11]]),
        ("a run of seven", [*FLAT, *HIGH[:7], *FLAT, *FLAT]),
        ("back within the new limits", [*FLAT, *HIGH[:9], *FLAT, *FLAT]),
        ("back, and it may last", [*FLAT, *HIGH[:10], 10.0, 10.0]),
        ("nothing", []),
        ("gaps only", [None] * 40),
    ],
)
def test_what_is_no_lasting_shift(label: str, values: Sequence[float | None]) -> None:
    assert found(values) is None, label


def test_a_return_that_more_data_rule_out_no_longer_stops_it() -> None:
    """The last run of the period is open until a point on the other side ends it."""
    open_return = [*FLAT, *HIGH[:11], 15.0]
    assert found(open_return) is None
    assert found([*open_return, 22.0]) is not None


def test_a_transient_shift_is_passed_over_for_one_that_lasts() -> None:
    shift = found([*FLAT, *HIGH[:9], *FLAT, *HIGH, *HIGH])
    assert shift is not None
    assert shift.start == 33


def test_a_declined_run_is_not_offered_again() -> None:
    once = [*FLAT, *HIGH, *HIGH]
    assert found(once, declined={12}) is None
    assert found(once, declined={20}) is None, "any point of the run"
    assert found([*once, *FLAT, *FLAT], declined={12}) is None
    low = [value - 10 for value in FLAT]
    later = found([*once, *low, *low], declined={12})
    assert later is not None
    assert (later.start, later.direction) == (36, "low")


def test_gaps_exclusions_and_points_on_the_line_neither_make_nor_end_a_run() -> None:
    values: Sequence[float | None] = [*FLAT, *HIGH[:4], None, 1.0, 10.0, *HIGH[4:], *HIGH]
    flags = [row == 17 for row in range(len(values))]
    shift = found(values, excluded=flags, period_points=12)
    assert shift is not None
    assert shift.start == 12
    assert {16, 17, 18}.isdisjoint(shift.run_rows)


def test_only_the_last_phase_is_searched() -> None:
    values = [*FLAT, *HIGH, *HIGH, *HIGH]
    assert found(values, phase_starts=[12], baseline_points=[12, 12]) is None
    again = [*values, *(value + 10 for value in HIGH), *(value + 10 for value in HIGH)]
    shift = found(again, phase_starts=[12], baseline_points=[12, None])
    assert shift is not None
    assert shift.start == 48
    assert shift.before.centre == pytest.approx(20)


def test_without_a_baseline_the_first_points_are_one() -> None:
    shift = found([*FLAT, *HIGH, *HIGH], baseline_points=None)
    assert shift is not None
    assert shift.before.centre == pytest.approx(10)


def test_ratios_and_charts_of_spread() -> None:
    numerators: Sequence[float | None] = [10, 12, 9, 11] * 3 + [40, 42, 39, 41] * 3
    series = Series(
        x=[f"{row:05d}" for row in range(24)], numerators=numerators, denominators=[60] * 24
    )
    shift = find_shift(series, Settings(chart="p", multiplier=100), period_points=12)
    assert shift is not None
    assert shift.start == 12
    assert shift.after.centre == pytest.approx(100 * 40.5 / 60)


def _oracle(values: list[float], run_length: int, points: int) -> int | None:
    """The published steps, told as slowly as they are written; no gaps, none on the centre."""
    counter = points
    centre = sum(values[:points]) / points

    def run_at(place: int, line: float) -> int:
        side, stop = values[place] > line, place
        while stop < len(values) and (values[stop] > line) == side:
            stop += 1
        return stop - place

    while len(values) - counter >= points:
        trigger = next(
            (place for place in range(counter, len(values)) if run_at(place, centre) >= run_length),
            None,
        )
        if trigger is None or len(values) - trigger < points:
            return None
        line = sum(values[trigger : trigger + points]) / points
        is_up, is_back = values[trigger] > centre, False
        for place in range(trigger, trigger + points):
            length = run_at(place, line)
            is_opposite = (values[place] > line) != is_up
            reaches_end = place + length == len(values)
            is_back |= is_opposite and (length >= run_length or reaches_end)
        if not is_back:
            return trigger
        counter = trigger + 1
    return None


def _ragged(parts: Sequence[tuple[int, int]]) -> list[float]:
    return [level + row * row * 37 % 101 / 173 for level, size in parts for row in range(size)]


# Ragged enough that no point lies on a mean of its neighbours.
LEVELS = st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 14)), min_size=1, max_size=8).map(
    lambda parts: [
        level + row * row * 37 % 101 / 173 for level, size in parts for row in range(size)
    ]
)


@given(LEVELS)
def test_it_does_what_the_published_steps_say(values: list[float]) -> None:
    shift = found(list(values), baseline_points=5, run_length=4, period_points=5)
    expected = _oracle(values, 4, 5) if len(values) >= 10 else None
    assert (None if shift is None else shift.start) == expected


@given(LEVELS, st.lists(st.floats(-20, 20), max_size=10))
def test_appending_points_never_changes_a_shift(values: list[float], more: list[float]) -> None:
    shift = found(list(values), baseline_points=5, run_length=4, period_points=5)
    later = found([*values, *more], baseline_points=5, run_length=4, period_points=5)
    if shift is not None:
        assert later is not None
        assert (later.start, later.before, later.after) == (shift.start, shift.before, shift.after)
