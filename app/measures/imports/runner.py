"""Runs an import: looks through the whole file, then writes it a batch at a time."""

import uuid
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from app.kit.db import Database
from app.kit.errors import FieldError, Invalid
from app.measures.data_points import bulk
from app.measures.data_points.batches import BatchMode
from app.measures.data_points.planning import Key, Plan, Stored, plan_batch
from app.measures.data_points.reading import Batch
from app.measures.imports.parcels import Parcels, add_up, first_faults, share_out
from app.measures.imports.rows import File, batches_of
from app.measures.imports.schemas import FAULTS_AT_MOST, ImportParams, ImportResult
from app.measures.imports.targets import Find, OneMeasure, ProjectMeasures, Target
from app.measures.models import Measure
from app.operations.models import Operation
from app.operations.queries import get_input
from app.operations.steps import Chunk, LastStep, Step, Turn, look_up

_LOOKS_UP_EVERY = 10  # batches
_Seen = defaultdict[uuid.UUID, set[Key]]


def run_import(database: Database, operation: Operation) -> Iterator[Chunk]:
    """The chunks of an import, from its checkpoint on.

    The checkpoint holds how many rows are behind it and the result so far; without one, nothing has
    been written yet.
    """
    load = _Load.of(database, operation)
    yield load.open
    if load.looks_through and not operation.checkpoint:
        yield from load.look_through()
    if not load.dry_run:
        yield from load.write()
    yield load.conclude


def _target_of(operation: Operation, params: ImportParams) -> Target:
    if params.measure_id is not None:
        return OneMeasure(params.measure_id)
    assert operation.project_id is not None
    return ProjectMeasures(operation.project_id, params.system)


@dataclass(slots=True)
class _Load:
    """One run of an import, with what is known so far."""

    database: Database
    file: File
    target: Target
    mode: BatchMode
    skips: bool
    dry_run: bool
    done: int
    result: ImportResult
    find: Find = field(init=False)
    seen: _Seen = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, database: Database, operation: Operation) -> "_Load":
        params = ImportParams.model_validate(operation.params)
        with database.reading() as session:
            given = get_input(session, operation_id=operation.id)
        target = _target_of(operation, params)
        return cls(
            database=database,
            file=File(given.media_type, given.content, operation.total or 0),
            target=target,
            mode=BatchMode(params.mode),
            skips=params.on_error == "skip",
            dry_run=params.dry_run,
            done=operation.checkpoint.get("rows", 0),
            result=target.result_type.model_validate(
                operation.checkpoint.get("result", {"dry_run": params.dry_run})
            ),
        )

    @property
    def looks_through(self) -> bool:
        """Whether the whole file is planned before anything is written."""
        return self.dry_run or not self.skips

    def open(self, turn: Turn) -> Step:
        """Nothing is looked through for somebody who may not write it."""
        self.find = self.target.open(turn)
        return Step()

    def conclude(self, turn: Turn) -> LastStep:
        """The end."""
        self.target.writable(turn, ())
        return LastStep(
            done=turn.operation.total,
            result=self.result.model_dump(mode="json"),
            result_url=self.target.result_url,
        )

    def batches(self) -> Iterator[Batch]:
        """The whole file, the same at every run."""
        return batches_of(self.file, self.mode, self.target.form)

    def look_through(self) -> Generator[Chunk, None, None]:
        """Plan every row against what is stored now. Raises `Invalid` with the first faults."""
        result, seen, count = self.result.model_copy(deep=True), _Seen(set), 0
        faults: list[FieldError] = []
        for number, batch in enumerate(self.batches(), start=1):
            parcels = share_out(batch, self.find)
            with self.database.reading() as session:
                stored = bulk.read_stored_at(session, parcels.keys)
            add_up(result, parcels, _plans(parcels, stored, seen))
            faults = first_faults([*faults, *parcels.faults])
            count += len(parcels.faults)
            if number % _LOOKS_UP_EVERY == 0:
                yield look_up
        if count and not self.skips:
            listed = f" The first {FAULTS_AT_MOST} are listed." if count > FAULTS_AT_MOST else ""
            raise Invalid(f"Faults: {count}; nothing was written.{listed}", errors=faults)
        if self.dry_run:
            self.result = result

    def write(self) -> Iterator[Chunk]:
        """A chunk for every batch behind the checkpoint."""
        behind, first = self.done, 0
        for batch in self.batches():
            rows = len(batch.items)
            parcels = share_out(batch, self.find)
            if first >= behind:
                yield partial(self.keep, parcels=parcels, first=first, rows=rows)
            else:
                for measure_id, keys in parcels.keys.items():
                    self.seen[measure_id] |= keys
            first += rows

    def keep(self, turn: Turn, *, parcels: Parcels, first: int, rows: int) -> Step:
        """Write one batch; in the same transaction the checkpoint behind it."""
        measures = self.target.writable(turn, parcels.of)
        bulk.lock_series(turn.session, list(measures))
        for measure_id in parcels.of.keys() - measures.keys():
            parcels.give_up(measure_id)
        plans = _plans(parcels, bulk.read_stored_at(turn.session, parcels.keys), self.seen)
        if parcels.faults and not self.skips:
            self._refuse(parcels, first)
        for measure_id, plan in plans.items():
            if plan:
                self._write(turn, measures[measure_id], plan)
        add_up(self.result, parcels, plans)
        self.done = first + rows
        checkpoint = {"rows": self.done, "result": self.result.model_dump(mode="json")}
        return Step(done=self.done, checkpoint=checkpoint)

    def _write(self, turn: Turn, measure: Measure, plan: Plan) -> None:
        bulk.write_plan(
            turn.session,
            actor=turn.actor,
            measure=measure,
            plan=plan,
            mode=self.mode,
            now=turn.now,
        )

    def _refuse(self, parcels: Parcels, first: int) -> None:
        """What was right when it was looked through is so no more: somebody else has written."""
        faults = parcels.faults
        raise Invalid(
            f"Faults: {len(faults)}; the {first} rows before them are written.",
            errors=first_faults(faults),
        )


def _plans(
    parcels: Parcels, stored: Mapping[uuid.UUID, list[Stored]], seen: _Seen
) -> dict[uuid.UUID, Plan]:
    """What to write of each measure; what is wrong with a row is added to its faults."""
    return {
        measure_id: plan_batch(
            batch,
            stored.get(measure_id, ()),
            parcels.known[measure_id].data_type,
            seen=seen[measure_id],
        )
        for measure_id, batch in parcels.of.items()
    }
