"""The WHERE clauses that lists share."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import sqlalchemy as sa
from sqlmodel import Session, col

Clauses = list[sa.ColumnElement[bool]]


class ArchiveFilter(Protocol):
    """The parameters of a list whose rows can be archived."""

    archived: Literal["false", "true", "any"]
    updated_since: datetime | None


def archived_filter(entity: Any, query: ArchiveFilter) -> Clauses:
    """Hides archived rows unless asked for; `updated_since` narrows."""
    clauses: Clauses = []
    if query.archived != "any":
        mark = col(entity.archived_at)
        clauses.append(mark.is_(None) if query.archived == "false" else mark.is_not(None))
    if query.updated_since is not None:
        clauses.append(col(entity.updated_at) >= query.updated_since)
    return clauses


def text_contains(column: Any, text: str | None) -> Clauses:
    """Case-insensitive; `%` and `_` stand for themselves. SQLite folds ASCII letters only."""
    return [] if text is None else [col(column).icontains(text, autoescape=True)]


def one_of(column: Any, values: Sequence[Any]) -> Clauses:
    """Any of the values; without values, all rows."""
    return [col(column).in_(values)] if values else []


def holds_any(session: Session, column: Any, values: Sequence[str]) -> Clauses:
    """A JSON list of texts that has any of the values; without values, all rows."""
    if not values:
        return []
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    unfold = sa.func.json_each if is_sqlite else sa.func.json_array_elements_text
    elements = unfold(col(column)).table_valued("value", name="element")
    return [sa.exists().where(elements.c.value.in_(values))]
