"""Writes of annotations. Each is printed on the chart, so each moves the series."""

import uuid
from datetime import datetime

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.measures.actions import get_writable, touch_series
from app.measures.annotations import queries
from app.measures.annotations.schemas import AnnotationBase, AnnotationCreate, AnnotationPatch
from app.measures.models import Annotation, Measure
from app.measures.references import CYCLES_FIELD, check_cycles

_NOUN = Resource.ANNOTATION


def _writable(session: Session, *, actor: Actor, measure_id: uuid.UUID) -> Measure:
    """Whoever records data may say what happened meanwhile."""
    return get_writable(
        session, actor=actor, measure_id=measure_id, permission=Permission.DATA_POINT_RECORD
    )


def create_annotation(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, data: AnnotationCreate, now: datetime
) -> Annotation:
    """A mark on the chart."""
    measure = _writable(session, actor=actor, measure_id=measure_id)
    values = column_values(data)
    cycles = values[CYCLES_FIELD]
    check_cycles(session, actor=actor, project_id=measure.project_id, cycle_ids=cycles)
    row = Annotation(
        programme_id=measure.programme_id,
        project_id=measure.project_id,
        measure_id=measure.id,
        **values,
    )
    about = {"measure_id": measure.id}
    records.keep_new(session, actor=actor, noun=_NOUN, row=row, now=now, data=about)
    touch_series(session, measure, now=now)
    return row


def _found(
    session: Session, *, actor: Actor, annotation_id: uuid.UUID
) -> tuple[Annotation, Measure]:
    row = queries.get_annotation(session, actor=actor, annotation_id=annotation_id)
    return row, _writable(session, actor=actor, measure_id=row.measure_id)


def update_annotation(
    session: Session,
    *,
    actor: Actor,
    annotation_id: uuid.UUID,
    patch: AnnotationPatch,
    condition: Precondition,
    now: datetime,
) -> Annotation:
    """Merge the patch."""
    row, measure = _found(session, actor=actor, annotation_id=annotation_id)
    condition.check(row.revision)
    refuse_archived(row)
    values = patched_values(AnnotationBase, row, patch)
    check_cycles(
        session,
        actor=actor,
        project_id=row.project_id,
        cycle_ids=values[CYCLES_FIELD],
        known=row.pdsa_cycle_ids,
    )
    before, about = row.revision, {"measure_id": measure.id}
    records.keep_changes(
        session, actor=actor, noun=_NOUN, row=row, values=values, now=now, data=about
    )
    if row.revision != before:
        touch_series(session, measure, now=now)
    return row


def archive_annotation(
    session: Session,
    *,
    actor: Actor,
    annotation_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Take it off the chart; what it explained is unexplained again."""
    row, measure = _found(session, actor=actor, annotation_id=annotation_id)
    condition.check(row.revision, required=False)
    if row.archived_at is None:
        records.archive(session, actor=actor, noun=_NOUN, row=row, now=now)
        touch_series(session, measure, now=now)


def restore_annotation(
    session: Session, *, actor: Actor, annotation_id: uuid.UUID, now: datetime
) -> Annotation:
    """Put it back on the chart."""
    row, measure = _found(session, actor=actor, annotation_id=annotation_id)
    if row.archived_at is not None:
        records.restore(session, actor=actor, noun=_NOUN, row=row, now=now)
        touch_series(session, measure, now=now)
    return row
