"""Compares a batch with what is stored and says what to create, change and archive."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.measures.data_points import shape
from app.measures.data_points.batches import BatchMode
from app.measures.data_points.reading import Batch
from app.measures.data_points.schemas import DataPointBase
from app.measures.models import RATIO_TYPES, DataType

# What a batch can state of a point besides its key.
FIELDS = (
    "period_end",
    "value",
    "numerator",
    "denominator",
    "status",
    "excluded",
    "excluded_reason",
    "note",
)
_NEW = {name: DataPointBase.model_fields[name].default for name in FIELDS}

Key = tuple[str, date]
Stored = Mapping[str, Any]  # the columns of a live point


@dataclass(frozen=True, slots=True)
class Update:
    """A stored point, what it becomes, and the fields that differ."""

    before: Stored
    after: dict[str, Any]
    changed: tuple[str, ...]


def _turns(update: Update, *, to: bool) -> bool:
    return update.before["excluded"] is not to and update.after["excluded"] is to


@dataclass(slots=True)
class Plan:
    """What a batch would write."""

    created: list[dict[str, Any]] = field(default_factory=list)
    updated: list[Update] = field(default_factory=list)
    archived: list[Stored] = field(default_factory=list)
    unchanged: int = 0

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.archived)

    def days(self) -> list[date]:
        """The periods that it touches."""
        updated = [update.before for update in self.updated]
        return [row["period_start"] for row in (*self.created, *updated, *self.archived)]

    def excluded(self) -> int:
        """How many points it newly excludes."""
        updated = sum(_turns(update, to=True) for update in self.updated)
        return updated + sum(bool(row["excluded"]) for row in self.created)

    def exclusions_ended(self) -> int:
        """How many excluded points it includes again or takes out."""
        updated = sum(_turns(update, to=False) for update in self.updated)
        return updated + sum(bool(row["excluded"]) for row in self.archived)

    def archived_ids(self) -> list[uuid.UUID]:
        """The points that it takes out."""
        return [row["id"] for row in self.archived]


def plan_batch(
    batch: Batch, stored: Iterable[Stored], data_type: DataType, *, seen: set[Key] | None = None
) -> Plan:
    """The plan; what is wrong with an item is added to the faults of the batch and left out.

    seen: the periods of the batches before, where several make one file; those of this one are
    added.
    """
    live = {(row["stratum"], row["period_start"]): row for row in stored}
    plan, seen = Plan(), set[Key]() if seen is None else seen
    for position, item in enumerate(batch.items):
        if item is not None:
            key = (item.stratum, item.period_start)
            _check_key(batch, position, item, is_new=key not in live, is_repeated=key in seen)
            seen.add(key)
            _plan_item(batch, plan, position, item, live.get(key), data_type)
    plan.archived += [
        row
        for key, row in live.items()
        if key not in seen and batch.options.covers(row["period_start"])
    ]
    return plan


def _check_key(
    batch: Batch, position: int, item: DataPointBase, *, is_new: bool, is_repeated: bool
) -> None:
    options = batch.options
    if is_repeated:
        detail = "This period of this stratum stands in an earlier row."
        batch.blame(position, "period_start", code="duplicate_row", detail=detail)
    elif options.mode is BatchMode.INSERT and not is_new:
        detail = "This period is recorded already; the mode upsert would change it."
        batch.blame(position, "period_start", code="already_exists", detail=detail)
    elif options.mode is BatchMode.REPLACE_RANGE and not options.covers(item.period_start):
        detail = "This period lies outside the range to replace."
        batch.blame(position, "period_start", code="outside_range", detail=detail)


def _plan_item(
    batch: Batch,
    plan: Plan,
    position: int,
    item: DataPointBase,
    before: Stored | None,
    data_type: DataType,
) -> None:
    stated = {name: getattr(item, name) for name in FIELDS if name in item.model_fields_set}
    values = {name: (before or _NEW)[name] for name in FIELDS}
    if data_type in RATIO_TYPES:
        values["value"] = None  # that of the parts before the batch
    values |= stated | {"stratum": item.stratum, "period_start": item.period_start}
    faults = shape.faults_of(data_type, values)
    for fault in faults:
        batch.blame(position, fault.field, code=fault.code, detail=fault.detail)
    if position in batch.blamed:
        return
    after = shape.stored(data_type, values)
    if before is None:
        plan.created.append(after)
        return
    changed = tuple(name for name in FIELDS if before[name] != after[name])
    if changed:
        plan.updated.append(Update(before, after, changed))
    else:
        plan.unchanged += 1
