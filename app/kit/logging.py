"""Structured logs: one JSON object a line with the request id, or plain lines for people."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

# The steps of a migration are no news; what is called, and what it answers, may hold secrets.
_QUIET = ("alembic", "httpx2", "httpcore2")

# What PostgreSQL adds to the first line of an error ("DETAIL:  Key (email)=(...)", in the server's
# language) holds values of rows, which may be of persons. It ends where SQLAlchemy goes on, or with
# the exception: bars and plus signs draw groups of them.
_MARGIN = r"^[ |]*"
_VALUES = re.compile(
    rf"(?ms)(?:(psycopg\.errors\.\w+[:)][^\n]*\n)|{_MARGIN}DETAIL:).*?"
    rf"(?={_MARGIN}\[SQL|{_MARGIN}\n{_MARGIN}(?:The above|During handling)|{_MARGIN}\+-|\Z)"
)


def _without_values(_logger: Any, _method: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A processor: no line shows what stood in the rows that a database error is about."""
    for name, value in entry.items():
        if isinstance(value, str) and "\n" in value:
            entry[name] = _VALUES.sub(lambda found: found[1] or "", value).rstrip("\n")
    return entry


def configure(*, level: str, log_format: str) -> None:
    """Send our log and that of the libraries through one formatter to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_values,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_plain)
    )
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Every line of the block, libraries' too, bears these ids: of a job, its kind, its event."""
    stated = {name: value if isinstance(value, int) else str(value) for name, value in ids.items()}
    with structlog.contextvars.bound_contextvars(**stated):
        yield


def _plain(stream: Any, exc_info: Any) -> None:
    structlog.dev.plain_traceback(stream, exc_info)
