"""Makes rows for tests, keyword-only, with defaults that satisfy every constraint."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count, groupby
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel

from app.access.models import Membership
from app.access.permissions import Role
from app.identity.models import User
from app.kit.ids import new_id
from app.learning_sessions.models import LearningSession
from app.measures.models import (
    Annotation,
    AnnotationKind,
    DataPoint,
    DataType,
    Direction,
    Family,
    Measure,
    Phase,
    PhaseReason,
    PhaseStatus,
)
from app.organisations.models import Organisation, OrganisationKind
from app.participants.models import Appointment, Enrolment, Person, ProfessionalRole
from app.pdsa.models import PDSACycle, Purpose
from app.programmes.models import Programme
from app.projects.models import Project
from app.teams.models import Team, TeamMembership

_number = count(1)
E = TypeVar("E", bound=SQLModel)


@contextmanager
def together(session: Session) -> Iterator[None]:
    """What is built meanwhile is stored at the end, a statement a table, in one transaction."""
    built: list[SQLModel] = []
    session.info["together"] = built
    yield
    del session.info["together"]
    order = {table.name: place for place, table in enumerate(SQLModel.metadata.sorted_tables)}
    in_order = sorted(built, key=lambda row: order[_table_of(row)])
    for _, rows in groupby(in_order, _table_of):
        session.add_all(rows)
        session.flush()
    session.commit()


def _table_of(row: SQLModel) -> str:
    return str(row.__tablename__)


def _kept(session: Session, row: E) -> E:
    if "together" in session.info:
        session.info["together"].append(row)
        return row
    session.add(row)
    session.commit()
    return row


def make_user(session: Session, **over: Any) -> User:
    """A person who can log in."""
    number = next(_number)
    values: dict[str, Any] = {
        "email": f"user{number}@example.org",
        "display_name": f"User {number}",
        "password_hash": "not a hash",
    }
    return _kept(session, User(**(values | over)))


def make_organisation(session: Session, **over: Any) -> Organisation:
    """A practice."""
    values: dict[str, Any] = {
        "name": f"Practice {next(_number)}",
        "kind": OrganisationKind.GP_PRACTICE,
    }
    return _kept(session, Organisation(**(values | over)))


def make_programme(session: Session, **over: Any) -> Programme:
    """A programme from December 2017 to September 2018."""
    values: dict[str, Any] = {
        "title": f"Programme {next(_number)}",
        "commissioner_org_id": over.get("commissioner_org_id") or make_organisation(session).id,
        "provider_org_id": over.get("provider_org_id") or make_organisation(session).id,
        "starts_on": date(2017, 12, 1),
        "ends_on": date(2018, 9, 30),
        "areas": ["North", "West", "South"],
    }
    return _kept(session, Programme(**(values | over)))


def make_membership(
    session: Session,
    *,
    user: User,
    role: Role,
    programme: Programme | None = None,
    team: Team | None = None,
    **over: Any,
) -> Membership:
    """A role since 2017."""
    values: dict[str, Any] = {
        "user_id": user.id,
        "role": role,
        "programme_id": programme.id if programme else team.programme_id if team else None,
        "team_id": team.id if team else None,
        "starts_on": date(2017, 1, 1),
    }
    return _kept(session, Membership(**(values | over)))


def make_team(session: Session, *, programme: Programme | None = None, **over: Any) -> Team:
    """A team of a programme."""
    programme = programme or make_programme(session)
    values: dict[str, Any] = {
        "programme_id": programme.id,
        "name": f"Team {next(_number)}",
        "area": "North",
    }
    return _kept(session, Team(**(values | over)))


def make_participant(
    session: Session, *, programme: Programme | None = None, team: Team | None = None, **over: Any
) -> Enrolment:
    """A person with a post and an enrolment; in a team where one is given."""
    number = next(_number)
    programme = programme or make_programme(session)
    person = _kept(
        session,
        Person(given_name="Ada", family_name=f"Sample{number}", email=f"p{number}@example.org"),
    )
    appointment = _kept(
        session,
        Appointment(
            person_id=person.id,
            organisation_id=make_organisation(session).id,
            role=over.pop("role", ProfessionalRole.GP),
        ),
    )
    values: dict[str, Any] = {
        "programme_id": programme.id,
        "person_id": person.id,
        "appointment_id": appointment.id,
        "team_id": team.id if team else None,
        "joined_on": date(2017, 12, 7),
    }
    enrolment = _kept(session, Enrolment(**(values | over)))
    if team is not None:
        membership = TeamMembership(
            programme_id=programme.id,
            team_id=team.id,
            enrolment_id=enrolment.id,
            starts_on=enrolment.joined_on,
        )
        _kept(session, membership)
    return enrolment


def make_session(
    session: Session, *, programme: Programme | None = None, **over: Any
) -> LearningSession:
    """A half-day session."""
    programme = programme or make_programme(session)
    number = over.get("number", next(_number))
    values: dict[str, Any] = {
        "programme_id": programme.id,
        "number": number,
        "title": f"Session {number}",
        "starts_at": datetime(2017, 12, 7, 13, tzinfo=UTC),
        "ends_at": datetime(2017, 12, 7, 17, tzinfo=UTC),
    }
    return _kept(session, LearningSession(**(values | over)))


def make_project(session: Session, *, team: Team | None = None, **over: Any) -> Project:
    """A project of a team."""
    team = team or make_team(session)
    values: dict[str, Any] = {
        "programme_id": team.programme_id,
        "team_id": team.id,
        "title": f"Project {next(_number)}",
    }
    return _kept(session, Project(**(values | over)))


def make_measure(session: Session, *, project: Project | None = None, **over: Any) -> Measure:
    """A proportion to be increased."""
    project = project or make_project(session)
    values: dict[str, Any] = {
        "programme_id": project.programme_id,
        "project_id": project.id,
        "name": f"Measure {next(_number)}",
        "family": Family.OUTCOME,
        "data_type": DataType.PROPORTION,
        "direction": Direction.INCREASE,
        "unit": "%",
        "multiplier": 100.0,
    }
    return _kept(session, Measure(**(values | over)))


def make_data_point(session: Session, *, measure: Measure | None = None, **over: Any) -> DataPoint:
    """A week of a proportion."""
    measure = measure or make_measure(session)
    values: dict[str, Any] = {
        "programme_id": measure.programme_id,
        "project_id": measure.project_id,
        "measure_id": measure.id,
        "period_start": date(2018, 1, 1),
    }
    if "value" not in over:
        values |= {"numerator": 8.0, "denominator": 20.0}
    return _kept(session, DataPoint(**(values | over)))


def make_phase(session: Session, *, measure: Measure | None = None, **over: Any) -> Phase:
    """An approved phase."""
    measure = measure or make_measure(session)
    values: dict[str, Any] = {
        "programme_id": measure.programme_id,
        "project_id": measure.project_id,
        "measure_id": measure.id,
        "starts_on": date(2018, 3, 5),
        "reason": PhaseReason.CHANGE_ADOPTED,
        "status": PhaseStatus.APPROVED,
    }
    return _kept(session, Phase(**(values | over)))


def make_annotation(session: Session, *, measure: Measure | None = None, **over: Any) -> Annotation:
    """A note."""
    measure = measure or make_measure(session)
    values: dict[str, Any] = {
        "programme_id": measure.programme_id,
        "project_id": measure.project_id,
        "measure_id": measure.id,
        "happened_on": date(2018, 3, 5),
        "kind": AnnotationKind.NOTE,
        "text": f"Note {next(_number)}",
    }
    return _kept(session, Annotation(**(values | over)))


def make_cycle(session: Session, *, project: Project | None = None, **over: Any) -> PDSACycle:
    """The first cycle of a ramp, planned."""
    project = project or make_project(session)
    values: dict[str, Any] = {
        "programme_id": project.programme_id,
        "project_id": project.id,
        "ramp_id": new_id(),
        "cycle_no": 1,
        "title": f"Cycle {next(_number)}",
        "purpose": Purpose.TEST_CHANGE,
    }
    return _kept(session, PDSACycle(**(values | over)))
