"""Where points and ticks lie: calendars, ordinal labels, and the room around the values."""

import pytest

from app.analytics.pictures.axes import horizontal, vertical
from app.analytics.pictures.instants import instants
from tests.analytics.pictures.series import weeks


def shown(labels: list[str], pixels: float = 600) -> list[str]:
    return [" ".join(tick.lines) for tick in horizontal(labels).ticks(pixels, 11)]


def months(number: int, first: int = 2016) -> list[str]:
    return [f"{first + row // 12}-{1 + row % 12:02}-01" for row in range(number)]


@pytest.mark.parametrize(
    ("labels", "ticks"),
    [
        (weeks(4), ["1 Jan 2018", "8 Jan", "15 Jan", "22 Jan"]),
        (months(3), ["Jan 2016", "Feb", "Mar"]),
        (["2017-01-01", "2018-01-01", "2019-01-01"], ["2017", "2018", "2019"]),
        (["2018-03-01", "2018-03-02", "2018-03-03"], ["1 Mar 2018", "2 Mar", "3 Mar"]),
        (
            ["2018-03-01T22:00", "2018-03-01T23:00", "2018-03-02T00:00"],
            ["22:00 1 Mar 2018", "23:00", "00:00 2 Mar 2018"],
        ),
        (["before", "during", "after"], ["before", "during", "after"]),
        (["1", "2", "3"], ["1", "2", "3"]),
        ([], []),
        (["2018-01-01"], ["1 Jan 2018"]),
    ],
)
def test_ticks_have_the_step_of_the_points(labels: list[str], ticks: list[str]) -> None:
    assert shown(labels) == ticks


def test_ticks_are_thinned_to_the_room() -> None:
    expected = "Jan 2018,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct"
    assert shown(weeks(40)) == expected.split(",")
    assert shown(months(60), 400) == ["2016", "2017", "2018", "2019", "2020"]
    many = shown([f"ward {row}" for row in range(100)])
    assert many[:2] == ["ward 0", "ward 9"]


@pytest.mark.parametrize("first", [1, 1600, 9990])
def test_any_year_has_ticks(first: int) -> None:
    labels = [f"{year:04}-01-01" for year in range(first, first + 9)]
    assert len(shown(labels)) >= 4


@pytest.mark.parametrize(
    "labels",
    [
        ["2018-01-01", "later"],
        ["2018-01-02", "2018-01-01"],
        ["2018-13-01"],
        ["2018-01-01T00:00+99:00"],
        [],
    ],
)
def test_what_is_no_calendar_is_no_time_axis(labels: list[str]) -> None:
    assert instants(labels) is None


def test_times_with_offsets_are_instants() -> None:
    assert instants(["1970-01-01T01:00+01:00", "1970-01-01T00:00:01Z"]) == [0, 1000]


@pytest.mark.parametrize(
    ("numbers", "ceiling"),
    [
        ([1e15, 2e15], None),
        ([1e-12, 2e-12], None),
        ([5, 5], None),
        ([0, 0], None),
        ([-3], None),
        ([100, 100], 100),
        ([1e15, 1e15 + 0.125], None),
        ([], None),
    ],
)
def test_the_axis_of_values_always_has_a_span(numbers: list[float], ceiling: float | None) -> None:
    axis = vertical(numbers, ceiling=ceiling)
    assert axis.low < axis.high
    assert all(-1e-9 <= axis.share(number) <= 1 + 1e-9 for number in numbers)
    assert len(axis.ticks(300, 11)) < 20


def test_shares_do_not_pass_a_hundred_and_counts_not_zero() -> None:
    axis = vertical([1, 99], ceiling=100)
    assert (axis.low, axis.high) == (0, 100)
    assert vertical([1, 120], ceiling=100).high > 120
