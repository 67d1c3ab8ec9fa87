"""The kind of each point, the corners of the lines, and the thinning of long series."""

import random

import pytest

from app.analytics.pictures.rows import baselines, corners, kinds, rows_of
from tests.analytics.pictures.series import LEVEL, RISEN, document, note


@pytest.mark.parametrize(
    ("direction", "kind"),
    [("increase", "improvement"), ("decrease", "concern"), ("neutral", "neither_high")],
)
def test_the_kind_follows_the_signals(direction: str, kind: str) -> None:
    risen = document(LEVEL + RISEN, direction=direction, baseline_points=12, excluded=[3])
    found = kinds(risen)
    assert found[3] == "excluded"
    assert found[0] == "common_cause"
    assert set(found[12:]) == {kind}


def test_improvement_wins_where_the_rule_set_says_so() -> None:
    values = [50, 52, 49, 51, 50, 48, 52, 50, 49, 51, 50, 50, 40, 41, 42, 43, 44, 45, 46]
    mixed = document(values, direction="increase", baseline_points=12)
    meanings = {signal["meaning"] for signal in mixed["signals"]}
    assert meanings == {"improvement", "concern"}
    assert kinds(mixed)[-1] == mixed["variation"].partition("_")[0] == "improvement"


def test_lines_break_between_phases_but_not_the_target() -> None:
    drawn = corners(rows_of(document(LEVEL + RISEN, phase_starts=[12], target=40), 700))
    parts = {
        line: len({corner.part for corner in drawn if corner.line == line})
        for line in ("centre", "upper_limit", "lower_limit", "target")
    }
    assert parts == {"centre": 2, "upper_limit": 2, "lower_limit": 2, "target": 1}
    centre = [corner for corner in drawn if corner.line == "centre"]
    assert len(centre) == 4  # constant lines have two corners a phase
    assert centre[1].x == centre[2].x  # they meet at the border


def test_varying_limits_are_steps() -> None:
    rows = rows_of(document([3, 4, 5, 6]), 700)
    for row, point in enumerate(rows.points):
        point["upper_limit"] = 8 + row
    upper = [(c.x, c.y) for c in corners(rows) if c.line == "upper_limit"]
    assert len(upper) == 8
    assert all(a[1] == b[1] for a, b in zip(upper[::2], upper[1::2], strict=True))


def test_undefined_lines_are_not_drawn() -> None:
    assert corners(rows_of(document([None, None]), 700)) == []
    assert {c.line for c in corners(rows_of(document([1, 2, 3], chart="run"), 700))} == {"centre"}


def test_a_baseline_is_shaded_only_where_it_is_a_part() -> None:
    assert baselines(rows_of(document(LEVEL), 700)) == []
    assert len(baselines(rows_of(document(LEVEL + RISEN, baseline_points=12), 700))) == 1
    both = document(LEVEL + RISEN, phase_starts=[12], baseline_points=[6, 4])
    assert len(baselines(rows_of(both, 700))) == 2


def test_a_long_series_keeps_its_extremes_gaps_and_notes() -> None:
    chance = random.Random(8)
    values: list[float | None] = [chance.gauss(50, 4) for _ in range(9_000)]
    values[4_321], values[77], values[5_000] = 99.0, 1.0, None
    whole = document(values, phase_starts=[3_000], annotations={1_234: note("Flood")})
    rows = rows_of(whole, 500)
    assert rows.are_thinned
    assert rows.total == 9_000
    assert len(rows.points) < 4 * 500
    kept = [point["value"] for point in rows.points]
    assert 99.0 in kept
    assert 1.0 in kept
    assert None in kept
    assert any(point["annotations"] for point in rows.points)
    assert rows.points[0] is whole["points"][0]
    assert rows.points[-1] is whole["points"][-1]
    assert {"improvement", "concern", "neither_high", "neither_low"} & set(rows.kinds)
    assert rows.axis.low < rows.axis.values[0] < rows.axis.values[-1] < rows.axis.high


def test_a_short_series_is_whole() -> None:
    rows = rows_of(document(LEVEL), 500)
    assert not rows.are_thinned
    assert len(rows.points) == 12
