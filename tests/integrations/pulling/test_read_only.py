"""Every route that writes in a project refuses for one that came from another server."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.main import OpenQI
from app.measures.models import Annotation, DataPoint, Measure, Phase
from app.pdsa.models import PDSACycle
from app.references.models import ExternalReference
from app.sharing.models import ReceivedProject
from tests.calling import Caller
from tests.contract.operations import documented
from tests.contract.test_role_matrix import _request
from tests.integrations.pulling.conftest import Pull
from tests.world import World

# What reads although it is a POST would stand here; all others write.
PARTS: dict[str, Any] = {
    "measure_id": Measure,
    "data_point_id": DataPoint,
    "phase_id": Phase,
    "annotation_id": Annotation,
    "cycle_id": PDSACycle,
}


@pytest.fixture
def ids(session: Session, pull: Pull) -> dict[str, object]:
    """The received project and one of each of its parts."""
    pull()
    (received,) = session.exec(select(ReceivedProject)).all()
    found: dict[str, object] = {"project_id": received.project_id}
    for name, entity in PARTS.items():
        statement = select(entity).where(entity.project_id == received.project_id)
        found[name] = session.exec(statement).one().id
    return found


def test_nothing_in_it_can_be_written(
    app: OpenQI,
    call: Callable[..., Caller],
    world: World,
    session: Session,
    ids: dict[str, object],
) -> None:
    caller = call(world.admin)
    more = {"period_start": "2018-01-08", "candidate_id": "7d1f0c52a94be803"}
    codes: dict[str, str] = {}
    for operation, document in documented(app):
        if operation.method == "GET" or not ids.keys() & operation.context.param_convertors.keys():
            continue
        path = operation.template.format_map(ids | more)
        answer = caller(operation.method, path, **_request(document))
        assert answer.status_code == 409, f"{operation}: {answer.text}"
        codes[operation.name] = answer.json()["code"]
    assert len(codes) >= 25
    assert codes.pop("release_project") == "received_project"
    assert set(codes.values()) == {"received_read_only"}, codes
    for entity in PARTS.values():
        rows = session.exec(select(entity).where(col(entity.project_id) == ids["project_id"]))
        assert len(rows.all()) == 1


def test_nor_can_its_external_references(
    call: Callable[..., Caller],
    world: World,
    session: Session,
    ids: dict[str, object],
) -> None:
    """By them the next fetch knows what stands for what: without one, a part would be remade."""
    caller, at = call(world.admin), f"/programmes/{world.programme.id}/external-references"
    rows = session.exec(
        select(ExternalReference).where(col(ExternalReference.resource_id).in_(ids.values()))
    ).all()
    assert len(rows) == 5  # data points have none
    for row in rows:
        item = {
            "system": row.system,
            "resource_type": row.resource_type,
            "resource_id": str(row.resource_id),
            "external_id": "another",
        }
        for answer in (
            caller.delete(f"/external-references/{row.id}"),
            caller.post(f"{at}/bulk", {"items": [item]}),
            caller.post(at, item | {"system": "lifeqi"}),
        ):
            assert answer.status_code == 409, answer.text
            assert answer.json()["code"] == "received_read_only"


def test_each_of_these_routes_documents_it(app: OpenQI) -> None:
    undocumented = [
        operation.name
        for operation, document in documented(app)
        if operation.method != "GET"
        and {"project_id", *PARTS} & operation.context.param_convertors.keys()
        and "received" not in str(document["responses"].get("409", {}))
    ]
    assert undocumented == []
