"""A request of each write that succeeds.

The example of the OpenAPI document is sent, unless `SETUPS` makes something better.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from app.access.permissions import Role
from app.identity.models import LoginSession, PersonalToken, User
from app.kit.clock import utc_now
from app.kit.signing import sign
from app.learning_sessions.models import SessionStatus
from app.main import OpenQI
from app.projects.models import Project
from app.webhooks.models import WebhookEndpoint
from tests.analytics.test_measure_spc import fill
from tests.analytics.test_rebasing import ACCEPT, LASTING
from tests.builders import (
    make_measure,
    make_organisation,
    make_participant,
    make_session,
    make_team,
)
from tests.calling import Caller
from tests.exchange import make_openqi_integration, make_reference, make_release
from tests.integrations.sending import body as connection
from tests.integrations.sending import project as project_message
from tests.participants.enrolling import participant_body
from tests.pdsa.bodies import NEW, carry
from tests.projects.bodies import new_project
from tests.sharing.ready import make_ready
from tests.world import World

PASSWORD = "four quiet herons wading"
TOKEN = {"name": "Export", "scopes": ["project:read"], "expires_in_days": 30}


@dataclass
class Stage:
    """What a request is prepared with; a setup may put other ids into its path."""

    app: OpenQI
    admin: Caller
    session: Session
    world: World
    ids: dict[str, Any]


Options = dict[str, Any]
Setup = Callable[[Stage], Options]


def _rebase_candidate(stage: Stage) -> Options:
    measure = make_measure(stage.session, project=stage.world.project, baseline_points=12)
    fill(stage.session, measure, LASTING)
    (found,) = stage.admin.ok(f"/measures/{measure.id}/rebase-candidates")["items"]
    stage.ids |= {"measure_id": measure.id, "candidate_id": found["id"]}
    return {"json": ACCEPT}


def _with_password(stage: Stage) -> User:
    user = stage.session.get_one(User, stage.world.admin.id)
    user.password_hash = stage.app.state.passwords.hash(PASSWORD)
    stage.session.commit()
    return user


def _log_in(stage: Stage) -> Options:
    return {"data": {"username": _with_password(stage).email, "password": PASSWORD}}


def _change_password(stage: Stage) -> Options:
    _with_password(stage)
    new = "eleven patient otters at dusk"
    return {"json": {"current_password": PASSWORD, "new_password": new}}


def _own_login(stage: Stage) -> Options:
    login = LoginSession(user_id=stage.world.admin.id, expires_at=utc_now() + timedelta(hours=1))
    stage.session.add(login)
    stage.session.commit()
    stage.ids["login_session_id"] = login.id
    return {}


def _own_token(stage: Stage) -> Options:
    stage.ids["token_id"] = stage.admin.create("/auth/tokens", TOKEN)["id"]
    return {}


def _other_token(stage: Stage) -> Options:
    token = PersonalToken(
        user_id=stage.ids["user_id"],
        name="Other",
        secret_hash="0" * 64,
        hint="abcd",
        scopes=["project:read"],
        expires_at=utc_now() + timedelta(days=1),
    )
    stage.session.add(token)
    stage.session.commit()
    return {}


def _membership(stage: Stage) -> Options:
    assert stage.world.stranger is not None
    programme_id = str(stage.world.programme.id)
    body = {"email": stage.world.stranger.email, "role": Role.OBSERVER.value}
    return {"json": body | {"programme_id": programme_id, "starts_on": "2017-12-07"}}


def _end_membership(_: Stage) -> Options:
    return {"json": {"ends_on": (utc_now() + timedelta(days=2)).date().isoformat()}}


def _programme(stage: Stage) -> Options:
    names = ("commissioner_org_id", "provider_org_id")
    organisations = {name: str(make_organisation(stage.session).id) for name in names}
    days = {"starts_on": "2017-12-07", "ends_on": "2018-09-30"}
    return {"json": {"title": "Another programme", **days, **organisations}}


def _participant(stage: Stage) -> Options:
    return {"json": participant_body(stage.session)}


def _member(stage: Stage) -> Options:
    row = make_participant(
        stage.session, programme=stage.world.programme, unassigned_reason="Back from leave"
    )
    return {"json": {"participant_id": str(row.id), "starts_on": "2017-12-07"}}


def _session_of_its_own(stage: Stage, **over: Any) -> None:
    stage.ids["session_id"] = make_session(
        stage.session,
        programme=stage.world.programme,
        starts_at=datetime(2018, 2, 8, 13, tzinfo=UTC),
        ends_at=datetime(2018, 2, 8, 17, tzinfo=UTC),
        **over,
    ).id


def _register(stage: Stage) -> Options:
    _session_of_its_own(stage, status=SessionStatus.HELD)
    item = {"participant_id": str(stage.ids["participant_id"]), "status": "present"}
    return {"json": {"items": [item]}}


def _restored_session(stage: Stage) -> Options:
    _session_of_its_own(stage)
    return {}


def _new_session(_: Stage) -> Options:
    times = {"starts_at": "2018-02-08T13:30:00Z", "ends_at": "2018-02-08T17:00:00Z"}
    return {"json": {"title": "Measures", "number": 30_000, **times}}


def _project(stage: Stage) -> Options:
    return {"json": new_project(stage.world)}


def _cycle(stage: Stage) -> dict[str, Any]:
    cycle = stage.admin.create(f"/projects/{stage.world.project.id}/pdsa-cycles", NEW)
    stage.ids["cycle_id"] = cycle["id"]
    return cycle


def _start_cycle(stage: Stage) -> Options:
    _cycle(stage)
    return {"json": {"to": "doing"}}


def _amend_cycle(stage: Stage) -> Options:
    carry(stage.admin, _cycle(stage), "doing")
    body = {"stage": "plan", "field": "where", "text": "Elsewhere", "reason": "Wrong place."}
    return {"json": body}


def _include(stage: Stage) -> Options:
    path = f"/measures/{stage.ids['measure_id']}/exclusions"
    assert stage.admin.post(path, {"periods": ["2018-01-01"], "reason": "Flood"}).status_code == 200
    return {"json": {"periods": ["2018-01-01"]}}


def _empty_team(stage: Stage) -> Options:
    stage.ids["team_id"] = make_team(stage.session, programme=stage.world.programme).id
    return {}


def _reference(stage: Stage) -> dict[str, str]:
    about = {"system": "emis", "resource_type": "project", "external_id": "123"}
    return about | {"resource_id": str(stage.world.other_project.id)}


def _create_reference(stage: Stage) -> Options:
    return {"json": _reference(stage)}


def _upsert_references(stage: Stage) -> Options:
    return {"json": {"items": [_reference(stage)]}}


def _connect(stage: Stage) -> Options:
    return {"json": connection(stage.world.programme.id)}


def _connected(stage: Stage) -> dict[str, Any]:
    made = stage.admin.create("/integrations", connection(stage.world.programme.id))
    stage.ids["integration_id"] = made["id"]
    return made


def _message(stage: Stage) -> Options:
    content = json.dumps(project_message(team="north")).encode()
    make_reference(
        stage.session,
        project=stage.world.project,
        resource_type="team",
        resource_id=stage.world.team.id,
        external_id="north",
    )
    signed = sign(
        [_connected(stage)["secret"]],
        message_id="msg_1",
        timestamp=int(utc_now().timestamp()),
        body=content,
    )
    return {"content": content, "headers": {"Content-Type": "application/json", **signed}}


def _message_to_try(stage: Stage) -> Options:
    _connected(stage)
    return {"json": {"message": project_message(team="north")}}


def _pull(stage: Stage) -> Options:
    row = make_openqi_integration(
        stage.session,
        programme=stage.world.programme,
        base_url="https://platform.example.org",
        token="sealed by nobody",
    )
    stage.ids["integration_id"] = row.id
    return {}


def _endpoint(stage: Stage) -> Options:
    address = {"url": "https://platform.example.org/hooks"}
    return {"json": address | {"programme_id": str(stage.world.programme.id)}}


def _rotated(stage: Stage) -> Options:
    endpoint = stage.session.get_one(WebhookEndpoint, stage.ids["endpoint_id"])
    endpoint.old_secret = "sealed by nobody"
    endpoint.old_secret_until = utc_now() + timedelta(hours=1)
    return {}


def _replay(_: Stage) -> Options:
    return {"json": {"failed_since": (utc_now() - timedelta(days=1)).isoformat()}}


def _project_of(stage: Stage) -> Project:
    return stage.session.get_one(Project, stage.world.project.id)


def _release(stage: Stage) -> Options:
    make_ready(stage.session, _project_of(stage))
    return {}


def _released(stage: Stage) -> Options:
    stage.ids["release_id"] = make_release(stage.session, project=_project_of(stage)).id
    return {}


def _sends(**body: Any) -> Setup:
    return lambda _: {"json": body}


SETUPS: dict[str, Setup] = {
    "add_team_member": _member,
    "amend_pdsa_cycle": _amend_cycle,
    "archive_team": _empty_team,
    "change_password": _change_password,
    "create_external_reference": _create_reference,
    "create_integration": _connect,
    "create_membership": _membership,
    "create_programme": _programme,
    "create_project": _project,
    "create_pull": _pull,
    "create_session": _new_session,
    "create_token": _sends(**TOKEN),
    "create_webhook_endpoint": _endpoint,
    "decide_rebase_candidate": _rebase_candidate,
    "end_login_session": _own_login,
    "end_membership": _end_membership,
    "end_other_login_sessions": _own_login,
    "enrol_participant": _participant,
    "exclude_data_points": _sends(periods=["2018-01-01"], reason="Flood"),
    "expire_old_webhook_secret": _rotated,
    "include_data_points": _include,
    "log_in": _log_in,
    "receive_event": _message,
    "record_data_point": _sends(period_start="2018-03-05", numerator=8, denominator=20),
    "release_project": _release,
    "replace_register": _register,
    "replay_webhook_deliveries": _replay,
    "restore_session": _restored_session,
    "restore_team": _empty_team,
    "revoke_token": _own_token,
    "revoke_user_tokens": _other_token,
    "transition_pdsa_cycle": _start_cycle,
    "try_mapping": _message_to_try,
    "update_pdsa_cycle": _sends(title="Renamed"),
    "update_team_member": _sends(is_lead=True),
    "upsert_external_references": _upsert_references,
    "withdraw_release": _released,
}
