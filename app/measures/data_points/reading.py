"""Reads a batch from JSON, CSV or JSON Lines, collecting every fault with its place."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from app.kit.errors import BadRequest, FieldError, Invalid, field_error, pointer
from app.kit.negotiation import CSV, JSON, JSON_LINES
from app.measures.data_points.batches import (
    MAX_ROWS,
    BatchOptions,
    UncheckedBatch,
)
from app.measures.data_points.cells import read_cells
from app.measures.data_points.schemas import DataPointBase

_AT_MOST = f"Send at most {MAX_ROWS} rows at once; an import takes more."


class TooManyRows(Invalid):
    """422: one transaction takes so many rows; a larger load is an import, which takes several."""

    code = "too_many_rows"
    title = "These are more rows than this route takes at once; split the load."


class UnreadableFile(BadRequest):
    """400: the bytes are not UTF-8 text, so no row of them can be named."""

    code = "unreadable_file"
    title = "The file is not text in UTF-8."


class BrokenRow(Invalid):
    """422: a quote out of place; where the next row starts is unknown."""


@dataclass(frozen=True, slots=True)
class RowForm:
    """What the rows of a file state.

    one_of: columns of which a header needs one. refused: what is wrong with a column, by its name.
    """

    item: TypeAdapter[Any]
    columns: frozenset[str]
    one_of: tuple[str, ...] = ()
    refused: Mapping[str, FieldError] = field(default_factory=dict)

    @classmethod
    def of(cls, model: type[DataPointBase], **over: Any) -> "RowForm":
        """The form of rows that are such points."""
        return cls(TypeAdapter(model), frozenset(model.model_fields), **over)

    def parse_cells(self, cells: dict[str, str]) -> DataPointBase:
        """The item of a row of a CSV file. Raises `ValidationError`."""
        item: DataPointBase = self.item.validate_python(read_cells(cells))
        return item

    def parse_line(self, line: str) -> DataPointBase:
        """The item of a line of JSON. Raises `ValidationError`."""
        item: DataPointBase = self.item.validate_json(line)
        return item


POINTS = RowForm.of(DataPointBase)


class FileRow(NamedTuple):
    """A row of a file: the line that it starts on, and what stands there (or why it is none)."""

    line: int
    given: Any
    parse: Callable[[Any], DataPointBase]
    misfit: str | None = None


@dataclass(slots=True)
class Batch:
    """The items of a batch in order, None for those that could not be read, and the faults.

    A batch that is a part of a file says of each item which of all it is: its number.
    """

    options: BatchOptions
    items: list[DataPointBase | None] = field(default_factory=list)
    rows: list[int | None] = field(default_factory=list)  # the line of each item, for files
    faults: list[FieldError] = field(default_factory=list)
    blamed: set[int] = field(default_factory=set)  # the items that have faults
    numbers: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, options: BatchOptions, items: Sequence[DataPointBase]) -> "Batch":
        """A batch that is checked already, for callers inside the house."""
        count = len(items)
        return cls(options, [*items], [None] * count, numbers=[*range(count)])

    def add(self, row: int | None = None, number: int | None = None) -> int:
        """Make room for one more item; its position."""
        if len(self.items) == MAX_ROWS:
            raise TooManyRows(_AT_MOST)
        position = len(self.items)
        self.items.append(None)
        self.rows.append(row)
        self.numbers.append(position if number is None else number)
        return position

    def read(
        self,
        parse: Callable[[Any], DataPointBase],
        given: Any,
        *,
        row: int | None,
        number: int | None = None,
    ) -> None:
        """Take one more item, or note what is wrong with it."""
        position = self.add(row, number)
        try:
            self.items[position] = parse(given)
        except ValidationError as fault:
            for detail in fault.errors():
                self.blame(position, *detail["loc"], code=detail["type"], detail=detail["msg"])

    def take(self, row: FileRow, number: int | None = None) -> None:
        """Take one more row of a file."""
        if row.misfit is None:
            self.read(row.parse, row.given, row=row.line, number=number)
        else:
            position = self.add(row.line, number)
            self.blame(position, code="wrong_number_of_cells", detail=row.misfit)

    def hand_over(self, item: int, to: "Batch") -> None:
        """Give an item to another batch, with its place; what is wrong with it is told there."""
        to.items[to.add(self.rows[item], self.numbers[item])] = self.items[item]
        self.items[item] = None

    def blame(self, item: int, *steps: str | int, code: str, detail: str) -> None:
        """Note a fault of an item, with its line and column where it came from a file."""
        self.blamed.add(item)
        row = self.rows[item]
        column = str(steps[0]) if row is not None and steps else None
        self.faults.append(
            FieldError(
                code=code,
                detail=detail,
                pointer=pointer("items", self.numbers[item], *steps),
                row=row,
                column=column,
            )
        )


def read_batch(media_type: str, content: bytes, options: BatchOptions) -> Batch:
    """The batch of a body. Raises `BadRequest` or `Invalid` where no rows can be told apart."""
    if media_type == JSON:
        return _read_json(content, options)
    batch = Batch(options)
    try:
        for row in rows_of(media_type, text_of(content)):
            batch.take(row)
    except BrokenRow as fault:
        batch.faults += fault.errors
    return batch


def text_of(content: bytes) -> str:
    """The text of a file. Raises `UnreadableFile` with the line where it stops to be one."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        problem = FieldError(code=UnreadableFile.code, detail=UnreadableFile.title, row=line)
        raise UnreadableFile(f"Line {line} is not UTF-8.", errors=[problem]) from fault


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
        batch.read(POINTS.item.validate_python, item, row=None)
    return batch


