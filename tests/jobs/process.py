"""A worker as a process of its own, for tests that kill or stop it: `python -m tests.jobs.process`.

It claims under short leases and writes the number of each job into the table `effect`.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlmodel import Session

from app.jobs.handlers import Outcome, Outgoing, Work
from app.jobs.kinds import Kind
from app.jobs.pace import Pace
from app.jobs.working import Worker
from app.kit.db import Database
from tests.jobs.asking import did

KIND = Kind("test.process", queue="webhook", attempts=20, retry_seconds=(0.05,), lease_seconds=1.0)
ROOT = Path(__file__).resolve().parents[2]


def handler(seconds: float) -> Outgoing:
    """Each job takes so long, then its number is an effect."""

    def load(session: Session, works: Sequence[Work]) -> Mapping[int, Any]:
        return {}

    async def run(work: Work, _loaded: Any) -> Outcome:
        await asyncio.sleep(seconds)
        return did(str(work.args["number"]))

    return Outgoing(KIND, load, run)


async def _work(url: str, seconds: float) -> None:
    database = Database(url)
    worker = Worker(database, [handler(seconds)], pace=Pace(poll=0.05, back_off=0.05))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()
    database.dispose()


@contextmanager
def worker_process(url: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Such a process; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.process", url, str(seconds)], cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], float(sys.argv[2])))
