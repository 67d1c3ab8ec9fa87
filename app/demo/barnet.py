"""Tells the story: makes the demonstration by the API's own actions, in one transaction."""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic_core import to_json
from sqlmodel import Session, col, select

from app.access import bootstrap
from app.access.actor import Actor
from app.demo import story
from app.demo.cycles import run_cycles
from app.demo.marks import mark_charts
from app.demo.project_stories import NORTH, PROJECTS, MeasureStory, ProjectStory
from app.demo.synthetic import weekly_points
from app.identity.models import User
from app.identity.passwords import Passwords
from app.identity.queries import find_user_by_email
from app.kit.db import Database
from app.kit.errors import Conflict
from app.kit.negotiation import JSON
from app.kit.preconditions import Precondition
from app.learning_sessions import actions as sessions
from app.learning_sessions.attendance.actions import replace_register
from app.learning_sessions.attendance.schemas import RegisterReplace
from app.learning_sessions.schemas import SessionCreate, SessionTransition
from app.measures import actions as measures
from app.measures.data_points.batches import BatchOptions
from app.measures.data_points.bulk import record_data_points
from app.measures.data_points.reading import read_batch
from app.measures.models import Measure
from app.measures.schemas import MeasureCreate
from app.organisations import actions as organisations
from app.organisations.schemas import OrganisationCreate
from app.participants.actions import enrol_participant
from app.participants.schemas import ParticipantCreate
from app.programmes import actions as programmes
from app.programmes.schemas import ProgrammeCreate
from app.progress import actions as progress
from app.progress.schemas import ProgrammeTransition, ProjectTransition
from app.projects import actions as projects
from app.projects.schemas import ProjectCreate, ProjectPatch
from app.teams.actions import create_team
from app.teams.members import add_team_member
from app.teams.schemas import TeamCreate, TeamMemberCreate

ADMIN_EMAIL = "admin@demo.example"
LONDON = ZoneInfo("Europe/London")
EVE = datetime(2017, 11, 20, 9, tzinfo=UTC)
ANY = Precondition(if_match="*")
FORWARD = ("chartered", "approved", "baseline", "testing", "implementing", "sustaining")


class OtherData(Conflict):
    """The database holds somebody already, and the demonstration prints its password."""

    code = "other_data"
    title = (
        "this database holds other data; give the demonstration a database of its own "
        "(OPENQI_DATABASE_URL)."
    )


def load(database: Database, passwords: Passwords, *, password: str) -> uuid.UUID:
    """Make the demonstration, or find it, and set its administrator's password.

    Returns the measure whose chart shows an improvement. Raises `OtherData`.
    """
    with database.transaction() as session:
        admin = find_user_by_email(session, ADMIN_EMAIL)
        if admin is not None:
            admin.password_hash = passwords.hash(password)
            statement = select(Measure.id).where(col(Measure.name) == NORTH.measures[0].name)
            return session.exec(statement.order_by(col(Measure.created_at))).first() or admin.id
        if session.exec(select(sa.func.count()).select_from(User)).one():
            raise OtherData
        actor = bootstrap.create_administrator(
            session,
            passwords=passwords,
            email=ADMIN_EMAIL,
            display_name="Demonstration administrator",
            password=password,
            now=EVE,
        )
        return Telling(session, actor).tell()


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=LONDON).astimezone(UTC)


