"""The background work of a process: who handles which job, and what comes back by the clock.

Composition only; the loop is `jobs.working`. Only the command line starts it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from threading import Event
from typing import Any

import structlog

from app.analytics.detections import watching
from app.events.dispatching import Follower, dispatcher
from app.integrations import sweeping as integrations
from app.integrations.pulling import schedules as pulling
from app.integrations.pulling.fetching import puller
from app.jobs.handlers import Handler
from app.jobs.mailing import WriteLetter, mailer
from app.jobs.purging import NIGHTLY, purger
from app.jobs.schedules import Cron
from app.jobs.working import Worker
from app.kit.mail import MailFolder, MailServer, Post
from app.kit.metrics import PATIENCE_SECONDS
from app.kit.outbound import Outbound
from app.kit.scraping import listening
from app.measures.imports.actions import KIND as IMPORT
from app.measures.imports.runner import run_import
from app.operations import sweeping as operations
from app.operations.running import operator
from app.operations.steps import Runner
from app.parts import Parts, add_database_gauges
from app.settings import Settings
from app.webhooks import following, letters
from app.webhooks import sweeping as webhooks
from app.webhooks.deliveries.actions import REPLAY
from app.webhooks.deliveries.runner import run_replay
from app.webhooks.delivering import deliverer

log = structlog.get_logger()

# -- What the packages bring: everything that is worked off in the background stands here. ---------

# They hear of every event, in the transaction that numbers it.
FOLLOWERS: tuple[Follower, ...] = (following.follow, watching.follow)
LETTERS: dict[str, WriteLetter] = {**letters.LETTERS}  # what is written to people, by name
RUNNERS: dict[str, Runner] = {IMPORT: run_import, REPLAY: run_replay}  # by kind of operation
CRONS: tuple[Cron, ...] = (
    NIGHTLY,
    webhooks.NIGHTLY,
    integrations.NIGHTLY,
    operations.NIGHTLY,
    pulling.NIGHTLY,
)


def handlers_of(parts: Parts, outbound: Outbound, is_stopping: Callable[[], bool]) -> list[Handler]:
    """One handler for each kind of job."""
    settings, database = parts.settings, parts.database
    handlers: list[Handler] = [
        dispatcher(FOLLOWERS),
        deliverer(
            outbound=outbound,
            sealer=parts.sealer,
            waits=settings.webhook_retry_seconds,
            metrics=parts.metrics,
        ),
        puller(database=database, outbound=outbound, sealer=parts.sealer),
        pulling.refresher(),
        watching.detector(),
        operator(RUNNERS, database=database, is_stopping=is_stopping),
        mailer(LETTERS, post=_post(settings), sender=settings.mail_from),
        webhooks.sweeper(database, days=settings.delivery_days),
        integrations.sweeper(database, days=settings.inbound_days),
        operations.sweeper(database=database),
        purger(database),
    ]
    lease = settings.job_lease_seconds
    return [replace(each, kind=replace(each.kind, lease_seconds=lease)) for each in handlers]


# --------------------------------------------------------------------------------------------------


def _post(settings: Settings) -> Post:
    if not settings.smtp_host:
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
async def telling(parts: Parts) -> AsyncIterator[None]:
    """The metrics of a process that serves nothing else, where the settings name a port for them.

    Raises `NotListening`.
    """
    settings, loop = parts.settings, asyncio.get_running_loop()
    if settings.metrics_port is None:
        yield
        return
    gauges = add_database_gauges(parts.metrics, lambda: parts.database)

    def refresh() -> None:
        reading = asyncio.run_coroutine_threadsafe(gauges.refresh(), loop)
        reading.result(2 * PATIENCE_SECONDS)

    with listening(
        parts.metrics.registry,
        host=settings.metrics_host,
        port=settings.metrics_port,
        token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
        refresh=refresh,
    ):
        yield


@asynccontextmanager
async def working(
    parts: Parts, *, queues: Collection[str] | None = None, **more: Any
) -> AsyncIterator[Worker]:
    """A worker beside whatever is done inside; it is stopped in good order at the end."""
    outbound = Outbound(parts.policy)
    try:
        ending = Event()
        handlers = handlers_of(parts, outbound, ending.is_set)
        worker = Worker(
            parts.database, handlers, CRONS, queues=queues, metrics=parts.metrics, **more
        )
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            ending.set()
            worker.stop()
            await task
    finally:
        await outbound.aclose()
