"""Which step of a programme or project follows which, and what each asks for: data, on one page."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from app.measures.models import Family
from app.programmes.models import ProgrammeState
from app.projects import aims
from app.projects.aims import Aim
from app.projects.models import ProjectState

MIN_BASELINE_POINTS = 12
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class ProgrammeFacts:
    """What the guards of a programme look at."""

    participants: int
    unassigned: int
    sessions: int
    undated_sessions: int
    open_projects: int
    has_retention: bool


class OutcomeFacts(NamedTuple):
    """An outcome measure: its definition, its plan, its points that count."""

    is_defined: bool
    has_plan: bool
    points: int


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What the guards of a project look at. Of measures and cycles, only what is live."""

    has_title: bool
    has_problem: bool
    has_team: bool
    aim: Aim | None
    outcomes: dict[uuid.UUID, OutcomeFacts] = field(default_factory=dict)
    families: frozenset[Family] = frozenset()
    cycles: int = 0
    closed_cycles: int = 0
    adopted_cycles: int = 0

    @property
    def aimed_at(self) -> OutcomeFacts | None:
        """The outcome measure that the aim names."""
        named = self.aim and self.aim.measure_id
        return self.outcomes.get(named) if named else None

    @property
    def has_baseline(self) -> bool:
        """Of the measure that the aim names, or else of every outcome measure."""
        measured = [self.aimed_at] if self.aimed_at else list(self.outcomes.values())
        return bool(measured) and all(item.points >= MIN_BASELINE_POINTS for item in measured)


class Need(NamedTuple, Generic[F]):
    """Something that a step asks for; `code` is what `missing` lists."""

    code: str
    is_met: Callable[[F], bool]


# Ordered by life; `cancelled` may follow any but the last.
_PROGRAMME_LIFE = tuple(state for state in ProgrammeState if state is not ProgrammeState.CANCELLED)
PROGRAMME_NEEDS: dict[ProgrammeState, tuple[Need[ProgrammeFacts], ...]] = {
    ProgrammeState.LAUNCHED: (
        Need("participant", lambda facts: facts.participants > 0),
        Need("session", lambda facts: facts.sessions > 0),
        Need("session_dates", lambda facts: facts.undated_sessions == 0),
        Need("team_or_unassigned_reason", lambda facts: facts.unassigned == 0),
    ),
    ProgrammeState.CLOSED: (
        Need("projects_completed_or_stopped", lambda facts: facts.open_projects == 0),
        Need("retention_ends_on", lambda facts: facts.has_retention),
    ),
}

_PROJECT_LIFE = tuple(
    state for state in ProjectState if state not in {ProjectState.PAUSED, ProjectState.STOPPED}
)
PROJECT_NEEDS: dict[ProjectState, tuple[Need[ProjectFacts], ...]] = {
    ProjectState.CHARTERED: (
        Need("title", lambda facts: facts.has_title),
        Need("problem", lambda facts: facts.has_problem),
        Need("complete_aim", lambda facts: not aims.missing_of(facts.aim)),
        Need("team", lambda facts: facts.has_team),
        Need("outcome_measure", lambda facts: bool(facts.outcomes)),
        Need("aim_measure", lambda facts: facts.aimed_at is not None),
    ),
    ProjectState.BASELINE: (
        Need(
            "operational_definitions",
            lambda facts: all(item.is_defined for item in facts.outcomes.values()),
        ),
        Need(
            "collection_plans",
            lambda facts: all(item.has_plan for item in facts.outcomes.values()),
        ),
    ),
    ProjectState.TESTING: (
        Need("baseline_points", lambda facts: facts.has_baseline),
        Need("pdsa_cycle", lambda facts: facts.cycles > 0),
        Need("outcome_measure", lambda facts: Family.OUTCOME in facts.families),
        Need("process_measure", lambda facts: Family.PROCESS in facts.families),
        Need("balancing_measure", lambda facts: Family.BALANCING in facts.families),
    ),
    ProjectState.IMPLEMENTING: (Need("adopted_cycle", lambda facts: facts.adopted_cycles > 0),),
    ProjectState.COMPLETED: (Need("closed_cycle", lambda facts: facts.closed_cycles > 0),),
}


def programme_steps(state: ProgrammeState) -> tuple[ProgrammeState, ...]:
    """Where a programme can go."""
    if state not in _PROGRAMME_LIFE[:-1]:
        return ()
    return (_PROGRAMME_LIFE[_PROGRAMME_LIFE.index(state) + 1], ProgrammeState.CANCELLED)


def project_steps(
    state: ProjectState, paused_from: ProjectState | None
) -> tuple[ProjectState, ...]:
    """Where a project can go; from a pause only back, or to a stop."""
    if state is ProjectState.PAUSED:
        back = () if paused_from is None else (paused_from,)
        return (*back, ProjectState.STOPPED)
    if state not in _PROJECT_LIFE[:-1]:
        return ()
    following = _PROJECT_LIFE[_PROJECT_LIFE.index(state) + 1]
    return (following, ProjectState.PAUSED, ProjectState.STOPPED)


def unmet(needs: tuple[Need[F], ...], facts: F) -> list[str]:
    """The codes of the needs that the facts do not meet."""
    return [need.code for need in needs if not need.is_met(facts)]