class Telling:
    """One telling of the story, as one actor in one transaction."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self.session, self.actor = session, actor
        self.programme_id = uuid.UUID(int=0)
        self.practices: dict[str, uuid.UUID] = {}
        self.teams: dict[str, uuid.UUID] = {}
        self.people: list[uuid.UUID] = []

    def _by(self, now: datetime) -> dict[str, Any]:
        return {"actor": self.actor, "now": now}

    def tell(self) -> uuid.UUID:
        """From the contract to the last session."""
        self._contract()
        for practice in story.PRACTICES:
            self.practices[practice.name] = self._organisation(
                practice.name, practice.kind, practice.area
            )
        held = self._sessions()
        self._launch()
        self._join_late()
        for number, session_id in enumerate(held):
            self._hold(number, session_id)
        headlines = [self._project(project) for project in PROJECTS]
        return headlines[0]

    def _organisation(self, name: str, kind: str, area: str | None = None) -> uuid.UUID:
        data = OrganisationCreate.model_validate({"name": name, "kind": kind, "area": area})
        return organisations.create_organisation(self.session, data=data, **self._by(EVE)).id

    def _contract(self) -> None:
        data = ProgrammeCreate(
            title=story.TITLE,
            description="Fictional people, synthetic data.",
            commissioner_org_id=self._organisation(story.COMMISSIONER, "cepn_or_training_hub"),
            provider_org_id=self._organisation(story.PROVIDER, "nhs_trust"),
            starts_on=story.STARTS_ON,
            ends_on=story.ENDS_ON,
            areas=list(story.AREAS),
            capacity=15,
        )
        programme = programmes.create_programme(self.session, data=data, **self._by(EVE))
        self.programme_id = programme.id
        self._move_programme(EVE, "recruiting")

    def _move_programme(self, now: datetime, *states: str) -> None:
        for state in states:
            progress.transition_programme(
                self.session,
                programme_id=self.programme_id,
                data=ProgrammeTransition.model_validate({"to": state}),
                **self._by(now),
            )

    def _sessions(self) -> list[uuid.UUID]:
        made = []
        for number, (day, title, kind) in enumerate(story.SESSIONS, start=1):
            starts_at = datetime.combine(day, time(13, 30), tzinfo=LONDON)
            data = SessionCreate.model_validate(
                {
                    "number": number,
                    "title": title,
                    "kind": kind,
                    "starts_at": starts_at,
                    "ends_at": starts_at + timedelta(hours=3, minutes=30),
                    "venue": "Community hall (fictional)",
                }
            )
            session = sessions.create_session(
                self.session, programme_id=self.programme_id, data=data, **self._by(EVE)
            )
            made.append(session.id)
        return made

    def _enrol(self, person: story.Person, joined_on: date) -> None:
        now = _noon(joined_on)
        data = ParticipantCreate.model_validate(
            {
                "given_name": person.given_name,
                "family_name": person.family_name,
                "email": f"{person.given_name}.{person.family_name}@demo.example".lower(),
                "role": person.role,
                "organisation_id": self.practices[person.practice],
                "joined_on": joined_on,
            }
        )
        participant = enrol_participant(
            self.session, programme_id=self.programme_id, data=data, **self._by(now)
        )
        enrolment = participant.enrolment
        self.people.append(enrolment.id)
        member = TeamMemberCreate(
            participant_id=enrolment.id, is_lead=person.is_lead, starts_on=joined_on
        )
        add_team_member(self.session, team_id=self.teams[person.team], data=member, **self._by(now))

    def _launch(self) -> None:
        now = _noon(story.STARTS_ON)
        for area in story.AREAS:
            team = create_team(
                self.session,
                programme_id=self.programme_id,
                data=TeamCreate(name=f"{area} Barnet", area=area),
                **self._by(now),
            )
            self.teams[area] = team.id
        for person in story.PEOPLE:
            if not person.is_late:
                self._enrol(person, story.STARTS_ON)
        self._move_programme(now, "launched", "running")

    def _join_late(self) -> None:
        for person in story.PEOPLE:
            if person.is_late:
                self._enrol(person, story.LATE_JOINER_ON)

    def _hold(self, number: int, session_id: uuid.UUID) -> None:
        # The register is closed two days later: nobody is absent before a day has passed.
        now = _noon(story.SESSIONS[number][0] + timedelta(days=2))
        for state in ("confirmed", "held"):
            sessions.transition_session(
                self.session,
                session_id=session_id,
                data=SessionTransition.model_validate({"to": state}),
                condition=ANY,
                **self._by(now),
            )
        items = [
            {"participant_id": person, "status": story.STATUS_OF_LETTER[letters[number]]}
            for person, letters in zip(self.people, story.REGISTER, strict=True)
            if letters[number] != "."
        ]
        replace_register(
            self.session,
            session_id=session_id,
            data=RegisterReplace.model_validate({"items": items}),
            condition=ANY,
            **self._by(now),
        )

    def _project(self, told: ProjectStory) -> uuid.UUID:
        """The project, its measures and data, its cycles; the headline measure's id."""
        begun = _noon(date(2017, 12, 8))
        project = projects.create_project(
            self.session,
            programme_id=self.programme_id,
            data=ProjectCreate.model_validate(
                {
                    "team_id": self.teams[told.team],
                    "title": told.title,
                    "problem": told.problem,
                    "area": told.team,
                    "aim": told.aim,
                    "start_on": story.STARTS_ON,
                }
            ),
            **self._by(begun),
        )
        made = [
            self._measure(project.id, measure, position)
            for position, measure in enumerate(told.measures)
        ]
        patch = ProjectPatch.model_validate({"aim": {"measure_id": str(made[0])}})
        projects.update_project(
            self.session, project_id=project.id, patch=patch, condition=ANY, **self._by(begun)
        )
        self._move_project(project.id, begun, FORWARD[:3])
        for measure_id, measure in zip(made, told.measures, strict=True):
            self._fill(measure_id, measure)
        cycles = run_cycles(self.session, self.actor, project.id, told.cycles)
        first_test = _noon(told.cycles[0].starts_on)
        last = FORWARD.index(told.final_state) + 1
        self._move_project(project.id, first_test, FORWARD[3:last])
        mark_charts(
            self.session,
            self.actor,
            team=told.team,
            project_id=project.id,
            measures=made,
            cycles=cycles,
        )
        return made[0]

    def _move_project(self, project_id: uuid.UUID, now: datetime, states: Sequence[str]) -> None:
        for state in states:
            progress.transition_project(
                self.session,
                project_id=project_id,
                data=ProjectTransition.model_validate({"to": state}),
                **self._by(now),
            )

    def _measure(self, project_id: uuid.UUID, told: MeasureStory, position: int) -> uuid.UUID:
        data = MeasureCreate.model_validate(
            {
                "name": told.name,
                "family": told.family,
                "data_type": told.data_type,
                "direction": told.direction,
                "unit": told.unit,
                "multiplier": told.multiplier,
                "operational_definition": told.definition,
                "numerator_definition": told.numerator,
                "denominator_definition": told.denominator,
                "baseline_points": story.BASELINE_WEEKS,
                "targets": [{"from": None, "value": told.target}] if told.target else [],
                "is_headline": told.is_headline,
                "position": position,
                "collection": {
                    "frequency": "weekly",
                    "collector": "Practice manager",
                    "starts_on": story.FIRST_WEEK,
                },
            }
        )
        now = _noon(date(2017, 12, 8))
        return measures.create_measure(
            self.session, project_id=project_id, data=data, **self._by(now)
        ).id

    def _fill(self, measure_id: uuid.UUID, told: MeasureStory) -> None:
        points = weekly_points(told)
        content = to_json({"mode": "insert", "items": points})
        record_data_points(
            self.session,
            measure_id=measure_id,
            batch=read_batch(JSON, content, BatchOptions()),
            **self._by(_noon(points[-1]["period_end"])),
        )
