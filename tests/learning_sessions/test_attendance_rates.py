"""Attendance rates: the rules as properties, and the reports over HTTP."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from app.learning_sessions.models import Attendance, AttendanceStatus, SessionStatus
from app.learning_sessions.register import (
    PARTIAL_WEIGHT,
    Occasion,
    Stay,
    attendance_rate,
    day_of,
    derived_status,
    is_applicable,
)
from app.participants.models import Enrolment
from tests.builders import make_participant, make_session
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]
A = AttendanceStatus
DAYS = st.dates(date(2017, 12, 1), date(2018, 9, 30))
OCCASIONS = st.builds(Occasion, st.one_of(st.none(), DAYS), st.sampled_from(SessionStatus))
STORED = st.one_of(st.none(), st.sampled_from([s for s in A if s is not A.NOT_APPLICABLE]))
STAYS = st.tuples(DAYS, st.one_of(st.none(), st.integers(0, 300))).map(
    lambda drawn: Stay(drawn[0], None if drawn[1] is None else drawn[0] + timedelta(days=drawn[1]))
)
LINES = st.lists(st.tuples(OCCASIONS, STORED), max_size=10)


@given(OCCASIONS, STAYS, STORED)
def test_absent_never_stands_where_it_does_not_apply(
    occasion: Occasion, stay: Stay, stored: AttendanceStatus | None
) -> None:
    status = derived_status(occasion, stay, stored)
    assert (status is A.NOT_APPLICABLE) is not is_applicable(occasion, stay)
    if status is A.ABSENT:
        assert occasion.status is not SessionStatus.CANCELLED
        assert occasion.session_on is None or stay.joined_on <= occasion.session_on


@given(STAYS, LINES)
def test_a_rate_is_a_share_of_what_counted(
    stay: Stay, lines: list[tuple[Occasion, AttendanceStatus | None]]
) -> None:
    rate = attendance_rate(stay, lines)
    assert 0 <= rate.attended <= rate.eligible <= len(lines)
    assert (rate.rate is None) is (rate.eligible == 0)


@given(STAYS, LINES, LINES)
def test_sessions_that_do_not_apply_change_no_rate(
    stay: Stay,
    lines: list[tuple[Occasion, AttendanceStatus | None]],
    others: list[tuple[Occasion, AttendanceStatus | None]],
) -> None:
    beside = [
        (occasion, stored) for occasion, stored in others if not is_applicable(occasion, stay)
    ]
    assert attendance_rate(stay, lines + beside) == attendance_rate(stay, lines)


def test_what_each_status_counts() -> None:
    occasion = Occasion(date(2018, 1, 9), SessionStatus.HELD)
    stay = Stay(date(2017, 12, 7))
    worth = {status: attendance_rate(stay, [(occasion, status)]).attended for status in A}
    assert worth == {
        A.PRESENT: 1.0,
        A.LATE: 1.0,
        A.LEFT_EARLY: 1.0,
        A.PARTIAL: PARTIAL_WEIGHT,
        A.APOLOGIES: 0.0,
        A.ABSENT: 0.0,
        A.NOT_RECORDED: 0.0,
        A.NOT_APPLICABLE: 0.0,
    }


def test_the_boundaries_of_a_stay() -> None:
    stay = Stay(date(2018, 1, 9), date(2018, 3, 1))
    days = [date(2018, 1, 8), date(2018, 1, 9), date(2018, 3, 1), date(2018, 3, 2)]
    found = [is_applicable(Occasion(day, SessionStatus.HELD), stay) for day in days]
    assert found == [False, True, True, False]


def test_the_day_of_an_instant() -> None:
    late_in_summer = datetime(2018, 6, 30, 23, 30, tzinfo=UTC)
    assert day_of(late_in_summer, "Europe/London") == date(2018, 7, 1)
    assert day_of(None, "Europe/London") is None


def _held(session: Session, world: World, number: int, day: date) -> str:
    row = make_session(
        session,
        programme=world.programme,
        number=number,
        status=SessionStatus.HELD,
        starts_at=datetime(day.year, day.month, day.day, 13, tzinfo=UTC),
        ends_at=datetime(day.year, day.month, day.day, 17, tzinfo=UTC),
    )
    return str(row.id)


def _record(caller: Caller, row: str, *lines: tuple[Enrolment, str]) -> None:
    items = [{"participant_id": str(who.id), "status": status} for who, status in lines]
    kept = caller.put(f"/sessions/{row}/attendance", {"items": items}, **{"If-Match": "*"})
    assert kept.status_code == 200, kept.text


def test_the_programmes_attendance(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/attendance"
    assert facilitator.ok(path)["total"] == {"eligible": 0, "attended": 0, "rate": None}
    first, second = (
        make_participant(session, programme=world.programme, team=team)
        for team in (world.team, None)
    )
    launch = _held(session, world, 1, date(2017, 12, 7))
    later = _held(session, world, 2, date(2018, 1, 18))
    make_session(session, programme=world.programme, number=3)
    _record(facilitator, launch, (first, "present"), (second, "partial"))
    _record(facilitator, later, (first, "apologies"))
    before = facilitator.ok(path)
    assert (before["partial_weight"], before["sessions_held"]) == (0.5, 2)
    assert before["total"] == {"eligible": 4, "attended": 1.5, "rate": 0.375}
    assert before["teams"] == [
        {"team_id": str(world.team.id), "eligible": 2, "attended": 1.0, "rate": 0.5},
        {"team_id": None, "eligible": 2, "attended": 0.5, "rate": 0.25},
    ]
    late = make_participant(session, programme=world.programme, joined_on=date(2018, 1, 18))
    _record(facilitator, later, (first, "apologies"), (late, "present"))
    after = facilitator.ok(path)
    assert [line for line in after["items"] if line["participant_id"] != str(late.id)] == before[
        "items"
    ]
    assert after["items"][-1]["rate"] == 1.0
    assert after["total"]["eligible"] == 5


def test_one_participants_lines(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    late = make_participant(
        session, programme=world.programme, team=world.team, joined_on=date(2018, 1, 10)
    )
    _held(session, world, 1, date(2017, 12, 7))
    second = _held(session, world, 2, date(2018, 1, 18))
    _record(facilitator, second, (late, "late"))
    own = call(world.member).ok(f"/participants/{late.id}/attendance")
    lines = [(line["number"], line["session_on"], line["status"]) for line in own["items"]]
    assert lines == [(1, "2017-12-07", "not_applicable"), (2, "2018-01-18", "late")]
    assert (own["eligible"], own["attended"], own["rate"]) == (1, 1.0, 1.0)
    assert own["items"][1]["method"] == "facilitator"
    assert own["items"][0]["method"] is None


@pytest.mark.parametrize("stored", [A.ABSENT, A.PRESENT])
def test_what_is_stored_for_a_session_before_joining_counts_nowhere(
    call: Call, world: World, session: Session, stored: AttendanceStatus
) -> None:
    late = make_participant(session, programme=world.programme, joined_on=date(2018, 1, 10))
    row = make_session(session, programme=world.programme, status=SessionStatus.HELD)
    session.add(
        Attendance(
            programme_id=world.programme.id,
            session_id=row.id,
            enrolment_id=late.id,
            status=stored,
        )
    )
    session.commit()
    facilitator = call(world.facilitator)
    line = facilitator.ok(f"/participants/{late.id}/attendance")["items"][0]
    assert line["status"] == "not_applicable"
    total = facilitator.ok(f"/programmes/{world.programme.id}/attendance")["total"]
    assert total == {"eligible": 0, "attended": 0.0, "rate": None}
