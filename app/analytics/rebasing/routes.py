"""Routes of rebase candidates."""

import uuid
from typing import Annotated

from fastapi import Path, Response

from app.access.dependencies import CurrentActor
from app.analytics.drawing import Unchartable
from app.analytics.rebasing import actions, queries
from app.analytics.rebasing.actions import CandidatePending
from app.analytics.rebasing.schemas import RebaseCandidates, RebaseDecision
from app.kit.answers import created
from app.kit.dependencies import Now, ReadSession, WriteSession
from app.kit.errors import Archived, Invalid, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.routing import Router
from app.measures.phases.actions import PhaseOverlap
from app.measures.phases.schemas import PhaseRead
from app.projects.queries import ReceivedReadOnly

router = Router()
CandidateId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["7d1f0c52a94be803"])]


@router.get(
    "/measures/{measure_id}/rebase-candidates",
    summary="List where a new phase may be due",
    responses=problems(Unchartable),
)
def list_rebase_candidates(
    measure_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> RebaseCandidates:
    """Where the Stable Shift Algorithm would take limits anew, with the limits before and after,

    and the questions to ask first. Nothing changes until somebody decides. Stable series, and
    those with too few points after a shift, have none.
    """
    return queries.list_rebase_candidates(session, actor=actor, measure_id=measure_id)


@router.post(
    "/measures/{measure_id}/rebase-candidates/{candidate_id}/decision",
    status_code=201,
    summary="Decide about a rebase candidate",
    responses=problems(
        Archived,
        ReceivedReadOnly,
        CandidatePending,
        PhaseOverlap,
        Invalid,
        ReferenceNotFound,
        Unchartable,
    ),
)
def decide_rebase_candidate(
    measure_id: uuid.UUID,
    candidate_id: CandidateId,
    data: RebaseDecision,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PhaseRead:
    """`accept` makes an approved phase, `propose` leaves it to somebody who leads, `decline` keeps

    the reason, so that it is not offered again. To undo: revoke the phase, or approve or archive
    the declined one. What was put forward keeps what was said then.
    """
    row = actions.decide_rebase_candidate(
        session,
        actor=actor,
        measure_id=measure_id,
        candidate_id=candidate_id,
        data=data,
        now=now,
    )
    return created(response, PhaseRead.model_validate(row), "phases")
