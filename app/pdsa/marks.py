"""How a cycle stands on the charts of its project: the day that it began, and its title."""

from datetime import date, datetime
from typing import NamedTuple

from app.pdsa.models import PDSACycle

KIND = "pdsa_start"


class CycleMark(NamedTuple):
    """What the charts print of a cycle."""

    title: str
    started_on: date


def started_on(done_on: str | None, planned_on: str | None, started_at: datetime) -> date:
    """The day that the team says it began, else the planned one, else when it was entered.

    What is entered later would otherwise stand on the day of the typing.
    """
    stated = done_on or planned_on
    return date.fromisoformat(stated) if stated else started_at.date()


def mark_of(cycle: PDSACycle) -> CycleMark | None:
    """None as long as it has not begun, and once it is archived."""
    if cycle.started_at is None or cycle.archived_at is not None:
        return None
    day = started_on(cycle.do.get("actual_start"), cycle.plan.get("when_start"), cycle.started_at)
    return CycleMark(cycle.title, day)
