"""Forgets dead jobs after thirty days, every night."""

from app.jobs.actions import purge_dead_jobs
from app.jobs.handlers import Done, InThread, Outcome, Work
from app.jobs.kinds import Kind
from app.jobs.schedules import Cron
from app.kit.clock import unix_ms, utc_now
from app.kit.db import Database

KEPT_DAYS = 30
PURGE = Kind("job.purge", queue="cron")
NIGHTLY = Cron("purge dead jobs", PURGE, "40 2 * * *")


def purger(database: Database) -> InThread:
    """The handler of `job.purge`: short transactions until nothing old is left."""

    def run(_work: Work) -> Outcome:
        before = unix_ms(utc_now()) - KEPT_DAYS * 86_400_000
        purged = 1
        while purged:
            with database.transaction() as session:
                purged = purge_dead_jobs(session, before=before)
        return Done()

    return InThread(PURGE, run)
