"""Routes that look at everything: transitions of programmes and projects, the summary."""

import uuid

from fastapi import Response

from app.access.dependencies import CurrentActor
from app.kit.answers import tagged
from app.kit.dependencies import Now, ReadSession, WriteSession
from app.kit.errors import Archived, InvalidStateTransition, TransitionBlocked
from app.kit.openapi import problems
from app.kit.routing import Router
from app.programmes.schemas import ProgrammeRead
from app.progress import actions, queries
from app.progress.actions import TextRequired
from app.progress.results import routes as results
from app.progress.schemas import ProgrammeSummary, ProgrammeTransition, ProjectTransition
from app.projects.queries import ReceivedReadOnly
from app.projects.schemas import ProjectRead
from app.references.queries import with_references
from app.references.resources import ResourceType

router = Router()
_refusals = problems(Archived, InvalidStateTransition, TransitionBlocked, TextRequired)
_project_refusals = problems(
    Archived, ReceivedReadOnly, InvalidStateTransition, TransitionBlocked, TextRequired
)


@router.post(
    "/programmes/{programme_id}/transitions",
    tags=["programmes"],
    summary="Take a programme to its next state",
    responses=_refusals,
)
def transition_programme(
    programme_id: uuid.UUID,
    data: ProgrammeTransition,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ProgrammeRead:
    """`draft > recruiting > launched > running > closing > closed`; `cancelled` with a reason.

    A launch needs a participant, dated sessions, and a team or a reason for every participant;
    to close, every project must be completed or stopped and `retention_ends_on` set.
    """
    row = actions.transition_programme(
        session, actor=actor, programme_id=programme_id, data=data, now=now
    )
    return tagged(response, ProgrammeRead.model_validate(row))


@router.get(
    "/programmes/{programme_id}/summary",
    tags=["programmes"],
    summary="Get the counts of a programme",
)
def get_programme_summary(
    programme_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> ProgrammeSummary:
    """What a commissioner may see too: how many, never who or which."""
    return queries.get_programme_summary(session, actor=actor, programme_id=programme_id)


@router.post(
    "/projects/{project_id}/transitions",
    tags=["projects"],
    summary="Take a project to its next state",
    responses=_project_refusals,
)
def transition_project(
    project_id: uuid.UUID,
    data: ProjectTransition,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ProjectRead:
    """From `idea` to `completed` step by step; `paused` and back; `stopped` with what was learned.

    Where a step asks for something that is missing, the answer lists it in `missing`, and
    `override_reason` lets you go on all the same.
    """
    row = actions.transition_project(
        session, actor=actor, project_id=project_id, data=data, now=now
    )
    read = ProjectRead.model_validate(row)
    return tagged(response, with_references(session, ResourceType.PROJECT, [read])[0])


router.include_router(results.router)
