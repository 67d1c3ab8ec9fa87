"""The rows of a file to import, and what each has come to, a batch at a time."""

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from app.kit.errors import FieldError, Invalid
from app.measures.data_points.batches import BatchMode, BatchOptions
from app.measures.data_points.planning import Key, Plan
from app.measures.data_points.reading import Batch, TooManyRows, rows_of, text_of
from app.measures.imports.schemas import FAULTS_AT_MOST, MAX_ROWS, ImportResult

# On SQLite nobody else writes meanwhile: five hundred rows hold the lock for 20 to 40 ms.
BATCH_ROWS = 500
_LEVEL = 1  # a tenth of the size in a tenth of the time of the best level


class File(NamedTuple):
    """A file that is text with a header and so many rows; `content` is compressed."""

    media_type: str
    content: bytes
    rows: int


def read_file(media_type: str, content: bytes) -> File:
    """Look whether there are rows to import. Raises `UnreadableFile` or `Invalid` where not."""
    rows = 0
    for _ in rows_of(media_type, text_of(content)):
        rows += 1
        if rows > MAX_ROWS:
            raise TooManyRows(f"Send at most {MAX_ROWS} rows; make several imports of them.")
    if not rows:
        fault = FieldError(code="no_rows", detail="There is no row to import.", row=1)
        raise Invalid("The file is empty.", errors=[fault])
    return File(media_type, zlib.compress(content, _LEVEL), rows)


def batches_of(file: File, mode: BatchMode) -> Iterator[Batch]:
    """The file a batch at a time, each row parsed; what is wrong with it is among the faults."""
    rows = rows_of(file.media_type, text_of(zlib.decompress(file.content)))
    first = 0
    while some := list(islice(rows, BATCH_ROWS)):
        batch = Batch(BatchOptions(mode=mode), first=first)
        for row in some:
            batch.take(row)
        yield batch
        first += len(some)


def keys_of(batch: Batch) -> set[Key]:
    """The periods that a batch speaks of."""
    return {(item.stratum, item.period_start) for item in batch.items if item is not None}


def faults_of(batch: Batch) -> list[FieldError]:
    """What is wrong with its rows, in their order."""
    return sorted(batch.faults, key=lambda fault: fault.row or 0)


def add_up(so_far: ImportResult, batch: Batch, plan: Plan) -> ImportResult:
    """The result with one more batch in it."""
    room = FAULTS_AT_MOST - len(so_far.faults)
    return ImportResult(
        created=so_far.created + len(plan.created),
        updated=so_far.updated + len(plan.updated),
        unchanged=so_far.unchanged + plan.unchanged,
        skipped=so_far.skipped + len(batch.blamed),
        excluded=so_far.excluded + plan.excluded(),
        exclusions_ended=so_far.exclusions_ended + plan.exclusions_ended(),
        dry_run=so_far.dry_run,
        faults=[*so_far.faults, *(fault.as_dict() for fault in faults_of(batch)[:room])],
    )
