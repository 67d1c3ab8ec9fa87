"""Which measure of a project a row is of, from what the row says."""

import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from app.kit.errors import Archived, FieldError, ReferenceNotFound
from app.measures.imports.queries import Known
from app.measures.imports.schemas import WAYS, NamedDataPoint

SYSTEM_MISSING = FieldError(
    code="system_missing",
    detail="An external_id goes with the query parameter system, whose id it is.",
    parameter="system",
)
_ARCHIVED = "This measure is archived; restore it first."


class Misnamed(NamedTuple):
    """Why a row is of no measure that it could be written to."""

    column: str
    code: str
    detail: str


def _folded(name: str) -> str:
    """Names are the same whatever their case, and however an accent was typed."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


class Directory:
    """The measures of one project by their ids, their names, and what a system calls them."""

    def __init__(self, measures: Iterable[Known], *, system: str | None) -> None:
        self._by_id: dict[uuid.UUID, Known] = {}
        self._by_name: dict[str, list[Known]] = defaultdict(list)
        self._by_external_id: dict[str, Known] = {}
        self._system = system
        for measure in measures:
            self._by_id[measure.id] = measure
            self._by_name[_folded(measure.name)].append(measure)
            if measure.external_id is not None:
                self._by_external_id[measure.external_id] = measure

    def find(self, item: NamedDataPoint) -> Known | Misnamed:
        """The measure; where a row names it in several ways, all of them must mean the same."""
        found: Known | None = None
        for match in (self._with_id(item), self._with_name(item), self._with_external_id(item)):
            if isinstance(match, Misnamed):
                return match
            if match is not None and found is not None and match.id != found.id:
                detail = "The row names several measures; all that it gives must mean the same."
                return Misnamed("measure", "measure_mismatch", detail)
            found = match or found
        if found is None:
            return Misnamed("measure", "measure_missing", f"Give one of {', '.join(WAYS)}.")
        return found

    def _with_id(self, item: NamedDataPoint) -> Known | Misnamed | None:
        if item.measure_id is None:
            return None
        found = self._by_id.get(item.measure_id)
        return _live("measure_id", found, "No measure of this project has this id.")

    def _with_name(self, item: NamedDataPoint) -> Known | Misnamed | None:
        """A live measure goes before an archived one of the same name."""
        if item.measure is None:
            return None
        named = self._by_name.get(_folded(item.measure), [])
        live = [measure for measure in named if not measure.is_archived]
        if len(live) > 1:
            detail = f"{len(live)} measures of this project have this name; give measure_id."
            return Misnamed("measure", "ambiguous_measure", detail)
        found = next(iter(live or named), None)
        return _live("measure", found, "No measure of this project has this name.")

    def _with_external_id(self, item: NamedDataPoint) -> Known | Misnamed | None:
        if item.external_id is None:
            return None
        if self._system is None:
            return Misnamed("external_id", SYSTEM_MISSING.code, SYSTEM_MISSING.detail)
        found = self._by_external_id.get(item.external_id)
        absent = f"The system {self._system} calls no measure of this project so."
        return _live("external_id", found, absent)


def _live(column: str, found: Known | None, absent: str) -> Known | Misnamed:
    if found is None:
        return Misnamed(column, ReferenceNotFound.code, absent)
    return Misnamed(column, Archived.code, _ARCHIVED) if found.is_archived else found
