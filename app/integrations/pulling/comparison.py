"""Compares a document's data with what is stored, before the transaction that stores it begins.

Reading and comparing 10,000 points takes half a second, and SQLite's one writer must not wait so
long where a single point has changed.
"""

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from app.events.catalogue import Resource
from app.integrations.models import Integration
from app.integrations.pulling.queries import find_received
from app.measures.data_points.batches import BatchMode, BatchOptions
from app.measures.data_points.bulk import read_stored
from app.measures.data_points.planning import plan_batch
from app.measures.data_points.reading import Batch
from app.measures.data_points.schemas import DataPointBase
from app.measures.models import Measure
from app.references.models import ExternalReference
from app.sharing.shared.schemas import SharedMeasure, SharedProject

_ALL_TIME = BatchOptions.model_validate(
    {"mode": BatchMode.REPLACE_RANGE, "from": date.min, "to": date.max}
)


class Points(NamedTuple):
    """The data of a measure.

    series_revision: that of the series here which holds just these; None where it is another one.
    """

    items: list[DataPointBase]
    series_revision: int | None = None


Compared = Mapping[uuid.UUID, Points]  # by the measure's id over there


def batch_of(items: list[DataPointBase]) -> Batch:
    """A batch that leaves these points and no others."""
    return Batch.of(_ALL_TIME, items)


def compare_points(
    session: Session, *, integration_id: uuid.UUID, document: SharedProject
) -> Compared:
    """The data of every measure of the document, and which of them stand here already.

    Whoever stores them looks whether the series still has the revision that it had here.
    Raises `ValidationError` where a point breaks a rule of its type.
    """
    stored = _stored(session, integration_id, document.id)
    return {
        measure.id: _compared(session, measure, stored.get(str(measure.id)))
        for measure in document.measures
    }


def _stored(session: Session, integration_id: uuid.UUID, theirs: uuid.UUID) -> dict[str, Any]:
    received = find_received(session, integration_id=integration_id, source_project_id=theirs)
    if received is None:
        return {}
    columns = (Measure.id, Measure.series_revision, Measure.data_type)
    rows = session.execute(
        sa.select(col(ExternalReference.external_id), *(col(column) for column in columns))
        .join(Measure, col(Measure.id) == col(ExternalReference.resource_id))
        .join(
            Integration,
            sa.and_(
                col(Integration.id) == integration_id,
                col(Integration.system) == col(ExternalReference.system),
            ),
        )
        .where(
            col(ExternalReference.resource_type) == Resource.MEASURE.value,
            col(Measure.project_id) == received.project_id,
        )
    )
    return {row.external_id: row for row in rows}


def _compared(session: Session, measure: SharedMeasure, row: Any) -> Points:
    items = [
        DataPointBase.model_validate(point.model_dump(exclude={"is_suppressed"}))
        for point in measure.data_points
    ]
    if row is None or row.data_type != measure.data_type:
        return Points(items)
    batch = batch_of(items)
    # The revision was read before the points: a write between the two is noticed by it.
    plan = plan_batch(batch, read_stored(session, row.id), row.data_type)
    return Points(items, None if plan or batch.faults else row.series_revision)
