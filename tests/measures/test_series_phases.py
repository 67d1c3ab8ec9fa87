"""What the engine gets of stored phases and annotations; whatever is stored, a chart is drawn."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app import spc
from app.measures.marks import AnnotationRow, by_row, by_signal
from app.measures.models import DataType
from app.measures.series import AS_STORED, ChartSettings, Overrides, PhaseRow, PointRow, assemble

FIRST = date(2018, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def points(size: int) -> list[PointRow]:
    return [
        PointRow(day(7 * week), float(week % 5), None, None, False, None) for week in range(size)
    ]


def settings_for(
    phases: list[PhaseRow], overrides: Overrides = AS_STORED, *, size: int = 6, **stored: Any
) -> spc.Settings:
    given = {"data_type": DataType.CONTINUOUS, "direction": "increase"} | stored
    return assemble(ChartSettings(**given), points(size), overrides, phases)[1]


def phase(number: int, baseline: int | None = None, label: str | None = None) -> PhaseRow:
    return PhaseRow(day(number), baseline, label, "change_adopted")


def test_without_phases_nothing_is_said_of_them() -> None:
    settings = settings_for([], baseline_points=3)
    assert (settings.phase_starts, settings.baseline_points) == ([], 3)
    assert (settings.phase_labels, settings.phase_reasons) == (None, None)


def test_a_phase_begins_at_the_first_point_on_or_after_its_day() -> None:
    settings = settings_for([phase(8, 2, "Slot"), phase(28)], baseline_points=3)
    assert settings.phase_starts == [2, 4]
    assert settings.baseline_points == [3, 2, None]
    assert settings.phase_labels == [None, "Slot", None]
    assert settings.phase_reasons == ["initial", "change_adopted", "change_adopted"]


def test_a_phase_before_the_data_describes_the_first() -> None:
    settings = settings_for([phase(-20, 4, "Before"), phase(-9, 2, "Start")], baseline_points=3)
    assert (settings.phase_starts, settings.baseline_points) == ([], 2)
    assert settings.phase_labels == ["Start"]


def test_a_phase_after_the_data_is_not_drawn_yet() -> None:
    assert settings_for([phase(36)], baseline_points=3).phase_starts == []
    assert settings_for([phase(36)], size=7).phase_starts == [6]
    assert settings_for([phase(0)], size=0).phase_starts == []


def test_of_two_between_the_same_points_the_later_has_them() -> None:
    settings = settings_for([phase(8, label="First"), phase(10, label="Second")])
    assert (settings.phase_starts, settings.phase_labels) == ([2], [None, "Second"])


def test_overrides_win() -> None:
    stored = [phase(8, 2, "Slot")]
    settings = settings_for(stored, Overrides(phase_starts=(day(21),)), baseline_points=3)
    assert (settings.phase_starts, settings.baseline_points) == ([3], 3)
    assert settings.phase_labels is None
    settings = settings_for(stored, Overrides(baseline_points=5), baseline_points=3)
    assert (settings.phase_starts, settings.baseline_points) == ([2], 5)
    assert settings.phase_labels == [None, "Slot"]


STORED = st.lists(
    st.builds(phase, st.integers(-30, 90), st.none() | st.integers(1, 40)), max_size=6
).map(lambda rows: sorted(rows, key=lambda row: row.starts_on))


@given(STORED, st.integers(0, 9))
def test_any_stored_phases_can_be_drawn(stored: list[PhaseRow], size: int) -> None:
    series, settings = assemble(
        ChartSettings(data_type=DataType.CONTINUOUS, direction="increase"),
        points(size),
        phases=stored,
    )
    document = spc.document(spc.chart(series, settings))
    assert len(document["points"]) == size
    for drawn in document["phases"][1:]:
        before = [row for row in stored if row.starts_on.isoformat() <= drawn["starts_at"]]
        assert before[-1].label == drawn["label"]
        assert drawn["points"] > 0


@given(STORED, st.integers(1, 9), st.integers(1, 9))
def test_appending_points_never_changes_the_lines_of_a_frozen_baseline(
    stored: list[PhaseRow], size: int, more: int
) -> None:
    frozen = [row._replace(baseline_points=1) for row in stored]

    def lines(count: int) -> list[Any]:
        measure = ChartSettings(
            data_type=DataType.CONTINUOUS, direction="increase", baseline_points=1
        )
        document = spc.document(spc.chart(*assemble(measure, points(count), phases=frozen)))
        return [(point["centre"], point["upper_limit"]) for point in document["points"]]

    assert lines(size + more)[:size] == lines(size)


def note(number: int, **over: Any) -> AnnotationRow:
    return AnnotationRow(f"n{number}", "note", "Snow", day(number))._replace(**over)


def test_annotations_stand_at_the_point_whose_period_holds_the_day() -> None:
    days = [row.period_start for row in points(3)]
    placed = by_row(days, [note(-5), note(0), note(6), note(7), note(13), note(99)])
    ids = {row: [entry["id"] for entry in entries] for row, entries in placed.items()}
    assert ids == {0: ["n-5", "n0", "n6"], 1: ["n7", "n13"], 2: ["n99"]}
    assert placed[2] == [
        {"id": "n99", "kind": "note", "text": "Snow", "happened_on": day(99).isoformat()}
    ]
    assert by_row([], [note(0)]) == {}


def test_explanations_by_signal() -> None:
    first = note(0, explains=["a", "b"], pdsa_cycle_ids=["c"])
    found = by_signal([first, note(1, explains=["b"]), note(2)])
    assert {signal: [entry["id"] for entry in entries] for signal, entries in found.items()} == {
        "a": ["n0"],
        "b": ["n0", "n1"],
    }
    assert found["a"][0]["pdsa_cycle_ids"] == ["c"]
