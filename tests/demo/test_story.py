"""What the demonstration must show: an improvement, none, and a false dawn; told once and whole."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from app.access.permissions import Role
from app.demo import barnet, story
from app.demo.project_stories import NORTH, PROJECTS, SOUTH, WEST
from app.demo.synthetic import weekly_points
from app.events.models import Event
from app.identity.models import User
from app.identity.passwords import Passwords
from app.kit.db import Database
from app.measures.models import DataPoint
from app.participants.models import CLINICAL, Enrolment, ProfessionalRole
from app.programmes.models import Programme
from tests.builders import make_user
from tests.calling import Caller

PASSWORDS = Passwords(memory_kib=8)


@pytest.fixture
def admin(database: Database, session: Session, call: Callable[..., Caller]) -> Caller:
    """The demonstration's administrator, after the story has been told."""
    barnet.load(database, PASSWORDS, password="fictional words only")
    return call(session.exec(select(User).where(User.email == barnet.ADMIN_EMAIL)).one())


def _programme(admin: Caller) -> str:
    path: str = f"/programmes/{admin.ok('/programmes')['items'][0]['id']}"
    return path


def test_one_improves_one_does_not_and_one_only_seemed_to(admin: Caller) -> None:
    lines = {line["project_title"]: line for line in admin.ok(f"{_programme(admin)}/spc")["items"]}
    assert lines[NORTH.title]["variation"] == "improvement_high"
    assert lines[WEST.title]["variation"] == "common_cause"
    assert lines[WEST.title]["signals"] == 0
    false_dawn = lines[SOUTH.title]
    assert false_dawn["variation"] == "common_cause"
    chart = admin.ok(f"/measures/{false_dawn['measure_id']}/spc")
    improved = [signal for signal in chart["signals"] if signal["meaning"] == "improvement"]
    assert improved
    assert max(signal["end"] for signal in improved) < story.WEEKS - 8


def _charts(admin: Caller, title: str) -> list[dict[str, Any]]:
    projects = admin.ok(f"{_programme(admin)}/projects")["items"]
    project = next(project for project in projects if project["title"] == title)
    charts: list[dict[str, Any]] = admin.ok(f"/projects/{project['id']}/spc")["items"]
    return charts


def _notes(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [note for point in item["spc"]["points"] for note in point["annotations"]]


def test_the_charts_say_what_happened(admin: Caller) -> None:
    outcome, online, _ = _charts(admin, NORTH.title)
    starts = [note for note in _notes(outcome) if note["kind"] == "pdsa_start"]
    assert [note["text"] for note in starts] == [cycle.title for cycle in NORTH.cycles]
    explained = [signal for signal in outcome["spc"]["signals"] if signal["explained_by"]]
    assert explained
    assert {signal["meaning"] for signal in explained} == {"improvement"}
    labels = [phase["label"] for phase in online["spc"]["phases"]]
    assert labels == [None, "Leaflet and guarded slot"]
    wait = _charts(admin, SOUTH.title)[0]
    assert "The locum leaves" in {note["text"] for note in _notes(wait)}


def test_one_rebase_is_open_and_the_false_dawn_is_none(admin: Caller) -> None:
    def candidates(item: dict[str, Any]) -> Any:
        return admin.ok(f"/measures/{item['measure_id']}/rebase-candidates")["items"]

    north, south = _charts(admin, NORTH.title), _charts(admin, SOUTH.title)
    assert [found["meaning"] for found in candidates(north[0])] == ["improvement"]
    assert candidates(north[1]) == []
    assert candidates(south[0]) == []


def test_the_cast(admin: Caller, session: Session) -> None:
    path = _programme(admin)
    people = admin.ok(f"{path}/participants", limit=50)["items"]
    roles = [person["role"] for person in people]
    assert sorted(map(roles.count, set(roles))) == [1, 1, 3, 8]
    assert sum(person["entry"] == "late" for person in people) == 1
    assert all(person["email"].endswith("@demo.example") for person in people)
    assert sum(CLINICAL[ProfessionalRole(role)] is True for role in roles) == 5
    teams = admin.ok(f"{path}/teams")["items"]
    assert sorted(team["member_count"] for team in teams) == [4, 4, 5]
    assert session.exec(select(sa.func.count()).select_from(Enrolment)).one() == 13


def test_eight_sessions_and_a_register_that_is_fair_to_the_late_joiner(admin: Caller) -> None:
    path = _programme(admin)
    sessions = admin.ok(f"{path}/sessions")["items"]
    assert [session["status"] for session in sessions] == ["held"] * 8
    attendance = admin.ok(f"{path}/attendance")
    assert len(attendance["items"]) == 13
    late = next(
        person["id"]
        for person in admin.ok(f"{path}/participants", limit=50)["items"]
        if person["entry"] == "late"
    )
    line = next(line for line in attendance["items"] if line["participant_id"] == late)
    assert line["rate"] == 1.0


def test_projects_have_a_baseline_before_the_first_change_and_end_where_they_should(
    admin: Caller, session: Session
) -> None:
    projects = admin.ok(f"{_programme(admin)}/projects")["items"]
    assert {project["title"]: project["state"] for project in projects} == {
        told.title: told.final_state for told in PROJECTS
    }
    for told in PROJECTS:
        baseline_ends = weekly_points(told.measures[0])[story.BASELINE_WEEKS]["period_start"]
        assert min(cycle.starts_on for cycle in told.cycles) >= baseline_ends
        families = {measure.family for measure in told.measures}
        assert families == {"outcome", "process", "balancing"}
    points = session.exec(select(sa.func.count()).select_from(DataPoint)).one()
    assert points == 9 * story.WEEKS


def test_told_again_it_changes_nothing_but_the_password(
    admin: Caller, database: Database, session: Session
) -> None:
    def rows() -> dict[str, int]:
        return {
            table.name: session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in SQLModel.metadata.sorted_tables
        }

    before = rows()
    barnet.load(database, PASSWORDS, password="other fictional words")
    assert rows() == before
    session.expire_all()
    user = session.exec(select(User).where(User.email == barnet.ADMIN_EMAIL)).one()
    assert PASSWORDS.verify("other fictional words", user.password_hash)[0]


def test_it_refuses_a_database_that_holds_somebody_else(
    database: Database, session: Session
) -> None:
    make_user(session)
    with pytest.raises(barnet.OtherData):
        barnet.load(database, PASSWORDS, password="fictional words only")
    assert session.exec(select(sa.func.count()).select_from(Programme)).one() == 0


def test_every_write_left_an_event_of_its_time(admin: Caller, session: Session) -> None:
    types = set(session.exec(select(Event.type)))
    assert {"programme.created", "attendance.recorded", "data_point.recorded"} <= types
    latest = session.exec(select(sa.func.max(col(Event.created_at)))).one()
    assert str(latest) < "2019"
    assert Role.PLATFORM_ADMIN in {grant["role"] for grant in admin.ok("/me")["memberships"]}


def test_the_data_are_the_same_everywhere() -> None:
    told = NORTH.measures[0]
    assert weekly_points(told) == weekly_points(told)
    assert weekly_points(told)[0]["numerator"] == 44
    assert weekly_points(told)[0]["denominator"] == 66
