"""Which resources other systems may name, and where each row of them belongs.

Their packages stand above this one, so their tables are named by name (as `access.scope` does for
projects); whoever sees a resource sees its references.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from app.access.actor import Place
from app.access.permissions import Permission
from app.events.catalogue import Resource
from app.kit.errors import Conflict

_IDS_AT_ONCE = 500  # databases limit the parameters of a statement


class ReceivedReadOnly(Conflict):
    """409: the next fetch would undo the change; only the server that it came from can make it.

    For whatever is in such a project; its references are how the next fetch knows it again.
    """

    code = "received_read_only"
    title = "The project came from another server and is read-only here."


class ResourceType(StrEnum):
    """What a reference can name; each is a noun of the events too."""

    PROJECT = "project"
    MEASURE = "measure"
    PHASE = "phase"
    ANNOTATION = "annotation"
    PDSA_CYCLE = "pdsa_cycle"
    TEAM = "team"
    PARTICIPANT = "participant"
    SESSION = "session"


class Found(NamedTuple):
    """A resource as far as a reference needs it.

    `is_frozen`: it or a parent is archived. `is_received`: its project came from another server.
    """

    id: uuid.UUID
    programme_id: uuid.UUID
    project_id: uuid.UUID | None
    team_id: uuid.UUID | None
    revision: int
    is_frozen: bool
    is_received: bool

    @property
    def place(self) -> Place:
        """Where permissions to it must hold."""
        return Place(self.programme_id, self.team_id)


def _table(name: str, *references: str) -> sa.TableClause:
    ids = (sa.column(column, sa.Uuid()) for column in ("id", "programme_id", *references))
    return sa.table(name, *ids, sa.column("revision", sa.Integer()), sa.column("archived_at"))


_PROGRAMME = sa.table("programme", sa.column("id", sa.Uuid()), sa.column("archived_at"))
_RECEIVED = sa.table("received_project", sa.column("project_id", sa.Uuid()))
_PROJECT = sa.table(
    "project",
    *(sa.column(name, sa.Uuid()) for name in ("id", "programme_id", "team_id")),
    sa.column("visibility", sa.String()),
    sa.column("archived_at"),
).alias("of_project")
_UNRELEASED = "team"
_MEASURE = _table("measure").alias("of_measure")


@dataclass(frozen=True, slots=True)
class Referable:
    """A type of resource: its table, its permissions, and the column with its team if it has one.

    What is in a project belongs to the team of the project.
    """

    type: ResourceType
    table: sa.TableClause
    read: Permission
    write: Permission
    team: str | None = None

    @property
    def noun(self) -> Resource:
        """As events call it."""
        return Resource(self.type.value)

    def of_teams(self, teams: Collection[uuid.UUID]) -> sa.Select[tuple[uuid.UUID]] | None:
        """The ids of what belongs to the teams; None where teams own nothing of the type."""
        if self.team is not None:
            return sa.select(self.table.c.id).where(self.table.c[self.team].in_(teams))
        if "project_id" not in self.table.c:
            return None
        owned = sa.select(_PROJECT.c.id).where(_PROJECT.c.team_id.in_(teams))
        return sa.select(self.table.c.id).where(self.table.c.project_id.in_(owned))

    def released_in(self, programmes: Collection[uuid.UUID]) -> sa.Select[tuple[uuid.UUID]] | None:
        """The ids of what is in released projects of the programmes, as `access.scope` has it."""
        released = sa.select(_PROJECT.c.id).where(
            _PROJECT.c.programme_id.in_(programmes), _PROJECT.c.visibility != _UNRELEASED
        )
        if self.type is ResourceType.PROJECT:
            return released
        if "project_id" not in self.table.c:
            return None
        return sa.select(self.table.c.id).where(self.table.c.project_id.in_(released))

    def _statement(self) -> sa.Select[Found]:
        table, none = self.table, sa.cast(sa.null(), sa.Uuid())
        source: sa.FromClause = table.join(_PROGRAMME, _PROGRAMME.c.id == table.c.programme_id)
        marks = [table.c.archived_at, _PROGRAMME.c.archived_at]
        project_id = table.c.id if self.type is ResourceType.PROJECT else none
        team_id = table.c[self.team] if self.team else none
        if "project_id" in table.c:
            source = source.join(_PROJECT, _PROJECT.c.id == table.c.project_id)
            marks.append(_PROJECT.c.archived_at)
            project_id, team_id = table.c.project_id, _PROJECT.c.team_id
        if "measure_id" in table.c:
            source = source.join(_MEASURE, _MEASURE.c.id == table.c.measure_id)
            marks.append(_MEASURE.c.archived_at)
        is_frozen = sa.or_(*(mark.is_not(None) for mark in marks))
        is_received = sa.exists().where(_RECEIVED.c.project_id == project_id)
        columns = (table.c.id, table.c.programme_id, project_id, team_id, table.c.revision)
        return sa.select(*columns, is_frozen, is_received).select_from(source)

    def find(self, session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Found]:
        """Those that exist, archived or not; visible or not is for the caller to look at."""
        listed, statement = list(ids), self._statement()
        return {
            row[0]: Found(*row)
            for start in range(0, len(listed), _IDS_AT_ONCE)
            for row in session.execute(
                statement.where(self.table.c.id.in_(listed[start : start + _IDS_AT_ONCE]))
            )
        }


P, R = Permission, ResourceType
_IN_PROJECT, _IN_MEASURE = ("project_id",), ("project_id", "measure_id")
REFERABLE: dict[ResourceType, Referable] = {
    kind.type: kind
    for kind in (
        Referable(
            R.PROJECT, _table("project", "team_id"), P.PROJECT_READ, P.PROJECT_WRITE, "team_id"
        ),
        Referable(R.MEASURE, _table("measure", *_IN_PROJECT), P.MEASURE_READ, P.MEASURE_WRITE),
        Referable(R.PHASE, _table("phase", *_IN_MEASURE), P.MEASURE_READ, P.MEASURE_WRITE),
        # Whoever records data may annotate them.
        Referable(
            R.ANNOTATION, _table("annotation", *_IN_MEASURE), P.MEASURE_READ, P.DATA_POINT_RECORD
        ),
        Referable(
            R.PDSA_CYCLE, _table("pdsa_cycle", *_IN_PROJECT), P.PDSA_CYCLE_READ, P.PDSA_CYCLE_WRITE
        ),
        Referable(R.TEAM, _table("team"), P.TEAM_READ, P.TEAM_WRITE, "id"),
        Referable(
            R.PARTICIPANT,
            _table("enrolment", "team_id"),
            P.PARTICIPANT_READ,
            P.PARTICIPANT_WRITE,
            "team_id",
        ),
        Referable(R.SESSION, _table("learning_session"), P.SESSION_READ, P.SESSION_WRITE),
    )
}
