"""The present instant, as a value that is passed down and never read twice in one request."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


def unix_ms(instant: datetime) -> int:
    """Unix milliseconds of an aware instant."""
    return int(instant.timestamp() * 1000)
