"""Writes of external references. Each is told as an `updated` event of the resource it names."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from app.access.actor import Actor
from app.access.places import get_programme_place
from app.events import outbox
from app.events.catalogue import Verb
from app.kit.errors import (
    AlreadyExists,
    Archived,
    FieldError,
    Invalid,
    NotFound,
    ReferenceNotFound,
    pointer,
)
from app.references import queries
from app.references.models import ExternalReference
from app.references.planning import Owner, Plan, owner_of, plan_references
from app.references.resources import REFERABLE, Found, ReceivedReadOnly, ResourceType
from app.references.schemas import (
    ExternalReferenceBatch,
    ExternalReferenceBatchResult,
    ExternalReferenceCreate,
)

Key = tuple[ResourceType, uuid.UUID]


class ReferencesRefused(Invalid):
    """422: some reference of the batch cannot be kept, so none was; each fault has its place."""

    code = "references_refused"
    title = "Some of the references cannot be kept; none was."


def _find(
    session: Session, actor: Actor, programme_id: uuid.UUID, keys: Sequence[Key]
) -> dict[Key, Found]:
    """Those of the resources that are in the programme and that the actor sees."""
    found: dict[Key, Found] = {}
    for each in dict.fromkeys(resource_type for resource_type, _ in keys):
        kind = REFERABLE[each]
        ids = {resource_id for resource_type, resource_id in keys if resource_type is each}
        for row in kind.find(session, ids).values():
            if row.programme_id == programme_id and actor.span(kind.read).covers(row.place):
                found[each, row.id] = row
    return found


def _check_writable(actor: Actor, key: Key, row: Found) -> None:
    actor.require(REFERABLE[key[0]].write, row.place)
    if row.is_received:
        raise ReceivedReadOnly
    if row.is_frozen:
        raise Archived("The resource, or what it is in, is archived; restore it first.")


def _tell(
    session: Session,
    *,
    actor: Actor,
    row: Found,
    reference: ExternalReference,
    old: str | None,
    new: str | None,
    now: datetime,
) -> None:
    """The event. The ids stay in the house: one may be an address of a person."""
    system = reference.system
    outbox.record(
        session,
        noun=REFERABLE[ResourceType(reference.resource_type)].noun,
        verb=Verb.UPDATED,
        resource_id=row.id,
        revision=row.revision,  # a reference does not move it
        programme_id=row.programme_id,
        origin=actor.origin,
        now=now,
        project_id=row.project_id,
        team_id=row.team_id,
        changes={"external_refs": (old and f"{system}:{old}", new and f"{system}:{new}")},
        data={"changed": "external_refs", "system": system},
    )


def _insert(
    session: Session,
    *,
    actor: Actor,
    found: dict[Key, Found],
    items: Sequence[ExternalReferenceCreate],
    now: datetime,
    before: Mapping[Owner, str],
) -> list[ExternalReference]:
    rows = [
        ExternalReference(
            programme_id=found[item.resource_type, item.resource_id].programme_id,
            created_at=now,
            created_by=actor.user_id,
            **item.model_dump(),
        )
        for item in items
    ]
    session.add_all(rows)
    session.flush()
    for item, row in zip(items, rows, strict=True):
        _tell(
            session,
            actor=actor,
            row=found[item.resource_type, item.resource_id],
            reference=row,
            old=before.get(owner_of(row)),
            new=row.external_id,
            now=now,
        )
    return rows


def create_external_reference(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    data: ExternalReferenceCreate,
    now: datetime,
) -> ExternalReference:
    """A new reference. Where the resource has one of the system, or another has the id: 409."""
    get_programme_place(session, actor=actor, programme_id=programme_id)
    key = (data.resource_type, data.resource_id)
    found = _find(session, actor, programme_id, [key])
    if key not in found:
        raise ReferenceNotFound.in_field("resource_id")
    _check_writable(actor, key, found[key])
    plan = plan_references([data], queries.list_stored(session, programme_id, [data]))
    if not plan.created:
        place = pointer("external_id" if plan.faults else "resource_id")
        fault = FieldError(code=AlreadyExists.code, detail=AlreadyExists.title, pointer=place)
        raise AlreadyExists(errors=[fault])
    return _insert(session, actor=actor, found=found, items=[data], now=now, before={})[0]


def keep_reference(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    resource_type: ResourceType,
    resource_id: uuid.UUID,
    system: str,
    external_id: str,
    now: datetime,
) -> ExternalReference:
    """The same for callers inside the house, who have just created the resource."""
    data = ExternalReferenceCreate(
        system=system, resource_type=resource_type, resource_id=resource_id, external_id=external_id
    )
    return create_external_reference(
        session, actor=actor, programme_id=programme_id, data=data, now=now
    )


def upsert_external_references(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    data: ExternalReferenceBatch,
    now: datetime,
) -> ExternalReferenceBatchResult:
    """All of them or none. A resource's reference of a system is created or replaced."""
    get_programme_place(session, actor=actor, programme_id=programme_id)
    keys = [(item.resource_type, item.resource_id) for item in data.items]
    found = _find(session, actor, programme_id, keys)
    absent = [
        FieldError(
            code=ReferenceNotFound.code,
            detail=ReferenceNotFound.title,
            pointer=pointer("items", position, "resource_id"),
        )
        for position, key in enumerate(keys)
        if key not in found
    ]
    plan = plan_references(data.items, queries.list_stored(session, programme_id, data.items))
    if faults := [*absent, *plan.faults]:
        raise ReferencesRefused(errors=faults)
    for key, row in found.items():
        _check_writable(actor, key, row)
    _write(session, actor=actor, found=found, plan=plan, now=now)
    return ExternalReferenceBatchResult(
        created=len(plan.created), updated=len(plan.replaced), unchanged=plan.unchanged
    )


def _write(
    session: Session, *, actor: Actor, found: dict[Key, Found], plan: Plan, now: datetime
) -> None:
    before = {owner_of(row): row.external_id for row, _ in plan.replaced}
    for row, _ in plan.replaced:
        session.delete(row)
    session.flush()  # two resources may change places: the old names go before the new ones come
    items = [*plan.created, *(item for _, item in plan.replaced)]
    _insert(session, actor=actor, found=found, items=items, now=now, before=before)


def delete_external_reference(
    session: Session, *, actor: Actor, reference_id: uuid.UUID, now: datetime
) -> None:
    """It is gone: what it said stays in the history of its resource. Raises `NotFound`."""
    row = queries.get_external_reference(session, actor=actor, reference_id=reference_id)
    kind = REFERABLE[ResourceType(row.resource_type)]
    resource = kind.find(session, [row.resource_id]).get(row.resource_id)
    if resource is None:
        raise NotFound
    _check_writable(actor, (kind.type, row.resource_id), resource)
    session.delete(row)
    session.flush()
    _tell(
        session,
        actor=actor,
        row=resource,
        reference=row,
        old=row.external_id,
        new=None,
        now=now,
    )
