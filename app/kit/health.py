"""Liveness and readiness for orchestrators: public, unversioned, and telling no secrets."""

import time

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.kit import migrations
from app.kit.clock import utc_now

BEHIND_SECONDS = 60.0
FULL_SECONDS = 60.0  # as long as whoever was refused was asked to wait

router = APIRouter(prefix="/health", tags=["health"], redirect_slashes=False)
log = structlog.get_logger()


class Health(BaseModel):
    """Whether the process can serve, and if not, why."""

    status: str = Field(examples=["ok"])
    reasons: list[str] = Field(default_factory=list, examples=[[]])


class Readiness(Health):
    """The same, and how far behind the work is that all processes share."""

    warnings: list[str] = Field(
        default_factory=list,
        examples=[[]],
        description=(
            "`worker_behind`: work has been due for over a minute. `storage_full`: this process "
            "refused a write within the last minute, because the disk of the database is full. "
            "Requests are answered, reads in any case."
        ),
    )
    worker: dict[str, float] = Field(
        default_factory=dict,
        examples=[{"webhook": 0.4}],
        description="Of each queue with work that is due, for how many seconds the oldest was.",
    )


@router.get("/live", summary="Is the process alive?")
async def get_liveness() -> Health:
    """Touches nothing; answers as long as the event loop runs."""
    return Health(status="ok")


@router.get(
    "/ready",
    summary="Can the process serve?",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not ready; `reasons` says why."}},
)
def get_readiness(request: Request) -> JSONResponse:
    """Asks the database and compares its schema with the one that this version needs.

    A worker that is behind and a full disk are warnings, not reasons: every replica would leave its
    balancer at once, and none of them could answer the sooner for it.
    """
    reasons = []
    worker: dict[str, float] = {}
    try:
        with request.app.state.database.reading() as session:
            session.execute(sa.text("SELECT 1"))
            if migrations.current(session.connection()) != migrations.head():
                reasons.append("schema_not_current")
            else:
                worker = dict(request.app.state.oldest_due(session, utc_now()))
    except (sa.exc.SQLAlchemyError, OSError) as fault:
        log.warning("not_ready", exc_info=fault)
        reasons.append("database_unreachable")
    warnings = ["worker_behind"] if max(worker.values(), default=0) > BEHIND_SECONDS else []
    if time.monotonic() - request.app.state.full_at < FULL_SECONDS:
        warnings.append("storage_full")
    health = Readiness(
        status="unavailable" if reasons else "ok",
        reasons=reasons,
        warnings=warnings,
        worker={queue: round(seconds, 1) for queue, seconds in worker.items()},
    )
    return JSONResponse(health.model_dump(), 503 if reasons else 200, {"Cache-Control": "no-store"})
