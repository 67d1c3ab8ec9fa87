"""Who counts at a session and what attendance comes to: pure rules, without a database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.learning_sessions.models import AttendanceStatus, SessionStatus

PARTIAL_WEIGHT = 0.5
_ATTENDED = {
    AttendanceStatus.PRESENT: 1.0,
    AttendanceStatus.LATE: 1.0,
    AttendanceStatus.LEFT_EARLY: 1.0,
    AttendanceStatus.PARTIAL: PARTIAL_WEIGHT,
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the rules need of a session: its day where the programme is, and its status."""

    session_on: date | None
    status: SessionStatus


@dataclass(frozen=True, slots=True)
class Stay:
    """The days from joining to leaving, both included."""

    joined_on: date
    left_on: date | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Sessions that counted, and how many of them were attended."""

    eligible: int = 0
    attended: float = 0.0

    @property
    def rate(self) -> float | None:
        """The share attended; None where no session counted."""
        return self.attended / self.eligible if self.eligible else None

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.eligible + other.eligible, self.attended + other.attended)


def day_of(instant: datetime | None, timezone: str) -> date | None:
    """The calendar day of an instant where the programme is."""
    return instant and instant.astimezone(ZoneInfo(timezone)).date()


def is_applicable(occasion: Occasion, stay: Stay) -> bool:
    """Whether the session was one for this participant. One without a date is for everybody."""
    if occasion.status is SessionStatus.CANCELLED:
        return False
    if occasion.session_on is None:
        return True
    has_left = stay.left_on is not None and stay.left_on < occasion.session_on
    return stay.joined_on <= occasion.session_on and not has_left


def derived_status(
    occasion: Occasion, stay: Stay, stored: AttendanceStatus | None
) -> AttendanceStatus:
    """What the register says; what was stored before a date moved does not outweigh it."""
    if not is_applicable(occasion, stay):
        return AttendanceStatus.NOT_APPLICABLE
    return stored or AttendanceStatus.NOT_RECORDED


def attendance_rate(stay: Stay, lines: Iterable[tuple[Occasion, AttendanceStatus | None]]) -> Rate:
    """A participant's attendance of the sessions held that were for them."""
    counted = [
        _ATTENDED.get(stored, 0.0) if stored else 0.0
        for occasion, stored in lines
        if occasion.status is SessionStatus.HELD and is_applicable(occasion, stay)
    ]
    return Rate(len(counted), sum(counted))
