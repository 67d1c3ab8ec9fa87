"""The charts of a project, and the headline charts of a programme, for one sheet."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col

from app import spc
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import select_visible
from app.analytics import queries
from app.analytics.pictures.panel import Panel
from app.analytics.pictures.schemas import MOST_PANELS, ProgrammeSheetQuery
from app.analytics.pictures.sheet import Sheet
from app.kit.pagination import Page, Pager, order_by
from app.programmes.queries import get_programme
from app.projects.models import Project
from app.projects.queries import get_project


@dataclass(frozen=True, slots=True)
class FoundSheet:
    """A sheet found and permitted, whose points are read only if it must be drawn."""

    title: str
    names: Sequence[tuple[str, str]]  # title and subtitle of each panel
    rows: Sequence[Any]  # of its measure, or None
    remark: str

    @property
    def tag(self) -> str:
        """A digest of all that decides what the sheet prints."""
        stated = [spc.ENGINE_VERSION, self.title, self.remark]
        for name, row in zip(self.names, self.rows, strict=True):
            stated += name
            if row is not None:
                stated += [f"{row.measure_id}:{row.series_revision}", str(row.programme_rule_set)]
        return hashlib.sha256("\x1f".join(stated).encode()).hexdigest()[:24]

    def draw(self, session: Session) -> Sheet:
        """The sheet with its documents; one query for the points of all."""
        rows = [row for row in self.rows if row is not None]
        drawn = iter(queries.draw_each(session, rows))
        panels = [
            _panel(name, None if row is None else next(drawn))
            for name, row in zip(self.names, self.rows, strict=True)
        ]
        return Sheet(self.title, panels, self.remark)


def _panel(name: tuple[str, str], drawn: dict[str, Any] | spc.SpcError | None) -> Panel:
    if isinstance(drawn, spc.SpcError):
        return Panel(*name, None, drawn.detail)
    return Panel(*name, drawn)


def find_project_sheet(session: Session, *, actor: Actor, project_id: uuid.UUID) -> FoundSheet:
    """The first charts of a project in the order of its measures. Raises `NotFound`."""
    project = get_project(
        session, actor=actor, project_id=project_id, permission=Permission.MEASURE_READ
    )
    _, rows = queries.list_project_series(session, actor=actor, project_id=project_id)
    shown = rows[:MOST_PANELS]
    remark = f"These are the first {len(shown)} of {len(rows)}." if len(shown) < len(rows) else ""
    names = [(row.name, f"{row.family.value} measure".capitalize()) for row in shown]
    return FoundSheet(project.title, names, shown, remark)


def find_programme_sheet(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    query: ProgrammeSheetQuery,
    pager: Pager,
) -> FoundSheet:
    """A page of the projects that the caller sees, each with its headline measure."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    statement = select_visible(actor, Project, Permission.MEASURE_READ).where(
        col(Project.programme_id) == programme_id, col(Project.archived_at).is_(None)
    )
    order = order_by([query.sort], {"title": Project.title}, default="title", last=Project.id)
    page: Page[Project] = pager.page(session, statement, query=query, order=order)
    headlines = queries.find_headline_rows(session, [project.id for project in page.items])
    rows = [headlines.get(project.id) for project in page.items]
    names = [
        (project.title, "" if row is None else row.name)
        for project, row in zip(page.items, rows, strict=True)
    ]
    remark = "More projects follow on the next page." if page.next_cursor else ""
    return FoundSheet(programme.title, names, rows, remark)
