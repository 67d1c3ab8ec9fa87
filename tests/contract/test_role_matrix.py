"""Who may do what: every route, every role, the own team, another team, another programme.

The expectations stand in `role_matrix.py`, written down and not computed from the roles; a route
that it does not list fails here.
"""

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.identity.models import LoginSession, PersonalToken
from app.kit.clock import utc_now
from app.kit.negotiation import CSV
from app.main import OpenQI
from app.sharing.models import ReleaseState
from app.teams.models import TeamMembership
from app.webhooks.models import DeliveryState
from tests.builders import (
    make_annotation,
    make_cycle,
    make_data_point,
    make_measure,
    make_membership,
    make_organisation,
    make_participant,
    make_phase,
    make_session,
    make_user,
)
from tests.calling import Caller
from tests.contract.operations import PUBLIC, documented, operations
from tests.contract.role_matrix import MATRIX, ROLE_ORDER
from tests.exchange import (
    make_dead_job,
    make_inbound_event,
    make_integration,
    make_operation,
    make_reference,
    make_release,
    make_webhook_delivery,
    make_webhook_endpoint,
)
from tests.world import World

PLACES = ("own", "other team", "other programme")
SIGNS = {401: "1", 403: "3", 404: "4"}


def _ids(session: Session, world: World) -> dict[str, dict[str, Any]]:
    """One object of every kind at each of the three places, by the name of its path parameter."""
    where = {
        "own": (world.programme, world.team, world.project),
        "other team": (world.programme, world.other_team, world.other_project),
        "other programme": (world.other_programme, world.foreign_team, world.foreign_project),
    }
    places: dict[str, dict[str, Any]] = {}
    for place, (programme, team, project) in where.items():
        participant = make_participant(session, programme=programme, team=team)
        member = _team_member_of(session, participant.id)
        measure = make_measure(session, project=project)
        user = make_user(session)
        membership = make_membership(session, user=user, role=Role.MEMBER, team=team)
        integration = make_integration(session, programme=programme)
        login = LoginSession(user_id=user.id, expires_at=utc_now())
        token = PersonalToken(
            user_id=user.id,
            name="matrix",
            secret_hash=uuid.uuid4().hex,
            hint="abcd",
            scopes=["project:read"],
            expires_at=utc_now(),
        )
        session.add_all([login, token])
        endpoint = make_webhook_endpoint(session, programme=programme)
        delivery = make_webhook_delivery(session, endpoint=endpoint, state=DeliveryState.FAILED)
        session.commit()
        places[place] = {
            "programme_id": programme.id,
            "team_id": team.id,
            "project_id": project.id,
            "participant_id": participant.id,
            "member_id": member,
            "session_id": make_session(session, programme=programme).id,
            "cycle_id": make_cycle(session, project=project).id,
            "measure_id": measure.id,
            "data_point_id": make_data_point(session, measure=measure).id,
            "phase_id": make_phase(session, measure=measure).id,
            "annotation_id": make_annotation(session, measure=measure).id,
            "operation_id": make_operation(session, programme=programme).id,
            "candidate_id": "7d1f0c52a94be803",
            "period_start": "2018-01-01",
            "organisation_id": make_organisation(session).id,
            "release_id": make_release(session, project=project, state=ReleaseState.WITHDRAWN).id,
            "user_id": user.id,
            "membership_id": membership.id,
            "login_session_id": login.id,
            "token_id": token.id,
            "dead_job_id": make_dead_job(session).id,
            "endpoint_id": endpoint.id,
            "delivery_id": delivery.id,
            "code": "not_found",
            "reference_id": make_reference(session, project=project).id,
            "integration_id": integration.id,
            "inbound_event_id": make_inbound_event(session, integration=integration).id,
        }
    return places


def _team_member_of(session: Session, enrolment_id: uuid.UUID) -> uuid.UUID:
    statement = select(TeamMembership.id).where(col(TeamMembership.enrolment_id) == enrolment_id)
    return session.exec(statement).one()


def _request(document: dict[str, Any]) -> dict[str, Any]:
    """The body that is the operation's example, as the schema takes it, and headers."""
    content = document.get("requestBody", {}).get("content", {})
    headers = {"If-Match": "*"}
    if "application/json" in content:
        return {"json": content["application/json"]["example"], "headers": headers}
    if CSV in content:
        headers["Content-Type"] = CSV
        return {"content": content[CSV]["example"], "headers": headers}
    return {"headers": headers}


def _sign(status: int) -> str:
    assert status < 500
    return SIGNS.get(status, "+")


def test_every_route_is_listed(app: OpenQI) -> None:
    assert {operation.name for operation in operations(app)} == set(MATRIX) | PUBLIC


def test_the_matrix(
    app: OpenQI,
    call: Callable[..., Caller],
    world: World,
    session: Session,
    connection: Connection,
) -> None:
    places = _ids(session, world)
    assert world.stranger is not None
    callers = [call(world.people[role]) for role in ROLE_ORDER] + [call(world.stranger)]
    found: dict[str, tuple[str, ...]] = {}
    for operation, document in documented(app):
        if operation.name in PUBLIC:
            continue
        options = _request(document)
        cells = []
        for place in PLACES if "{" in operation.template else PLACES[:1]:
            ids = places[place]
            path = operation.template.format_map(ids)
            signs = ""
            for caller in callers:
                savepoint = connection.begin_nested()
                signs += _sign(caller(operation.method, path, **options).status_code)
                savepoint.rollback()
            cells.append(signs)
        found[operation.name] = tuple(cells)
    assert found == MATRIX, "\n".join(
        f"{name}: found {cells}, listed {MATRIX.get(name)}"
        for name, cells in found.items()
        if cells != MATRIX.get(name)
    )
