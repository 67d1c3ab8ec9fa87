"""Reads a batch from JSON, CSV or JSON Lines, collecting every fault with its place."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.kit.errors import BadRequest, FieldError, Invalid, field_error, pointer
from app.kit.negotiation import CSV, JSON, JSON_LINES
from app.measures.data_points.batches import (
    MAX_ROWS,
    BatchOptions,
    DataPointBatch,
    UncheckedBatch,
)
from app.measures.data_points.cells import read_cells
from app.measures.data_points.schemas import DataPointBase

_ITEM = TypeAdapter(DataPointBase)
_COLUMNS = frozenset(DataPointBase.model_fields)


class TooManyRows(Invalid):
    """422: one transaction takes so many rows; a larger load is several of them."""

    code = "too_many_rows"
    title = f"Send at most {MAX_ROWS} rows at once; split the load."


class UnreadableFile(BadRequest):
    """400: the bytes are not UTF-8 text, so no row of them can be named."""

    code = "unreadable_file"
    title = "The file is not text in UTF-8."


@dataclass(slots=True)
class Batch:
    """The items of a batch in order, None for those that could not be read, and the faults."""

    options: BatchOptions
    items: list[DataPointBase | None] = field(default_factory=list)
    rows: list[int | None] = field(default_factory=list)  # the line of each item, for files
    faults: list[FieldError] = field(default_factory=list)

    @classmethod
    def of(cls, data: DataPointBatch) -> "Batch":
        """A batch that is checked already, for callers inside the house."""
        return cls(data, [*data.items], [None] * len(data.items))

    def add(self, row: int | None = None) -> int:
        """Make room for one more item; its position."""
        if len(self.items) == MAX_ROWS:
            raise TooManyRows
        self.items.append(None)
        self.rows.append(row)
        return len(self.items) - 1

    def read(self, parse: Callable[[Any], DataPointBase], given: Any, *, row: int | None) -> None:
        """Take one more item, or note what is wrong with it."""
        position = self.add(row)
        try:
            self.items[position] = parse(given)
        except ValidationError as fault:
            for detail in fault.errors():
                self.blame(position, *detail["loc"], code=detail["type"], detail=detail["msg"])

    def blame(self, item: int, *steps: str | int, code: str, detail: str) -> None:
        """Note a fault of an item, with its line and column where it came from a file."""
        row = self.rows[item]
        column = str(steps[0]) if row is not None and steps else None
        self.faults.append(
            FieldError(
                code=code,
                detail=detail,
                pointer=pointer("items", item, *steps),
                row=row,
                column=column,
            )
        )


def read_batch(media_type: str, content: bytes, options: BatchOptions) -> Batch:
    """The batch of a body. Raises `BadRequest` or `Invalid` where no rows can be told apart."""
    if media_type == JSON:
        return _read_json(content, options)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        problem = FieldError(code=UnreadableFile.code, detail=UnreadableFile.title, row=line)
        raise UnreadableFile(f"Line {line} is not UTF-8.", errors=[problem]) from fault
    batch = Batch(options)
    {CSV: _read_csv, JSON_LINES: _read_json_lines}[media_type](text, batch)
    return batch


def _read_json(content: bytes, options: BatchOptions) -> Batch:
    if options.model_fields_set:
        detail = "Of JSON, mode and dry_run, from and to stand in the body."
        names = sorted(options.model_dump(by_alias=True, exclude_unset=True))
        raise Invalid(
            detail,
            errors=[FieldError(code="in_body", detail=detail, parameter=name) for name in names],
        )
    try:
        unchecked = UncheckedBatch.model_validate_json(content)
    except ValidationError as fault:
        raise _refused(fault) from fault
    batch = Batch(unchecked)
    for item in unchecked.items:
        batch.read(_ITEM.validate_python, item, row=None)
    return batch


def _refused(fault: ValidationError) -> BadRequest | Invalid:
    faults = fault.errors()
    if faults[0]["type"] == "json_invalid":
        return BadRequest(f"The body is not JSON: {faults[0]['ctx']['error']}.")
    if any(item["type"] == "too_long" for item in faults):
        return TooManyRows()
    return Invalid(errors=[field_error(item, prefix=("body",)) for item in faults])


def _read_json_lines(text: str, batch: Batch) -> None:
    for row, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            batch.read(_ITEM.validate_json, line, row=row)


def _read_csv(text: str, batch: Batch) -> None:
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = _lines(reader)
    try:
        header = _header(next(lines, (1, []))[1])
        for row, cells in lines:
            if any(cells):
                _read_row(batch, row, header, cells)
    except csv.Error as fault:  # a quote out of place: where the next row starts is unknown
        batch.faults.append(
            FieldError(code="malformed_csv", detail=f"{fault}.", row=max(reader.line_num, 1))
        )


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it starts on: a quoted cell may hold line breaks."""
    start = 1
    for cells in reader:
        yield start, cells
        start = reader.line_num + 1


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    faults = [_header_fault(name, "unknown_column") for name in names if name not in _COLUMNS]
    faults += [
        _header_fault(name, "duplicate_column")
        for name in sorted(_COLUMNS)
        if names.count(name) > 1
    ]
    if "period_start" not in names:
        faults.append(_header_fault("period_start", "missing_column"))
    if faults:
        raise Invalid(f"The columns are {', '.join(sorted(_COLUMNS))}.", errors=faults)
    return names


def _header_fault(name: str, code: str) -> FieldError:
    detail = f"The header has this problem: {code.replace('_', ' ')}."
    return FieldError(code=code, detail=detail, row=1, column=name[:100])


def _read_row(batch: Batch, row: int, header: list[str], cells: list[str]) -> None:
    if len(cells) == len(header):
        named = read_cells(dict(zip(header, cells, strict=True)))
        batch.read(_ITEM.validate_python, named, row=row)
    else:
        detail = f"There are {len(cells)} cells under {len(header)} headers."
        batch.blame(batch.add(row), code="wrong_number_of_cells", detail=detail)
