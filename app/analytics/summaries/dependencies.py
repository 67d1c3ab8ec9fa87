"""What routes that read summaries ask for: where to store those that were computed anew."""

import threading
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from app.analytics.summaries import actions
from app.kit.db import Database

log = structlog.get_logger()
# A read has no turn at the database's writers. One thread of the process at most may wait for a
# connection to store in; who finds it waiting answers all the same, and the next reader stores.
_storing = threading.Lock()


class SummaryStore:
    """Stores summaries in a transaction of its own. The answer never depends on its success."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store them, unless the database is busy, read-only or away."""
        if not _storing.acquire(blocking=False):
            return
        try:
            with self._database.transaction() as session:
                actions.keep_summaries(session, rows)
        except SQLAlchemyError as fault:
            log.warning("summaries_not_stored", rows=len(rows), reason=type(fault).__name__)
        finally:
            _storing.release()


async def summary_store(request: Request) -> SummaryStore:
    """The store on the application's own database, also where reads come from a replica."""
    return SummaryStore(request.app.state.database)


CurrentStore = Annotated[SummaryStore, Depends(summary_store)]
