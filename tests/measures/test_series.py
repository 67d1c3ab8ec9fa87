"""What the engine gets of a measure and its points."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import spc
from app.measures.models import DataType
from app.measures.series import ChartSettings, Overrides, PointRow, assemble

DAYS = [date(2018, 1, 1), date(2018, 2, 1), date(2018, 3, 1)]


def ratios(**over: Any) -> list[PointRow]:
    return [PointRow(day, None, 8.0, 20.0, False, None)._replace(**over) for day in DAYS]


def values() -> list[PointRow]:
    return [PointRow(day, 5.0, None, None, False, None) for day in DAYS]


def settings_of(**stored: Any) -> ChartSettings:
    return ChartSettings(**({"data_type": DataType.PROPORTION, "direction": "increase"} | stored))


def test_ratios_and_values() -> None:
    series, settings = assemble(settings_of(multiplier=100.0, title="Waits", unit="%"), ratios())
    assert series.x == ["2018-01-01", "2018-02-01", "2018-03-01"]
    assert (series.values, series.numerators, series.denominators) == (None, [8.0] * 3, [20.0] * 3)
    assert (settings.chart, settings.rule_set, settings.direction) == ("p", "mdc", "increase")
    assert (settings.multiplier, settings.title, settings.unit) == (100.0, "Waits", "%")
    series, settings = assemble(settings_of(data_type=DataType.COUNT), values())
    assert (series.values, series.numerators, settings.chart) == ([5.0] * 3, None, "c")


@pytest.mark.parametrize("data_type", DataType)
def test_every_data_type_can_be_drawn(data_type: DataType) -> None:
    is_ratio = data_type in {DataType.PROPORTION, DataType.RATE, DataType.YES_NO}
    points = ratios() if is_ratio else values()
    chart = spc.chart(*assemble(settings_of(data_type=data_type), points))
    assert len(chart.values) == 3
    empty = spc.chart(*assemble(settings_of(data_type=data_type), []))
    assert len(empty.values) == 0


@pytest.mark.parametrize(
    ("stored", "overrides", "rule_set"),
    [
        ({}, {}, "mdc"),
        ({"programme_rule_set": "limits_only"}, {}, "limits_only"),
        ({"programme_rule_set": "limits_only", "rule_set": "anhoej"}, {}, "anhoej"),
        ({"rule_set": "anhoej"}, {"rule_set": "mdc"}, "mdc"),
        ({"chart": "run"}, {}, "anhoej"),
        ({"chart": "run", "programme_rule_set": "mdc"}, {}, "anhoej"),
        ({"rule_set": "mdc", "programme_rule_set": "mdc"}, {"chart": "mr"}, "limits_only"),
        ({"chart": "mr"}, {"rule_set": "anhoej"}, "anhoej"),  # the engine then refuses it
    ],
)
def test_whose_rule_set_counts(
    stored: dict[str, Any], overrides: dict[str, Any], rule_set: str
) -> None:
    _, settings = assemble(settings_of(**stored), ratios(), Overrides(**overrides))
    assert settings.rule_set == rule_set


@pytest.mark.parametrize(("least", "chart"), [(0.5, "t"), (0.0, "run")])
def test_two_events_at_one_time_make_a_run_chart(least: float, chart: str) -> None:
    stored = settings_of(data_type=DataType.TIME_BETWEEN)
    points = [*values(), values()[0]._replace(period_start=date(2019, 1, 1), value=least)]
    _, settings = assemble(stored, points)
    assert settings.chart == chart


def test_targets_by_day() -> None:
    steps = [{"from": "2018-01-15", "value": 80}, {"from": "2018-03-01", "value": 90}]
    _, settings = assemble(settings_of(targets=steps), ratios())
    assert settings.target == [None, 80.0, 90.0]
    _, settings = assemble(settings_of(targets=[{"from": None, "value": 70}, *steps]), ratios())
    assert settings.target == [70.0, 80.0, 90.0]
    _, settings = assemble(settings_of(targets=[{"from": None, "value": 70}]), ratios())
    assert settings.target == 70.0
    _, settings = assemble(settings_of(targets=steps), ratios(), Overrides(target=5.0))
    assert settings.target == 5.0
    assert assemble(settings_of(), ratios())[1].target is None


def test_gaps_exclusions_and_notes() -> None:
    series, _ = assemble(settings_of(), ratios(excluded=True, note="Snow", numerator=None))
    assert (series.excluded, series.notes, series.numerators) == (
        [True] * 3,
        ["Snow"] * 3,
        [None] * 3,
    )


def test_overrides_win() -> None:
    wanted = Overrides(
        chart="i",
        direction="decrease",
        baseline_points=2,
        multiplier=10.0,
        screen_moving_ranges=False,
        phase_starts=(date(2018, 2, 1),),
    )
    _, settings = assemble(settings_of(chart="p", baseline_points=3), ratios(), wanted)
    assert (settings.chart, settings.direction, settings.baseline_points) == ("i", "decrease", 2)
    assert (settings.multiplier, settings.screen_moving_ranges) == (10.0, False)
    assert settings.phase_starts == [1]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.data())
def test_excluding_and_including_gives_the_same_document(
    flags: list[bool], data: st.DataObject
) -> None:
    points = [
        PointRow(date(2018, 1, day + 1), None, float(day % 5), 20.0, flag, None)
        for day, flag in enumerate(flags)
    ]
    place = data.draw(st.integers(0, len(points) - 1))

    def document(rows: list[PointRow]) -> dict[str, Any]:
        return spc.document(spc.chart(*assemble(settings_of(), rows)))

    before = document(points)
    turned = points.copy()
    turned[place] = points[place]._replace(excluded=not flags[place])
    assert document(turned) != before
    turned[place] = turned[place]._replace(excluded=flags[place])
    assert document(turned) == before
