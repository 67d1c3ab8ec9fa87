"""Builds series and settings of the engine from a request of the stateless chart route."""

from collections.abc import Mapping
from typing import Any

from app.spc import Series, Settings

_SETTINGS = (
    "chart",
    "rule_set",
    "direction",
    "phase_starts",
    "baseline_points",
    "target",
    "screen_moving_ranges",
    "multiplier",
)


def series_of(points: list[Mapping[str, Any]]) -> Series:
    """The series of a request's points."""
    columns: dict[str, list[Any]] = {
        field: [point.get(field) for point in points]
        for field in ("value", "numerator", "denominator")
    }
    excluded = [point.get("excluded", False) for point in points]
    x = [point["x"] for point in points]
    if "values" in points[0]:
        return Series(x, subgroups=[point["values"] for point in points], excluded=excluded)
    if "denominator" not in points[0]:
        return Series(x, columns["value"], excluded=excluded)
    return Series(
        x,
        numerators=columns["numerator"],
        denominators=columns["denominator"],
        excluded=excluded,
    )


def settings_of(request: Mapping[str, Any]) -> Settings:
    """The settings of a request."""
    return Settings(**{name: request[name] for name in _SETTINGS if name in request})


def labels(count: int) -> list[str]:
    """So many labels that rise as text."""
    return [f"{number:05d}" for number in range(count)]
