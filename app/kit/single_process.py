"""A SQLite database is served by one process: two that write at once can corrupt it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.kit.db import normalise_url

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such locks; there the advice stands alone
    fcntl = None  # type: ignore[assignment]


class DatabaseInUse(Exception):
    """Another process serves this SQLite database."""


@contextmanager
def sole_process(url: str) -> Iterator[None]:
    """Hold the lock file beside a SQLite database; other databases need none.

    The lock is the kernel's: it goes with the process, however that ends.
    """
    parsed = normalise_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or fcntl is None:
        yield
        return
    with Path(f"{parsed.database}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise DatabaseInUse(parsed.database) from fault
        yield
