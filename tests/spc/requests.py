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
    ratios = any("denominator" in point for point in points)
    return Series(
        x=[point["x"] for point in points],
        values=None if ratios else [point.get("value") for point in points],
        numerators=[point["numerator"] for point in points] if ratios else None,
        denominators=[point["denominator"] for point in points] if ratios else None,
        excluded=[point.get("excluded", False) for point in points],
    )


def settings_of(request: Mapping[str, Any]) -> Settings:
    """The settings of a request."""
    return Settings(**{name: request[name] for name in _SETTINGS if name in request})


def labels(count: int) -> list[str]:
    """So many labels that rise as text."""
    return [f"{number:05d}" for number in range(count)]
