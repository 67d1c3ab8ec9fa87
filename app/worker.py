"""The background work of a process: who handles which job, and what comes back by the clock.

Composition only; the loop is `jobs.working`. Only the command line starts it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import structlog

from app.events.dispatching import Follower, dispatcher
from app.jobs.handlers import Handler
from app.jobs.mailing import WriteLetter, mailer
from app.jobs.purging import NIGHTLY, purger
from app.jobs.schedules import Cron
from app.jobs.working import Worker
from app.kit.mail import MailFolder, MailServer, Post
from app.kit.outbound import Outbound
from app.parts import Parts
from app.settings import Settings

log = structlog.get_logger()

# -- What the packages bring: everything that is worked off in the background stands here. ---------

FOLLOWERS: tuple[Follower, ...] = ()  # hear of every event, in the transaction that numbers it
LETTERS: dict[str, WriteLetter] = {}  # what is written to people, by name
CRONS: tuple[Cron, ...] = (NIGHTLY,)


def handlers_of(parts: Parts, outbound: Outbound) -> list[Handler]:
    """One handler for each kind of job."""
    return [
        dispatcher(FOLLOWERS),
        mailer(LETTERS, post=_post(parts.settings), sender=parts.settings.mail_from),
        purger(parts.database),
    ]


# --------------------------------------------------------------------------------------------------


def _post(settings: Settings) -> Post:
    if settings.smtp_host is None:
        log.info("mail_is_written_as_files", folder=str(settings.mail_folder))
        return MailFolder(settings.mail_folder)
    password = settings.smtp_password
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        password.get_secret_value() if password else None,
    )


@asynccontextmanager
async def working(
    parts: Parts, *, queues: Collection[str] | None = None, **more: Any
) -> AsyncIterator[Worker]:
    """A worker beside whatever is done inside; it is stopped in good order at the end."""
    outbound = Outbound(parts.policy)
    try:
        handlers = handlers_of(parts, outbound)
        worker = Worker(parts.database, handlers, CRONS, queues=queues, **more)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await task
    finally:
        await outbound.aclose()
