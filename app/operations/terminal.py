"""Follows an operation from a terminal: a bar that grows, or plain lines where there is none."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.kit.remote import Remote, Unreachable

FAILURES_IN_A_ROW = 5
_UNFINISHED = frozenset({"pending", "running"})
_PLAIN_STEP = 10  # per cent between two lines


def follow(
    remote: Remote,
    location: str,
    *,
    console: Console,
    wait: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Show how far it is until it ends; the finished operation."""
    states = _states(remote, location, wait)
    return _draw(states, console) if console.is_terminal else _print(states, console)


def _states(
    remote: Remote, location: str, wait: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    """The operation again and again; a server that is away for a moment is asked again."""
    failures = 0
    while True:
        seconds = 1.0
        try:
            document, headers = remote.send("GET", location)
        except Unreachable:
            failures += 1
            if failures == FAILURES_IN_A_ROW:
                raise
        else:
            failures = 0
            yield document
            if document["state"] not in _UNFINISHED:
                return
            seconds = float(headers.get("Retry-After", seconds))
        wait(seconds)


def _draw(states: Iterator[dict[str, Any]], console: Console) -> dict[str, Any]:
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    last: dict[str, Any] = {}
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("pending", total=None)
        for last in states:
            progress = last["progress"]
            bar.update(
                task,
                description=last["state"],
                completed=progress["done"],
                total=progress["total"],
            )
    return last


def _print(states: Iterator[dict[str, Any]], console: Console) -> dict[str, Any]:
    """A line for each state and each tenth of the work: a log is not to fill with bars."""
    told: tuple[str, int] | None = None
    last: dict[str, Any] = {}
    for last in states:
        progress = last["progress"]
        per_cent = 100 * progress["done"] // progress["total"] if progress["total"] else 0
        if told != (told := (last["state"], per_cent // _PLAIN_STEP)):
            of = f" of {progress['total']}" if progress["total"] is not None else ""
            console.print(f"{last['state']}: {progress['done']}{of}", highlight=False)
    return last


def show_faults(faults: Sequence[Mapping[str, Any]], console: Console) -> None:
    """The faults of a file, one a line of a table."""
    if not faults:
        return
    table = Table("Row", "Column", "Code", "What is wrong")
    for fault in faults:
        cells = (str(fault.get(name) or "") for name in ("row", "column", "code", "detail"))
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)


def _show_parts(parts: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What was counted of each part of the work, such as a measure; columns of zeros are left out.

    A flag is no count, although Python takes it for a number.
    """
    counted = [
        name
        for name in (parts[0] if parts else ())
        if any(type(part[name]) is int and part[name] for part in parts)
    ]
    if counted:
        table = Table("Name", *(name.replace("_", " ").capitalize() for name in counted))
        for part in parts:
            table.add_row(escape(part["name"]), *(str(part[name]) for name in counted))
        console.print(table)


def show_end(operation: Mapping[str, Any], console: Console) -> bool:
    """What came of it; whether it succeeded."""
    error, result = operation["error"], dict(operation["result"] or {})
    faults = (error or {}).get("errors") or result.pop("faults", ())
    show_faults(faults, console)
    _show_parts(result.pop("measures", ()), console)
    for name, value in result.items():
        console.print(f"{name.replace('_', ' ')}: {value}", highlight=False)
    if error is not None:
        said = error.get("detail") or error["title"]
        console.print(f"failed: {escape(said)}", highlight=False)
    elif operation["state"] != "succeeded":
        console.print(operation["state"])
    return bool(operation["state"] == "succeeded")
