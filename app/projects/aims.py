"""The aim of a project: how much, of what, for whom, by when; what is missing, how it reads."""

import uuid
from collections.abc import Iterator
from datetime import MAXYEAR, date
from enum import StrEnum

from pydantic import Field

from app.kit.errors import FieldError, pointer
from app.kit.fields import Day, Input, Line, Name, Number

# Without these there is no aim to charter. A baseline may come later: it is measured first.
REQUIRED = ("what", "for_whom", "target_value", "unit", "direction", "by_when")


class AimDirection(StrEnum):
    """Which way the measure is to move."""

    INCREASE = "increase"
    DECREASE = "decrease"
    MAINTAIN = "maintain"


class ChangeKind(StrEnum):
    """How the difference between baseline and target is meant."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    PERCENTAGE_POINTS = "percentage_points"


class Aim(Input):
    """One aim on one measure. Parts may be missing until the project is chartered."""

    what: Line | None = Field(default=None, description="Verb and thing.")
    for_whom: Line | None = Field(default=None, description="Population or place.")
    baseline_value: Number | None = None
    target_value: Number | None = None
    unit: Name | None = None
    direction: AimDirection | None = None
    by_when: Day | None = None
    measure_id: uuid.UUID | None = Field(
        default=None, description="An outcome measure of this project."
    )
    change_kind: ChangeKind | None = None


def missing_of(aim: Aim | None) -> list[str]:
    """The required fields that are empty."""
    return [name for name in REQUIRED if getattr(aim, name, None) in (None, "")]


def _plain(value: float | None) -> str:
    return f"{value:.15g}"


def statement_of(aim: Aim | None) -> str | None:
    """The aim as a sentence; None while a required field is empty."""
    if aim is None or missing_of(aim):
        return None
    baseline = "" if aim.baseline_value is None else f" from {_plain(aim.baseline_value)}"
    return (
        f"{aim.direction} {aim.what}{baseline} to {_plain(aim.target_value)} {aim.unit}"
        f" for {aim.for_whom} by {aim.by_when}"
    )


def latest_day(programme_end: date) -> date:
    """Twelve months after the programme's end: whatever comes later it cannot see."""
    if programme_end.year == MAXYEAR:
        return programme_end
    is_leap_day = (programme_end.month, programme_end.day) == (2, 29)
    day = 28 if is_leap_day else programme_end.day
    return date(programme_end.year + 1, programme_end.month, day)


def _is_wrong_side(aim: Aim) -> bool:
    if aim.baseline_value is None or aim.target_value is None:
        return False
    if aim.direction is AimDirection.INCREASE:
        return aim.target_value <= aim.baseline_value
    return aim.direction is AimDirection.DECREASE and aim.target_value >= aim.baseline_value


def faults_of(aim: Aim, *, programme_end: date) -> Iterator[FieldError]:
    """What contradicts itself or the programme."""
    if _is_wrong_side(aim):
        yield FieldError(
            code="target_on_wrong_side",
            detail=f"To {aim.direction}, the target must lie on the other side of the baseline.",
            pointer=pointer("aim", "target_value"),
        )
    latest = latest_day(programme_end)
    if aim.by_when is not None and aim.by_when > latest:
        yield FieldError(
            code="by_when_too_late",
            detail=f"An aim is due by {latest}, twelve months after the programme's end.",
            pointer=pointer("aim", "by_when"),
        )
