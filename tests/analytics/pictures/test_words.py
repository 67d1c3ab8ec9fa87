"""What a chart says: verdict, target, trust, the alternative in words, numbers and dates."""

import pytest

from app.analytics.pictures.axes import horizontal, numbers_of
from app.analytics.pictures.figures import figures_of, ticks
from app.analytics.pictures.words import (
    alternative,
    assurance_words,
    brief_words,
    crossings_words,
    trust_words,
    variation_words,
)
from tests.analytics.pictures.series import LEVEL, RISEN, document


@pytest.mark.parametrize(
    ("direction", "said"),
    [
        ("increase", "Special cause: improvement (higher is better)."),
        ("decrease", "Special cause: concern (lower is better)."),
        ("neutral", "Special cause: a change upwards, neither better nor worse."),
    ],
)
def test_the_variation_in_words(direction: str, said: str) -> None:
    risen = document(LEVEL + RISEN, direction=direction, baseline_points=12)
    assert variation_words(risen) == said
    level = document(LEVEL, direction=direction)
    assert variation_words(level) == "Common cause: no significant change at the latest point."


@pytest.mark.parametrize(
    ("target", "said", "brief"),
    [
        (10, "Target 10: will be met consistently.", "target 10 met"),
        (90, "Target 90: will be missed consistently.", "target 90 missed"),
        (30, "Target 30: will be hit or missed.", "target 30 hit or missed"),
        (None, "", ""),
    ],
)
def test_the_assurance_in_words(target: float | None, said: str, brief: str) -> None:
    level = document(LEVEL, direction="increase", target=target)
    figures = figures_of(numbers_of(level["points"]), None)
    assert assurance_words(level, figures) == said
    assert brief_words(level, figures) == f"Common cause{f' · {brief}' if brief else ''}"


def test_limits_of_a_baseline_judge_the_process_of_the_baseline() -> None:
    """After a change the icon still speaks of the old process, and the words must say so."""
    risen = document(LEVEL + RISEN, direction="increase", target=90, baseline_points=12)
    figures = figures_of(numbers_of(risen["points"]), None)
    said = "Target 90: will be missed consistently by the process of the baseline."
    assert assurance_words(risen, figures) == said
    assert brief_words(risen, figures) == "Improvement · target 90 missed by the baseline"


def test_a_target_without_limits_is_not_judged() -> None:
    run = document(LEVEL, chart="run", direction="increase", target=30)
    assert run["assurance"] == "hit_or_miss"
    figures = figures_of(numbers_of(run["points"]), "%")
    assert assurance_words(run, figures) == "Target 30\u00a0%: cannot be judged without limits."
    assert brief_words(run, figures) == "Common cause · target 30\u00a0%"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (LEVEL[:9], "Trial limits: 9 points."),
        (LEVEL, "Provisional limits: 12 points."),
        (LEVEL * 2, "Limits from 24 points."),
        ([7.0] * 12, "No limits: the values do not vary."),
        ([7.0], "No limits could be computed."),
        ([None] * 3, ""),
    ],
)
def test_how_far_the_limits_can_be_trusted(values: list[float | None], said: str) -> None:
    assert trust_words(document(values)) == said


def test_nothing_is_said_of_limits_that_a_chart_never_has() -> None:
    assert trust_words(document(LEVEL, chart="run")) == ""


def test_too_few_crossings_are_told_for_they_mark_no_point() -> None:
    slow = [10, 11, 12, 13, 14, 15, 9, 8, 7, 6, 5, 4, 9, 10, 11, 12, 13, 14, 9, 8, 7, 6, 5, 4]
    said = crossings_words(document(slow, chart="run"))
    assert said == "Only 3 crossings of the median, where chance makes 6 or more."
    assert crossings_words(document(LEVEL, chart="run")) == ""
    assert crossings_words(document(slow)) == ""  # those rules do not ask


@pytest.mark.parametrize("values", [[], [None, None]])
def test_without_data_nothing_is_judged(values: list[float | None]) -> None:
    assert variation_words(document(values, chart="run")) == "No data to judge yet."


def test_the_alternative_says_what_the_picture_shows() -> None:
    risen = document(
        LEVEL + RISEN, direction="increase", target=50, baseline_points=12, title="Ready", unit="%"
    )
    axis = horizontal([point["x"] for point in risen["points"]])
    figures = figures_of(numbers_of(risen["points"]), "%")
    said = alternative(risen, risen["points"], axis, figures)
    for part in (
        "Ready. I chart (XmR) of 20 points, 1 Jan 2018 to 14 May 2018.",
        "Mean 29.8",
        "Latest 44\u00a0% (14 May 2018).",
        "Special cause: improvement",
        "will be missed consistently",
        "Provisional limits: 12 points.",
        "outside limits",
        "Making Data Count rules v1",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("numbers", "value", "written"),
    [
        ([50, 90], 65.349, "65.3"),
        ([0, 2000], 1234.56, "1,235"),
        ([0.01, 0.05], 0.0312345, "0.0312"),
        ([0, 1e15], 2.74e14, "274 tn"),
        ([0, 3e6], 1_500_000, "1.5 m"),
        ([1_000_000, 1_000_010], 1_000_003, "1,000,003"),
        ([0, 2e-9], 1.5e-9, "1.5e\u22129"),
        ([-5, 5], -3.25, "\u22123.2"),
        ([7, 7], 7, "7"),
        ([], 3, "3"),
    ],
)
def test_numbers_as_people_read_them(numbers: list[float], value: float, written: str) -> None:
    assert figures_of(numbers, None).write(value) == written


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (41, 59, [45, 50, 55]),
        (0.001, 0.0042, [0.001, 0.002, 0.003, 0.004]),
        (-1e15, 1e15, [-1e15, -5e14, 0, 5e14, 1e15]),
        (5, 5, [5]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, places: list[float]) -> None:
    assert ticks(low, high, most=5) == places


def test_limits_that_the_data_make_wrong_are_called_so() -> None:
    counts = [50, 90, 40, 95, 45, 92, 38, 99, 47, 91, 44, 96]
    dispersed = document(counts, chart="c")
    assert [item["code"] for item in dispersed["quality"]["warnings"]] == ["over_dispersed"]
    assert trust_words(dispersed) == (
        "Provisional limits: 12 points. "
        "Limits too narrow: points vary more than their counts explain."
    )
