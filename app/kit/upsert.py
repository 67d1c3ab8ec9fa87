"""INSERT ... ON CONFLICT in the dialect at hand; SQLite and PostgreSQL spell it alike."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(bind: sa.Engine | sa.Connection, table: Any) -> Any:
    """An INSERT that has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if bind.dialect.name == "sqlite" else postgresql.insert(table)
