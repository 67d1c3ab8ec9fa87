"""Looks at everything of a programme or project: the facts of the guards, and counts."""

import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.access.actor import Actor
from app.learning_sessions.models import LearningSession, SessionStatus
from app.measures.models import DataPoint, Family, Measure, Phase, PhaseStatus
from app.participants.models import Enrolment, EnrolmentStatus
from app.pdsa.models import CycleState, PDSACycle
from app.pdsa.stages import Decision
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.progress.guards import OutcomeFacts, ProgrammeFacts, ProjectFacts
from app.progress.schemas import ProgrammeSummary
from app.projects.aims import Aim
from app.projects.models import Project, ProjectState
from app.teams.models import Team

_TAKING_PART = (EnrolmentStatus.ENROLLED, EnrolmentStatus.ACTIVE)
_FINISHED = (ProjectState.COMPLETED, ProjectState.STOPPED)
S = TypeVar("S", bound=StrEnum)


def _live(entity: Any, programme_id: uuid.UUID, *more: Any) -> sa.Select[Any]:
    return (
        sa.select(sa.func.count())
        .select_from(entity)
        .where(col(entity.programme_id) == programme_id, col(entity.archived_at).is_(None), *more)
    )


def programme_facts(session: Session, programme: Programme) -> ProgrammeFacts:
    """One query."""
    taking_part = col(Enrolment.status).in_(_TAKING_PART)
    is_unassigned = sa.and_(
        col(Enrolment.team_id).is_(None),
        sa.func.coalesce(col(Enrolment.unassigned_reason), "") == "",
    )
    takes_place = col(LearningSession.status) != SessionStatus.CANCELLED
    undated = col(LearningSession.starts_at).is_(None)
    counts = (
        _live(Enrolment, programme.id, taking_part),
        _live(Enrolment, programme.id, taking_part, is_unassigned),
        _live(LearningSession, programme.id, takes_place),
        _live(LearningSession, programme.id, takes_place, undated),
        _live(Project, programme.id, col(Project.state).not_in(_FINISHED)),
    )
    row = session.execute(sa.select(*(count.scalar_subquery() for count in counts))).one()
    return ProgrammeFacts(
        participants=row[0],
        unassigned=row[1],
        sessions=row[2],
        undated_sessions=row[3],
        open_projects=row[4],
        has_retention=programme.retention_ends_on is not None,
    )


def _in_first_phase() -> sa.ColumnElement[bool]:
    """Whether no phase has started between the first point of the measure and this one."""
    earlier = aliased(DataPoint)
    first = (
        sa.select(sa.func.min(earlier.period_start))
        .where(
            col(earlier.measure_id) == col(Measure.id),
            col(earlier.archived_at).is_(None),
        )
        .scalar_subquery()
    )
    later_phase = sa.exists().where(
        col(Phase.measure_id) == col(Measure.id),
        col(Phase.status) == PhaseStatus.APPROVED,
        col(Phase.archived_at).is_(None),
        col(Phase.starts_on) <= col(DataPoint.period_start),
        col(Phase.starts_on) > first,
    )
    return ~later_phase


def _outcomes_and_families(
    session: Session, project: Project
) -> tuple[dict[uuid.UUID, OutcomeFacts], frozenset[Family]]:
    rate = sa.and_(col(DataPoint.numerator).is_not(None), col(DataPoint.denominator) > 0)
    counts_as_point = sa.and_(
        col(DataPoint.measure_id) == col(Measure.id),
        col(DataPoint.archived_at).is_(None),
        col(DataPoint.excluded).is_(False),
        sa.or_(col(DataPoint.value).is_not(None), rate),
        _in_first_phase(),
    )
    # Strata of one period are one point of the baseline.
    points = (
        sa.select(sa.func.count(sa.distinct(col(DataPoint.period_start))))
        .where(counts_as_point)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            col(Measure.id),
            col(Measure.family),
            col(Measure.operational_definition),
            col(Measure.collection),
            points,
        ).where(col(Measure.project_id) == project.id, col(Measure.archived_at).is_(None))
    ).all()
    outcomes = {
        row[0]: OutcomeFacts(bool(row[2]), bool(row[3]), row[4])
        for row in rows
        if row[1] is Family.OUTCOME
    }
    return outcomes, frozenset(row[1] for row in rows)


def project_facts(session: Session, project: Project) -> ProjectFacts:
    """Two queries."""
    outcomes, families = _outcomes_and_families(session, project)
    cycles = session.execute(
        sa.select(col(PDSACycle.state), col(PDSACycle.act)).where(
            col(PDSACycle.project_id) == project.id,
            col(PDSACycle.archived_at).is_(None),
            col(PDSACycle.state) != CycleState.CANCELLED,
        )
    ).all()
    closed = [act for state, act in cycles if state is CycleState.CLOSED]
    return ProjectFacts(
        has_title=bool(project.title),
        has_problem=bool(project.problem),
        has_team=project.team_id is not None,
        aim=None if project.aim is None else Aim.model_validate(project.aim),
        outcomes=outcomes,
        families=families,
        cycles=len(cycles),
        closed_cycles=len(closed),
        adopted_cycles=sum(act.get("decision") == Decision.ADOPT for act in closed),
    )


def _is_late(programme: Programme) -> sa.ColumnElement[bool]:
    """Before a first session is dated, everybody is there from the launch."""
    first = programme.first_session_on
    return sa.false() if first is None else col(Enrolment.joined_on) > first


def _by_state(
    session: Session, states: Iterable[S], column: Any, statement: sa.Select[Any]
) -> dict[str, int]:
    """Counts by state, those with none included."""
    rows = session.execute(statement.add_columns(column).group_by(column)).all()
    counts = {state: number for number, state in rows}
    return {state.value: counts.get(state, 0) for state in states}


def get_programme_summary(
    session: Session, *, actor: Actor, programme_id: uuid.UUID
) -> ProgrammeSummary:
    """Counts for whoever sees the programme, a commissioner too. Five queries."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    place = programme.id

    def in_live_project(entity: Any) -> sa.Select[Any]:
        owned = sa.and_(
            col(Project.id) == col(entity.project_id), col(Project.archived_at).is_(None)
        )
        return _live(entity, place).join(Project, owned)

    of_live_measure = sa.and_(
        col(Measure.id) == col(DataPoint.measure_id), col(Measure.archived_at).is_(None)
    )
    totals = (
        _live(Enrolment, place),
        _live(Enrolment, place, _is_late(programme)),
        _live(Team, place),
        in_live_project(Measure),
        in_live_project(DataPoint).join(Measure, of_live_measure),
    )
    row = session.execute(sa.select(*(total.scalar_subquery() for total in totals))).one()
    status = col(LearningSession.status)
    sessions = _by_state(session, SessionStatus, status, _live(LearningSession, place))
    ended = sessions[SessionStatus.HELD] + sessions[SessionStatus.CANCELLED]
    return ProgrammeSummary(
        programme_id=place,
        participants=row[0],
        late_joiners=row[1],
        teams=row[2],
        measures=row[3],
        data_points=row[4],
        sessions_held=sessions[SessionStatus.HELD],
        sessions_planned=sum(sessions.values()) - ended,
        projects=_by_state(session, ProjectState, col(Project.state), _live(Project, place)),
        pdsa_cycles=_by_state(
            session, CycleState, col(PDSACycle.state), in_live_project(PDSACycle)
        ),
    )
