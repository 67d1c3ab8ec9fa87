"""Routes of planning: what a plan of collection can show, and which chart suits a measure."""

import uuid
from typing import Annotated

from fastapi import Query

from app.access.dependencies import CurrentActor
from app.analytics.feasibility import queries
from app.analytics.feasibility.plans import InfeasiblePlan
from app.analytics.feasibility.schemas import (
    ChartAdviceRead,
    FeasibilityQuery,
    FeasibilityRead,
    FeasibilityRequest,
)
from app.kit.dependencies import ReadSession
from app.kit.openapi import problems
from app.kit.routing import Router

router = Router(tags=["spc"])


@router.get(
    "/measures/{measure_id}/feasibility",
    summary="What a measure's data plan can show",
    responses=problems(InfeasiblePlan),
)
def get_measure_feasibility(
    measure_id: uuid.UUID,
    query: Annotated[FeasibilityQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
) -> FeasibilityRead:
    """Points before and after the first change, charts, odds of false signals, detectable shift.

    From the measure's data plan, the days of project and programme, the first PDSA cycle that tests
    a change, and the latest 500 points. Parameters override them for this request.
    """
    return queries.get_measure_feasibility(session, actor=actor, measure_id=measure_id, query=query)


@router.get("/measures/{measure_id}/chart-advice", summary="Which chart suits a measure")
def get_measure_chart_advice(
    measure_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> ChartAdviceRead:
    """The recommended chart with its reason, others, and what the latest 500 points object."""
    return queries.get_measure_chart_advice(session, actor=actor, measure_id=measure_id)


@router.post(
    "/spc/feasibility",
    summary="What a data plan that you send can show",
    responses=problems(InfeasiblePlan),
)
def judge_plan(data: FeasibilityRequest, _actor: CurrentActor) -> FeasibilityRead:
    """A plan in, what it can show out; nothing is stored."""
    return queries.judge_plan(data)
