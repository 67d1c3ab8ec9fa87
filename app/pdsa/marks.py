"""How a cycle stands on the charts of its project: the day that it began, and its title."""

from datetime import date, datetime
from typing import NamedTuple

from app.pdsa.models import PDSACycle

KIND = "pdsa_start"


class CycleMark(NamedTuple):
    """What the charts print of a cycle."""

    title: str
    started_on: date


def started_on(stated_on: str | None, started_at: datetime) -> date:
    """The day that the team states, done or else planned; without one, when it was entered.

    What is entered later would otherwise stand on the day of the typing.
    """
    return date.fromisoformat(stated_on) if stated_on else started_at.date()


def mark_of(cycle: PDSACycle) -> CycleMark | None:
    """None as long as it has not begun, and once it is archived."""
    if cycle.started_at is None or cycle.archived_at is not None:
        return None
    stated_on = cycle.do.get("actual_start") or cycle.plan.get("when_start")
    day = started_on(stated_on, cycle.started_at)
    return CycleMark(cycle.title, day)
