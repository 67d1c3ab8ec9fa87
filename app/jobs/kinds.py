"""A kind of job: which queue, how often it is tried, how many of a lane run at once."""

from dataclasses import dataclass

RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0, 3 * 3600.0, 12 * 3600.0)


@dataclass(frozen=True, slots=True)
class Kind:
    """Declared once, beside the code that enqueues it.

    queue: `event`, `webhook`, `mail`, `series`, `heavy`, `pull` or `cron`; a worker serves some or
        all.
    attempts: claims before the job is dead, so a job that kills its worker dies too.
    retry_seconds: the wait after the first, second, ... failure; the last one stands for the rest.
    lane_cap: how many of one lane a process runs at once.
    coalesces: a key that is asked for again while the job runs makes another job.
    """

    name: str
    queue: str
    attempts: int = 8
    retry_seconds: tuple[float, ...] = RETRY_SECONDS
    lane_cap: int = 4
    lease_seconds: float = 60.0
    coalesces: bool = False
