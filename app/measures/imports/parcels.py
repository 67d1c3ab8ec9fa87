"""A batch of rows by the measures that they are of, and what has become of them."""

import heapq
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.kit.errors import Archived, FieldError
from app.measures.data_points.planning import Key, Plan
from app.measures.data_points.reading import Batch
from app.measures.imports.matching import Misnamed
from app.measures.imports.queries import Known
from app.measures.imports.schemas import (
    FAULTS_AT_MOST,
    ImportCounts,
    ImportResult,
    MeasureCounts,
    ProjectImportResult,
)


@dataclass(slots=True)
class Parcels:
    """`of` each measure its rows of a batch, and `lost` those that are of none."""

    lost: Batch
    of: dict[uuid.UUID, Batch] = field(default_factory=dict)
    known: dict[uuid.UUID, Known] = field(default_factory=dict)

    @property
    def faults(self) -> list[FieldError]:
        """What is wrong with all of its rows."""
        return [fault for batch in (self.lost, *self.of.values()) for fault in batch.faults]

    @property
    def keys(self) -> dict[uuid.UUID, set[Key]]:
        """The periods that it speaks of."""
        return {
            measure_id: {(item.stratum, item.period_start) for item in batch.items if item}
            for measure_id, batch in self.of.items()
        }

    def give_up(self, measure_id: uuid.UUID) -> None:
        """A measure has been archived meanwhile: that is what is wrong with each of its rows."""
        batch = self.of[measure_id]
        for position, item in enumerate(batch.items):
            if item is not None:
                batch.blame(position, code=Archived.code, detail=Archived.title)
                batch.items[position] = None


def share_out(batch: Batch, find: Callable[..., Known | Misnamed]) -> Parcels:
    """The rows of a batch by their measures; `find` says of an item which it is."""
    parcels = Parcels(batch)
    for position, item in enumerate(batch.items):
        if item is None:
            continue
        found = find(item)
        if isinstance(found, Misnamed):
            batch.blame(position, found.column, code=found.code, detail=found.detail)
            batch.items[position] = None
        else:
            parcels.known[found.id] = found
            batch.hand_over(position, parcels.of.setdefault(found.id, Batch(batch.options)))
    return parcels


def first_faults(faults: Iterable[FieldError]) -> list[FieldError]:
    """As many as are told, by their rows."""
    return heapq.nsmallest(FAULTS_AT_MOST, faults, key=lambda fault: fault.row or 0)


def add_up(result: ImportResult, parcels: Parcels, plans: Mapping[uuid.UUID, Plan]) -> None:
    """Count one more batch in the result."""
    result.skipped += len(parcels.lost.blamed)
    for measure_id, plan in plans.items():
        counts = _counts(plan, skipped=len(parcels.of[measure_id].blamed))
        _add(result, counts)
        if isinstance(result, ProjectImportResult):
            _add(_of_measure(result, parcels.known[measure_id]), counts)
    faults = [*result.faults, *(fault.as_dict() for fault in first_faults(parcels.faults))]
    result.faults = heapq.nsmallest(FAULTS_AT_MOST, faults, key=lambda fault: fault.get("row", 0))


def _counts(plan: Plan, *, skipped: int) -> ImportCounts:
    return ImportCounts(
        created=len(plan.created),
        updated=len(plan.updated),
        unchanged=plan.unchanged,
        skipped=skipped,
        excluded=plan.excluded(),
        exclusions_ended=plan.exclusions_ended(),
    )


def _add(to: ImportCounts, more: ImportCounts) -> None:
    for name in ImportCounts.model_fields:
        setattr(to, name, getattr(to, name) + getattr(more, name))


def _of_measure(result: ProjectImportResult, measure: Known) -> MeasureCounts:
    for counts in result.measures:
        if counts.measure_id == measure.id:
            return counts
    result.measures.append(MeasureCounts(measure_id=measure.id, name=measure.name))
    return result.measures[-1]
