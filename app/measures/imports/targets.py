"""Where the rows of an import go: into one measure, or each into the measure that it names."""

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from app.access.permissions import Permission
from app.events.catalogue import Resource, address_of
from app.kit.errors import NotFound
from app.measures.actions import get_writable, get_writable_project
from app.measures.data_points.reading import POINTS, RowForm
from app.measures.imports.matching import Directory, Misnamed
from app.measures.imports.queries import Known, list_known, list_live
from app.measures.imports.rows import named_points
from app.measures.imports.schemas import ImportResult, ProjectImportResult
from app.measures.models import Measure
from app.operations.holding import PermissionEnded
from app.operations.steps import Turn

_RECORD = Permission.DATA_POINT_RECORD
Find = Callable[[Any], Known | Misnamed]  # the measure of an item


@contextmanager
def _in_sight() -> Iterator[None]:
    try:
        yield
    except NotFound as fault:  # nothing is ever deleted: it is out of sight
        raise PermissionEnded from fault


@dataclass(frozen=True, slots=True)
class OneMeasure:
    """The measure to which the file was sent."""

    measure_id: uuid.UUID
    form: ClassVar[RowForm] = POINTS
    result_type: ClassVar[type[ImportResult]] = ImportResult

    @property
    def result_url(self) -> str:
        """Where to see what was written."""
        return f"{address_of(Resource.MEASURE, self.measure_id)}/data-points"

    def open(self, turn: Turn) -> Find:
        """Check the permission; how to find the measure of a row."""
        measure = self._get(turn)
        known = Known(measure.id, measure.name, measure.data_type, False, None)
        return lambda _item: known

    def writable(self, turn: Turn, _ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Measure]:
        """The measure, with the permission checked again."""
        return {self.measure_id: self._get(turn)}

    def _get(self, turn: Turn) -> Measure:
        with _in_sight():
            return get_writable(
                turn.session, actor=turn.actor, measure_id=self.measure_id, permission=_RECORD
            )


@dataclass(frozen=True, slots=True)
class ProjectMeasures:
    """The measures of the project to which the file was sent. Those of others are unknown to it."""

    project_id: uuid.UUID
    system: str | None
    result_type: ClassVar[type[ImportResult]] = ProjectImportResult

    @property
    def form(self) -> RowForm:
        """Each row names its measure."""
        return named_points(has_system=self.system is not None)

    @property
    def result_url(self) -> str:
        """Where to see the measures."""
        return f"{address_of(Resource.PROJECT, self.project_id)}/measures"

    def open(self, turn: Turn) -> Find:
        """Check the permission; how to find the measure of a row. Names are as they are now."""
        self._check(turn)
        measures = list_known(
            turn.session, actor=turn.actor, project_id=self.project_id, system=self.system
        )
        return Directory(measures, system=self.system).find

    def writable(self, turn: Turn, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Measure]:
        """Those that are not archived by now, with the permission checked again."""
        self._check(turn)
        if not ids:
            return {}
        measures = list_live(
            turn.session, actor=turn.actor, project_id=self.project_id, measure_ids=ids
        )
        return {measure.id: measure for measure in measures}

    def _check(self, turn: Turn) -> None:
        with _in_sight():
            get_writable_project(
                turn.session, actor=turn.actor, project_id=self.project_id, permission=_RECORD
            )


Target = OneMeasure | ProjectMeasures
