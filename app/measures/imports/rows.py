"""The rows of a file to import, a batch at a time, those of a measure together."""

import zlib
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from pydantic_core import from_json

from app.kit.errors import FieldError, Invalid
from app.measures.data_points.batches import BatchMode, BatchOptions
from app.measures.data_points.reading import (
    POINTS,
    Batch,
    FileRow,
    RowForm,
    TooManyRows,
    rows_of,
    text_of,
)
from app.measures.imports.matching import SYSTEM_MISSING
from app.measures.imports.schemas import MAX_ROWS, WAYS, NamedDataPoint

# On SQLite nobody else writes meanwhile: five hundred rows hold the lock for 20 to 40 ms, and each
# measure among them for 2 or 3 ms more: some statements, and an event.
BATCH_ROWS = 500
BATCH_NAMES = 10
# So many rows are put in the order of their measures: a file in the order of its months would else
# give every batch all measures, each with an event.
WINDOW_ROWS = 20_000
_LEVEL = 1  # a tenth of the size in a tenth of the time of the best level

_Name = tuple[str, ...]
_Numbered = tuple[int, FileRow]


def named_points(*, has_system: bool) -> RowForm:
    """The form of rows that name their measures."""
    refused = {} if has_system else {"external_id": SYSTEM_MISSING}
    return RowForm.of(NamedDataPoint, one_of=WAYS, refused=refused)


class File(NamedTuple):
    """A file that is text with a header and so many rows; `content` is compressed."""

    media_type: str
    content: bytes
    rows: int


def read_file(media_type: str, content: bytes, form: RowForm = POINTS) -> File:
    """Look whether there are rows to import. Raises `UnreadableFile` or `Invalid` where not."""
    rows = 0
    for _ in rows_of(media_type, text_of(content), form):
        rows += 1
        if rows > MAX_ROWS:
            raise TooManyRows(f"Send at most {MAX_ROWS} rows; make several imports of them.")
    if not rows:
        fault = FieldError(code="no_rows", detail="There is no row to import.", row=1)
        raise Invalid("The file is empty.", errors=[fault])
    return File(media_type, zlib.compress(content, _LEVEL), rows)


def batches_of(file: File, mode: BatchMode, form: RowForm = POINTS) -> Iterator[Batch]:
    """The file a batch at a time, each row parsed; what is wrong with it is among the faults.

    Which rows come in which batch depends on the file alone, so that a later run can go on behind
    those that are written, whatever has become of the measures.
    """
    rows = rows_of(file.media_type, text_of(zlib.decompress(file.content)), form)
    batch, names = Batch(BatchOptions(mode=mode)), set[_Name]()
    for name, (number, row) in _in_order(rows) if form.one_of else _as_they_are(rows):
        is_full = len(names) == BATCH_NAMES and name not in names
        if is_full or len(batch.items) == BATCH_ROWS:
            yield batch
            batch, names = Batch(BatchOptions(mode=mode)), set()
        names.add(name)
        batch.take(row, number)
    yield batch


def _as_they_are(rows: Iterator[FileRow]) -> Iterator[tuple[_Name, _Numbered]]:
    return (((), numbered) for numbered in enumerate(rows))


def _in_order(rows: Iterator[FileRow]) -> Iterator[tuple[_Name, _Numbered]]:
    """Rows that name the same measure follow each other, as far as the window goes."""
    numbered = enumerate(rows)
    while window := list(islice(numbered, WINDOW_ROWS)):
        groups: dict[_Name, list[_Numbered]] = defaultdict(list)
        for number, row in window:
            groups[_name_of(row)].append((number, row))
        for name, some in groups.items():
            yield from ((name, each) for each in some)


def _name_of(row: FileRow) -> _Name:
    """What a row says of its measure, right or wrong: it says only which rows go together."""
    given = row.given
    if isinstance(given, str):
        try:
            given = from_json(given)
        except ValueError:
            given = None
    if not isinstance(given, dict):
        return ()
    told = (given.get(way) for way in WAYS)
    return tuple(text.strip().casefold() if isinstance(text, str) else "" for text in told)
