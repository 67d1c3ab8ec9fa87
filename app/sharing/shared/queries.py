"""Reads of the catalogue: which projects it holds, and the revision of a project's document."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.kit.answers import API_PREFIX
from app.kit.errors import NotFound
from app.kit.filters import one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.measures.models import Measure
from app.organisations.models import Organisation
from app.pdsa.models import PDSACycle
from app.programmes.models import Confidentiality, Programme
from app.projects import aims
from app.projects.aims import Aim
from app.projects.models import Project
from app.sharing.models import Audience, Release, ReleaseState
from app.sharing.numbers import SMALL_UP_TO
from app.sharing.shared.schemas import SharedProgramme, SharedProjectListed, SharedProjectQuery
from app.teams.models import Team

FORM = 1  # raise it when the document changes its form: whoever holds an older one fetches it anew
_SORTS: dict[str, Any] = {"title": Project.title, "released_at": Release.released_at}
_KNOWN_TO: dict[Audience, frozenset[Confidentiality]] = {
    Audience.NETWORK: frozenset({Confidentiality.NETWORK, Confidentiality.PUBLIC}),
    Audience.PUBLIC: frozenset({Confidentiality.PUBLIC}),
}


def _total(column: Any, project_column: Any) -> Any:
    total = sa.select(sa.func.coalesce(sa.func.sum(column), 0))
    return total.where(col(project_column) == col(Project.id)).correlate(Project).scalar_subquery()


# Rises with every change of what the document holds: nothing is deleted, and each change raises the
# revision of its row or that of the series.
_CHANGES = (
    col(Project.revision)
    + _total(col(Measure.revision) + col(Measure.series_revision), Measure.project_id)
    + _total(col(PDSACycle.revision), PDSACycle.project_id)
    + _total(col(Release.revision), Release.project_id)
)
_ABOUT: tuple[Any, ...] = (
    col(Team.name).label("team"),
    col(Programme.title).label("programme"),
    col(Programme.confidentiality),
    col(Programme.rule_set),
    col(Organisation.name).label("provider"),
)


def _shared_with(viewer: Actor | None, *columns: Any) -> sa.Select[Any]:
    """Published projects that the viewer may fetch, with what stands around them."""
    reachable = col(Release.audience) == Audience.PUBLIC
    if viewer is not None:
        network = col(Release.audience) == Audience.NETWORK
        if viewer.bound_programme_id is not None:
            network &= col(Release.programme_id) == viewer.bound_programme_id
        reachable |= network
    return (
        sa.select(*columns)
        .select_from(Release)
        .join(Project, col(Project.id) == col(Release.project_id))
        .join(Programme, col(Programme.id) == col(Project.programme_id))
        .join(Organisation, col(Organisation.id) == col(Programme.provider_org_id))
        .outerjoin(Team, col(Team.id) == col(Project.team_id))
        .where(
            col(Release.state) == ReleaseState.PUBLISHED,
            col(Project.archived_at).is_(None),
            col(Programme.archived_at).is_(None),
            reachable,
        )
    )


def programme_of(row: Any) -> SharedProgramme:
    """The provider's name always, the programme's where it may be known so widely."""
    is_known = row.confidentiality in _KNOWN_TO[row.Release.audience]
    title = row.programme if is_known else None
    return SharedProgramme.model_construct(title=title, provider=row.provider)


def aim_statement_of(project: Project) -> str | None:
    """The aim as a sentence."""
    return aims.statement_of(None if project.aim is None else Aim.model_validate(project.aim))


def url_of(project_id: uuid.UUID) -> str:
    """Where the document of a project stands, whichever release it is."""
    return f"{API_PREFIX}/shared/projects/{project_id}"


def _listed(row: Any) -> SharedProjectListed:
    project, release = row.Project, row.Release
    return SharedProjectListed(
        project_id=project.id,
        release_id=release.id,
        title=project.title,
        aim_statement=aim_statement_of(project),
        area=project.area,
        tags=project.tags,
        state=project.state,
        team=row.team,
        programme=programme_of(row),
        audience=release.audience,
        license=release.license,
        released_at=release.released_at,
        url=url_of(project.id),
    )


def list_shared_projects(
    session: Session, *, viewer: Actor | None, query: SharedProjectQuery, pager: Pager
) -> Page[SharedProjectListed]:
    """A page of the catalogue, the latest release first; completed and stopped ones are there."""
    statement = _shared_with(viewer, Project).where(
        *text_contains(Project.title, query.q),
        *one_of(Project.area, query.area),
        *one_of(Project.state, query.state),
    )
    order = order_by(query.sort, _SORTS, default="-released_at", last=Project.id)
    page: Page[Project] = pager.page(session, statement, query=query, order=order)
    around = _around(session, viewer, [project.id for project in page.items])
    return page.map(lambda project: _listed(around[project.id]))


def _around(
    session: Session, viewer: Actor | None, project_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Any]:
    statement = _shared_with(viewer, Project, Release, *_ABOUT)
    statement = statement.where(col(Project.id).in_(project_ids))
    return {row.Project.id: row for row in session.execute(statement)}


def find_shared(session: Session, *, viewer: Actor | None, project_id: uuid.UUID) -> Any:
    """A shared project with its release and its revision, by one query. Raises `NotFound`."""
    statement = _shared_with(viewer, Project, Release, *_ABOUT, _CHANGES.label("changes"))
    row = session.execute(statement.where(col(Project.id) == project_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def revision_of(row: Any) -> str:
    """A number that rises with every change, and a digest of what else the document prints."""
    release: Release = row.Release
    stated = [FORM, SMALL_UP_TO, release.id, row.team, programme_of(row), row.rule_set]
    digest = hashlib.sha256("|".join(map(str, stated)).encode()).hexdigest()
    return f"{row.changes}-{digest[:12]}"
