"""Asks nightly for all that other servers share: it brings what messages have failed to tell."""

from collections.abc import Sequence

from sqlmodel import Session

from app.integrations.kinds import pull_job
from app.integrations.pulling.queries import list_fetching
from app.jobs.actions import enqueue_all
from app.jobs.handlers import Together, Work
from app.jobs.kinds import Kind
from app.jobs.schedules import Cron

REFRESH = Kind("integration.refresh", queue="cron")
NIGHTLY = Cron("integration.refresh", REFRESH, "47 1 * * *")


def refresher() -> Together:
    """The handler of `integration.refresh`: one fetch of the catalogue for each connection."""
    return Together(REFRESH, _ask)


def _ask(session: Session, _works: Sequence[Work]) -> None:
    jobs = [
        pull_job(integration_id=row.id, project_id=None, programme_id=row.programme_id)
        for row in list_fetching(session)
    ]
    enqueue_all(session, jobs)
