"""A list costs as many statements for many rows as for one: no row asks the database for more."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.main import OpenQI
from app.sharing.models import Audience, ReleaseState
from app.webhooks.models import WebhookAttempt
from tests.builders import (
    make_annotation,
    make_cycle,
    make_data_point,
    make_measure,
    make_membership,
    make_participant,
    make_phase,
    make_project,
    make_session,
    make_team,
    make_user,
)
from tests.calling import Caller
from tests.contract.operations import Operation, documented
from tests.exchange import (
    make_dead_job,
    make_detected_signal,
    make_inbound_event,
    make_integration,
    make_operation,
    make_reference,
    make_release,
    make_webhook_delivery,
    make_webhook_endpoint,
)
from tests.world import World

Counting = Callable[[], AbstractContextManager[list[str]]]
ROWS = 4


@pytest.fixture
def ids(session: Session, world: World) -> dict[str, object]:
    """Several rows in every list, and the parents of the lists."""
    programme, team, project = world.programme, world.team, world.project
    measure = make_measure(session, project=project)
    integration = make_integration(session, programme=programme)
    for number in range(ROWS):
        make_integration(session, programme=programme)
        make_inbound_event(session, integration=integration)
        make_reference(session, project=project, system=f"system-{number}")
        make_team(session, programme=programme)
        make_participant(session, programme=programme, team=team)
        make_session(session, programme=programme)
        make_project(session, team=team)
        make_measure(session, project=project)
        make_cycle(session, project=project)
        make_data_point(session, measure=measure, period_start=date(2018, 1, number + 1))
        make_phase(session, measure=measure, starts_on=date(2018, 1, number + 1))
        make_annotation(session, measure=measure)
        make_detected_signal(session, measure=measure)
        make_membership(session, user=world.member, role=Role.OBSERVER, programme=programme)
        make_user(session)
        make_dead_job(session)
        make_webhook_endpoint(session, programme=programme)
        make_operation(session, programme=programme)
        make_release(session, project=project, state=ReleaseState.WITHDRAWN)
        shared = make_project(session, team=team)
        make_release(session, project=shared, audience=Audience.PUBLIC)
    delivery = make_webhook_delivery(session)
    make_webhook_delivery(session)
    for number in range(ROWS):
        attempt = WebhookAttempt(
            delivery_id=delivery.id, number=number, milliseconds=1, at=delivery.created_at
        )
        session.add(attempt)
    session.commit()
    return {
        "delivery_id": delivery.id,
        "programme_id": programme.id,
        "team_id": team.id,
        "project_id": project.id,
        "measure_id": measure.id,
        "cycle_id": make_cycle(session, project=project).id,
        "user_id": world.member.id,
        "integration_id": integration.id,
    }


def _lists(app: OpenQI) -> list[Operation]:
    return [
        operation
        for operation, document in documented(app)
        if any(item["name"] == "cursor" for item in document.get("parameters", ()))
        and "application/json" in document["responses"]["200"]["content"]  # no picture
    ]


def test_a_list_costs_the_same_for_one_row_and_for_many(
    app: OpenQI,
    call: Callable[..., Caller],
    world: World,
    ids: dict[str, object],
    count_queries: Counting,
) -> None:
    admin, _ = call(world.admin), call(world.admin)  # two logins: a list of them has two rows
    for number in range(2):
        admin.with_token("project:read")
        for path, field in (("projects", "title"), ("measures", "name"), ("pdsa-cycles", "title")):
            row_id = ids[f"{path.removeprefix('pdsa-')[:-1]}_id"]
            assert admin.patch(f"/{path}/{row_id}", {field: f"New {number}"}).status_code == 200
    lists = _lists(app)
    assert len(lists) >= 10
    for operation in lists:
        path = operation.template.format_map(ids)
        admin.ok(path, limit=1)  # what is cached for ever is cached now
        with count_queries() as for_one:
            one = admin.ok(path, limit=1)
        with count_queries() as for_many:
            many = admin.ok(path, limit=200)
        assert len(one["items"]) <= 1, operation
        assert len(many["items"]) >= 2, f"{operation} is empty; make rows for it"
        assert len(for_many) == len(for_one), f"{operation}:\n" + "\n".join(for_many)
