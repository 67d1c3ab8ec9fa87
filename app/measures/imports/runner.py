"""Runs an import: looks through the whole file, then writes it a batch at a time."""

import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial

from app.access.permissions import Permission
from app.events.catalogue import Resource, address_of
from app.kit.db import Database
from app.kit.errors import FieldError, Invalid, NotFound
from app.measures.actions import get_writable
from app.measures.data_points import bulk
from app.measures.data_points.batches import BatchMode
from app.measures.data_points.planning import Key, Plan, plan_batch
from app.measures.data_points.reading import Batch
from app.measures.imports.rows import File, add_up, batches_of, faults_of, keys_of
from app.measures.imports.schemas import FAULTS_AT_MOST, ImportParams, ImportResult
from app.measures.models import DataType, Measure
from app.operations.holding import PermissionEnded
from app.operations.models import Operation
from app.operations.queries import get_input
from app.operations.steps import Chunk, LastStep, Step, Turn, look_up

_LOOKS_UP_EVERY = 10  # batches


def run_import(database: Database, operation: Operation) -> Iterator[Chunk]:
    """The chunks of an import, from its checkpoint on.

    The checkpoint holds how many rows are behind it and the result so far; without one, nothing has
    been written yet.
    """
    load = _Load.of(database, operation)
    yield load.check_permission
    if load.looks_through and not operation.checkpoint:
        yield from load.look_through()
    if not load.dry_run:
        yield from load.write()
    yield load.conclude


def _measure_of(turn: Turn, measure_id: uuid.UUID) -> Measure:
    try:
        return get_writable(
            turn.session,
            actor=turn.actor,
            measure_id=measure_id,
            permission=Permission.DATA_POINT_RECORD,
        )
    except NotFound as fault:  # nothing is ever deleted: it is out of sight
        raise PermissionEnded from fault


@dataclass(slots=True)
class _Load:
    """One run of an import, with what is known so far."""

    database: Database
    file: File
    measure_id: uuid.UUID
    data_type: DataType
    mode: BatchMode
    skips: bool
    dry_run: bool
    done: int
    result: ImportResult
    seen: set[Key] = field(default_factory=set)

    @classmethod
    def of(cls, database: Database, operation: Operation) -> "_Load":
        params = ImportParams.model_validate(operation.params)
        with database.reading() as session:
            given = get_input(session, operation_id=operation.id)
            data_type = session.get_one(Measure, params.measure_id).data_type
        return cls(
            database=database,
            file=File(given.media_type, given.content, operation.total or 0),
            measure_id=params.measure_id,
            data_type=data_type,
            mode=BatchMode(params.mode),
            skips=params.on_error == "skip",
            dry_run=params.dry_run,
            done=operation.checkpoint.get("rows", 0),
            result=ImportResult.model_validate(
                operation.checkpoint.get("result", {"dry_run": params.dry_run})
            ),
        )

    @property
    def looks_through(self) -> bool:
        """Whether the whole file is planned before anything is written."""
        return self.dry_run or not self.skips

    def check_permission(self, turn: Turn) -> Step:
        """Nothing is looked through for somebody who may not write it."""
        _measure_of(turn, self.measure_id)
        return Step()

    def conclude(self, turn: Turn) -> LastStep:
        """The end."""
        measure = _measure_of(turn, self.measure_id)
        return LastStep(
            done=turn.operation.total,
            result=self.result.model_dump(),
            result_url=f"{address_of(Resource.MEASURE, measure.id)}/data-points",
        )

    def look_through(self) -> Generator[Chunk, None, None]:
        """Plan every row against what is stored now. Raises `Invalid` with the first faults."""
        result, seen, count = self.result, set[Key](), 0
        faults: list[FieldError] = []
        for number, batch in enumerate(batches_of(self.file, self.mode), start=1):
            with self.database.reading() as session:
                stored = bulk.read_stored_at(session, self.measure_id, keys_of(batch))
            plan = plan_batch(batch, stored, self.data_type, seen=seen)
            result = add_up(result, batch, plan)
            faults += faults_of(batch)[: FAULTS_AT_MOST - len(faults)]
            count += len(batch.faults)
            if number % _LOOKS_UP_EVERY == 0:
                yield look_up
        if count and not self.skips:
            listed = f" The first {FAULTS_AT_MOST} are listed." if count > FAULTS_AT_MOST else ""
            raise Invalid(f"{count} faults; nothing was written.{listed}", errors=faults)
        if self.dry_run:
            self.result = result

    def write(self) -> Iterator[Chunk]:
        """A chunk for every batch behind the checkpoint."""
        behind = self.done
        for batch in batches_of(self.file, self.mode):
            if batch.first >= behind:
                yield partial(self.keep, batch=batch)
            else:
                self.seen |= keys_of(batch)

    def keep(self, turn: Turn, *, batch: Batch) -> Step:
        """Write one batch; in the same transaction the checkpoint behind it."""
        measure = _measure_of(turn, self.measure_id)
        bulk.lock_series(turn.session, measure)
        stored = bulk.read_stored_at(turn.session, measure.id, keys_of(batch))
        plan = plan_batch(batch, stored, measure.data_type, seen=self.seen)
        if batch.faults and not self.skips:
            self._refuse(batch)
        self._write(turn, measure, plan)
        self.result = add_up(self.result, batch, plan)
        self.done = batch.first + len(batch.items)
        checkpoint = {"rows": self.done, "result": self.result.model_dump()}
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

    def _refuse(self, batch: Batch) -> None:
        """What was right when it was looked through is so no more: somebody else has written."""
        raise Invalid(
            f"{len(batch.faults)} faults; the {batch.first} rows before them are written.",
            errors=faults_of(batch),
        )
