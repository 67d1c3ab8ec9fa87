"""Stores summaries beside the measures that they are of."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from app.analytics.summaries.models import MeasureSummary
from app.kit.upsert import insert_for


def keep_summaries(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put them in the place of older ones; of two readers, the one that saw more data wins.

    In the order of their keys: two that store the same rows must not wait for each other in a ring.
    """
    table = MeasureSummary.__table__  # type: ignore[attr-defined]
    connection = session.connection()
    statement = insert_for(connection, table)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.measure_id],
        set_={column.name: new[column.name] for column in table.columns if not column.primary_key},
        where=table.c.series_revision <= new.series_revision,
    )
    connection.execute(statement, sorted(rows, key=lambda row: row["measure_id"]))
