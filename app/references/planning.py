"""Compares the references of a batch with those that are stored: what to add, what to replace."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.kit.errors import AlreadyExists, FieldError, pointer
from app.references.models import ExternalReference
from app.references.schemas import ExternalReferenceCreate

Owner = tuple[str, uuid.UUID, str]  # type, resource, system: a resource has one name in a system
Name = tuple[str, str, str]  # type, system, id: which names one resource


@dataclass(slots=True)
class Plan:
    """What a batch would write; `replaced` pairs a stored row with what takes its place."""

    created: list[ExternalReferenceCreate] = field(default_factory=list)
    replaced: list[tuple[ExternalReference, ExternalReferenceCreate]] = field(default_factory=list)
    unchanged: int = 0
    faults: list[FieldError] = field(default_factory=list)

    def _blame(self, position: int, name: str, code: str, detail: str) -> None:
        place = pointer("items", position, name)
        self.faults.append(FieldError(code=code, detail=detail, pointer=place))


def owner_of(item: ExternalReferenceCreate | ExternalReference) -> Owner:
    """The resource with the system: the key of an upsert."""
    return (str(item.resource_type), item.resource_id, item.system)


def _name_of(item: ExternalReferenceCreate | ExternalReference) -> Name:
    return (str(item.resource_type), item.system, item.external_id)


def plan_references(
    items: Sequence[ExternalReferenceCreate], stored: Iterable[ExternalReference]
) -> Plan:
    """The plan; `stored` holds at least those with a resource or a name of the batch."""
    rows = list(stored)
    by_owner = {owner_of(row): row for row in rows}
    holders = {_name_of(row): owner_of(row) for row in rows}
    restated = {owner_of(item) for item in items}
    plan, owners, names = Plan(), set[Owner](), set[Name]()
    for position, item in enumerate(items):
        owner, name = owner_of(item), _name_of(item)
        if owner in owners:
            plan._blame(position, "resource_id", "duplicate_row", "This stands in an earlier item.")
        elif name in names:
            plan._blame(position, "external_id", "duplicate_row", "This stands in an earlier item.")
        elif holders.get(name, owner) not in restated:
            plan._blame(
                position, "external_id", AlreadyExists.code, "The id names another resource."
            )
        else:
            _add(plan, item, by_owner.get(owner))
        owners.add(owner)
        names.add(name)
    return plan


def _add(plan: Plan, item: ExternalReferenceCreate, row: ExternalReference | None) -> None:
    if row is None:
        plan.created.append(item)
    elif row.external_id != item.external_id:
        plan.replaced.append((row, item))
    else:
        plan.unchanged += 1
