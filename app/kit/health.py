"""Liveness and readiness for orchestrators: public, unversioned, and telling no secrets."""

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.kit import migrations

router = APIRouter(prefix="/health", tags=["health"], redirect_slashes=False)
log = structlog.get_logger()


class Health(BaseModel):
    """Whether the process can serve, and if not, why."""

    status: str = Field(examples=["ok"])
    reasons: list[str] = Field(default_factory=list, examples=[[]])


@router.get("/live", summary="Is the process alive?")
async def get_liveness() -> Health:
    """Touches nothing; answers as long as the event loop runs."""
    return Health(status="ok")


@router.get(
    "/ready",
    summary="Can the process serve?",
    response_model=Health,
    responses={503: {"model": Health, "description": "Not ready; `reasons` says why."}},
)
def get_readiness(request: Request) -> JSONResponse:
    """Asks the database and compares its schema with the one that this version needs."""
    reasons = []
    try:
        with request.app.state.database.reading() as session:
            session.execute(sa.text("SELECT 1"))
            if migrations.current(session.connection()) != migrations.head():
                reasons.append("schema_not_current")
    except (sa.exc.SQLAlchemyError, OSError) as fault:
        log.warning("not_ready", exc_info=fault)
        reasons.append("database_unreachable")
    health = Health(status="unavailable" if reasons else "ok", reasons=reasons)
    return JSONResponse(health.model_dump(), 503 if reasons else 200, {"Cache-Control": "no-store"})
