"""Reads what a database error says: the same answer on SQLite and PostgreSQL."""

import re

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.kit.errors import AlreadyExists, Conflict, FieldError, OpenQIError, pointer

_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")
_POSTGRES_KEY = re.compile(r"Key \((?P<columns>[^)]+)\)=")
_UNIQUE_VIOLATION = "23505"
_PARENTS = {"programme_id", "project_id", "measure_id"}
# SQLSTATE: lock_not_available, query_canceled, too_many_connections, admin_shutdown,
# cannot_connect_now, deadlock_detected, serialization_failure
_BUSY_STATES = {"55P03", "57014", "53300", "57P01", "57P03", "40P01", "40001"}

_DISK_FULL = "53100"
# Of SQLite, and of a connection that PostgreSQL cannot begin: libpq gives no SQLSTATE there.
_FULL = ("disk is full", "No space left on device")


def is_full(error: DBAPIError) -> bool:
    """Whether the disk of the database has no room left."""
    state, text = getattr(error.orig, "sqlstate", None), str(error.orig)
    return state == _DISK_FULL or (state is None and any(words in text for words in _FULL))


def is_away(error: DBAPIError) -> bool:
    """Whether nothing is wrong with what was asked: the database is busy, full or not there."""
    return is_busy(error) or is_full(error) or error.connection_invalidated


def _unique_fields(error: IntegrityError) -> list[str] | None:
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:  # psycopg
        if diagnosis.sqlstate != _UNIQUE_VIOLATION:
            return None
        found = _POSTGRES_KEY.search(diagnosis.message_detail or "")
    else:
        found = _SQLITE_UNIQUE.search(str(error.orig))
    if found is None:
        return None
    columns = [column.split(".")[-1].strip() for column in found["columns"].split(",")]
    # The parent stands in the path; the caller can only change the rest.
    return [column for column in columns if column not in _PARENTS] or columns


def conflict_of(error: IntegrityError) -> OpenQIError:
    """409 for a broken constraint; a unique one names its fields, never their values."""
    fields = _unique_fields(error)
    if fields is None:
        return Conflict("The change contradicts data that is stored already.")
    faults = [
        FieldError(code=AlreadyExists.code, detail=AlreadyExists.title, pointer=pointer(field))
        for field in fields
    ]
    return AlreadyExists(errors=faults)


def is_busy(error: DBAPIError) -> bool:
    """Whether the same may succeed soon: a lock, a full pool, a database that restarts."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _BUSY_STATES or state.startswith("08")
    text = str(error.orig)
    return error.connection_invalidated or (
        isinstance(error, OperationalError)
        and ("locked" in text or "busy" in text or "connection" in text)
    )
