"""Reads of annotations."""

import uuid
from typing import Any

from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.kit.filters import archived_filter, one_of
from app.kit.pagination import Page, Pager, order_by
from app.measures.annotations.schemas import AnnotationQuery
from app.measures.models import Annotation
from app.measures.queries import get_measure

_SORTS: dict[str, Any] = {
    "happened_on": Annotation.happened_on,
    "created_at": Annotation.created_at,
}


def get_annotation(session: Session, *, actor: Actor, annotation_id: uuid.UUID) -> Annotation:
    """One annotation. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=Annotation,
        permission=Permission.MEASURE_READ,
        row_id=annotation_id,
    )


def list_annotations(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: AnnotationQuery, pager: Pager
) -> Page[Annotation]:
    """A page of a measure's annotations, the earliest first. Raises `NotFound`."""
    measure = get_measure(session, actor=actor, measure_id=measure_id)
    statement = select_visible(actor, Annotation, Permission.MEASURE_READ).where(
        col(Annotation.measure_id) == measure.id,
        *archived_filter(Annotation, query),
        *one_of(Annotation.kind, query.kind),
    )
    if query.happened_on_from is not None:
        statement = statement.where(col(Annotation.happened_on) >= query.happened_on_from)
    if query.happened_on_to is not None:
        statement = statement.where(col(Annotation.happened_on) <= query.happened_on_to)
    order = order_by(query.sort, _SORTS, default="happened_on", last=Annotation.id)
    return pager.page(session, statement, query=query, order=order)
