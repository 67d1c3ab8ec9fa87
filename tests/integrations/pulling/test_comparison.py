"""Data that stand here already are found before anything is locked, and not read again after."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.integrations.models import Integration
from app.integrations.pulling.applying import apply_document
from app.integrations.pulling.comparison import Compared, compare_points
from app.kit.clock import utc_now
from app.measures.models import DataPoint, Measure
from app.sharing.shared.schemas import SharedProject
from tests.integrations.pulling.conftest import Pull
from tests.integrations.pulling.other import Other, point

SECOND = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2dff"


@pytest.fixture
def second(other: Other) -> dict[str, Any]:
    """A second measure of the document."""
    measure = copy.deepcopy(other.measure)
    changed = {"id": SECOND, "code": "second", "is_headline": False}
    measure |= changed | {"phases": [], "annotations": []}
    other.document["measures"].append(measure)
    return measure


def _compared(
    session: Session, integration: Integration, other: Other
) -> tuple[SharedProject, Compared]:
    document = SharedProject.model_validate(other.document)
    return document, compare_points(session, integration_id=integration.id, document=document)


def _store(
    session: Session, integration: Integration, document: SharedProject, compared: Compared
) -> None:
    now, of = utc_now(), {"integration_id": integration.id}
    given: dict[str, Any] = {**of, "document": document, "compared": compared}
    apply_document(session, **given, asked_at=now, now=now)
    session.flush()


def _numerators(session: Session) -> dict[str | None, list[float | None]]:
    rows = session.execute(
        select(Measure.code, DataPoint.numerator)
        .join(Measure, col(Measure.id) == col(DataPoint.measure_id))
        .where(col(DataPoint.archived_at).is_(None), col(Measure.archived_at).is_(None))
        .order_by(col(DataPoint.period_start))
    ).all()
    return {code: [found for name, found in rows if name == code] for code, _ in rows}


def test_only_what_differs_is_read_again(
    session: Session,
    integration: Integration,
    other: Other,
    pull: Pull,
    second: dict[str, Any],
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    pull()
    second["data_points"] = [point("2018-01-08", 12)]
    other.renew()
    document, compared = _compared(session, integration, other)
    same, changed = (compared[measure.id] for measure in document.measures)
    assert same.series_revision is not None
    assert changed.series_revision is None
    with count_queries() as statements:
        _store(session, integration, document, compared)
    read = [text for text in statements if text.startswith("SELECT data_point")]
    assert len(read) == 1
    assert _numerators(session)["second"] == [12]


def test_a_project_that_is_not_here_yet_differs(
    session: Session, integration: Integration, other: Other
) -> None:
    _, compared = _compared(session, integration, other)
    assert [points.series_revision for points in compared.values()] == [None]


def test_another_type_of_data_differs(
    session: Session, integration: Integration, other: Other, pull: Pull
) -> None:
    pull()
    other.measure["data_type"] = "rate"
    _, compared = _compared(session, integration, other)
    assert [points.series_revision for points in compared.values()] == [None]


def test_what_is_written_after_the_comparison_is_noticed(
    session: Session, integration: Integration, other: Other, pull: Pull
) -> None:
    """Another fetch stores an older document meanwhile, whose data are others."""
    pull()
    kept = copy.deepcopy(other.measure["data_points"])
    other.renew(401)
    newest, compared = _compared(session, integration, other)
    other.renew(400)
    other.measure["data_points"] = [point(kept[0]["period_start"], 3)]
    _store(session, integration, *_compared(session, integration, other))
    assert list(_numerators(session).values()) == [[3]]
    _store(session, integration, newest, compared)
    assert list(_numerators(session).values()) == [[each["numerator"] for each in kept]]
