"""A SELECT for the hottest reads: compiled once, then run on the driver's own cursor.

SQLAlchemy finds a compiled statement again by hashing all of it, and wraps each result; of a read
by key with two dozen columns that is half the processor time (149 against 77 us on PostgreSQL).
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import starmap
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_Process = Callable[[Any], Any] | None
_Select = sa.Select[*tuple[Any, ...]]


class _Compiled:
    """The statement in the words of one dialect, with its conversions of values."""

    def __init__(self, statement: _Select, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self._names: list[str] | None = getattr(compiled, "positiontup", None)
        self._dialect = dialect
        binds = compiled.binds
        self._defaults = {name: bind.value for name, bind in binds.items()}
        self._binds: dict[str, _Process] = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in binds.items()
        }
        self._columns = statement.selected_columns
        self._make = namedtuple("Found", self._columns.keys(), rename=True)  # type: ignore[misc]
        self._results: list[tuple[int, Callable[[Any], Any]]] | None = None

    def sent(self, parameters: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        values = {}
        for name, call in self._binds.items():
            value = parameters.get(name, self._defaults[name])
            values[name] = call(value) if call and value is not None else value
        return values if self._names is None else [values[name] for name in self._names]

    def found(self, cursor: Any) -> list[Any]:
        """The rows of the cursor with the values that the columns promise."""
        if self._results is None:  # the conversions ask for the types that the database answers
            self._results = list(self._conversions(cursor.description))
        if not self._results:
            return list(starmap(self._make, cursor.fetchall()))
        rows = []
        for row in cursor.fetchall():
            cells = list(row)
            for place, call in self._results:
                cells[place] = call(cells[place])
            rows.append(self._make(*cells))
        return rows

    def _conversions(self, description: Any) -> Iterator[tuple[int, Callable[[Any], Any]]]:
        for place, (column, described) in enumerate(zip(self._columns, description, strict=True)):
            kind = column.type.dialect_impl(self._dialect)
            call = kind.result_processor(self._dialect, described[1])
            if call is not None:
                yield place, call


class Prepared:
    """A statement to run often. Its rows are named tuples, as SQLAlchemy's are."""

    def __init__(self, statement: _Select) -> None:
        self.statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def all(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Every row. `connection` is one of `Database.connect()`: nothing is begun on it.

        While somebody listens to statements (a tracer, a test that counts), and after an error of
        the driver, SQLAlchemy runs it: it tells listeners, wraps errors and drops dead connections.
        """
        if connection.dispatch.before_cursor_execute:
            return connection.execute(self.statement, dict(parameters)).all()
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self.statement, dialect)
        try:
            cursor = connection.connection.cursor()
            cursor.execute(compiled.text, compiled.sent(parameters))
            return compiled.found(cursor)
        except dialect.loaded_dbapi.Error:
            return connection.execute(self.statement, dict(parameters)).all()