def _refused(fault: ValidationError) -> BadRequest | Invalid:
    faults = fault.errors()
    if faults[0]["type"] == "json_invalid":
        return BadRequest(f"The body is not JSON: {faults[0]['ctx']['error']}.")
    if any(item["type"] == "too_long" for item in faults):
        return TooManyRows(_AT_MOST)
    return Invalid(errors=[field_error(item, prefix=("body",)) for item in faults])


def rows_of(media_type: str, text: str, form: RowForm = POINTS) -> Iterator[FileRow]:
    """The rows of a file, one by one. Raises `Invalid` for its header, `BrokenRow` for its end."""
    return {CSV: _csv_rows, JSON_LINES: _json_rows}[media_type](text, form)


def _json_rows(text: str, form: RowForm) -> Iterator[FileRow]:
    for line, found in enumerate(io.StringIO(text, newline="\n"), start=1):
        if found.strip():
            yield FileRow(line, found, form.parse_line)


def _csv_rows(text: str, form: RowForm) -> Iterator[FileRow]:
    first = text[: text.find("\n") + 1] or text
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = _lines(reader)
    try:
        header = _header(next(lines, (1, []))[1], form)
        for line, cells in lines:
            if any(cells):
                yield _csv_row(line, header, cells, form)
    except csv.Error as fault:
        line = max(reader.line_num, 1)
        problem = FieldError(code="malformed_csv", detail=f"{fault}.", row=line)
        raise BrokenRow(f"From line {line} on there are no rows.", errors=[problem]) from fault


def _csv_row(line: int, header: list[str], cells: list[str], form: RowForm) -> FileRow:
    if len(cells) == len(header):
        return FileRow(line, dict(zip(header, cells, strict=True)), form.parse_cells)
    misfit = f"There are {len(cells)} cells under {len(header)} headers."
    return FileRow(line, None, form.parse_cells, misfit)


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it starts on: a quoted cell may hold line breaks."""
    start = 1
    for cells in reader:
        yield start, cells
        start = reader.line_num + 1


def _header(cells: list[str], form: RowForm) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    faults = [_header_fault(name, "unknown_column") for name in names if name not in form.columns]
    faults += [
        _header_fault(name, "duplicate_column")
        for name in sorted(form.columns)
        if names.count(name) > 1
    ]
    faults += [_header_fault(name, "missing_column") for name in _missing(names, form)]
    faults += [form.refused[name] for name in names if name in form.refused]
    if faults:
        raise Invalid(f"The columns are {', '.join(sorted(form.columns))}.", errors=faults)
    return names


def _missing(names: Collection[str], form: RowForm) -> Iterator[str]:
    if "period_start" not in names:
        yield "period_start"
    if form.one_of and not any(name in names for name in form.one_of):
        yield " or ".join(form.one_of)


def _header_fault(name: str, code: str) -> FieldError:
    detail = f"The header has this problem: {code.replace('_', ' ')}."
    return FieldError(code=code, detail=detail, row=1, column=name[:100])
