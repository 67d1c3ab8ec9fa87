"""The cells of CSV files, out and in: numbers, flags, and text that a spreadsheet cannot run."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

# A spreadsheet takes text that starts so for a formula. Text that looks as if it had been guarded
# already gets one apostrophe more, so that reading our own file gives back what was written.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def write_text(text: str) -> str:
    """Text as a cell that no spreadsheet evaluates."""
    return f"'{text}" if _FORMULA.match(text) else text


def write_cell(value: Any) -> str:
    """A value as a cell; an empty one is a missing value."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return repr(value).removesuffix(".0")
        case date():
            return value.isoformat()
        case _:
            return write_text(str(value))


def _number(cell: str) -> float | str:
    return float(cell) if _NUMBER.fullmatch(cell) else cell


def _flag(cell: str) -> bool | str:
    return _FLAGS.get(cell.lower(), cell)


def _text(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


# What cannot be read stays text, and the schema refuses it with the field's own words.
_READERS: dict[str, Callable[[str], Any]] = {
    "value": _number,
    "numerator": _number,
    "denominator": _number,
    "excluded": _flag,
    "excluded_reason": _text,
    "note": _text,
    "measure": _text,
    "external_id": _text,
}
_EMPTIED = frozenset({"period_end", *_READERS} - {"excluded"})


def read_cells(cells: dict[str, str]) -> dict[str, Any]:
    """The members of one row. An empty cell empties its field, or says nothing where it cannot."""
    row: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell := cell.strip():
            row[name] = _READERS.get(name, str)(cell)
        elif name in _EMPTIED:
            row[name] = None
    return row
