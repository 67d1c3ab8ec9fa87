"""What every write tells, written down, and a request of each that succeeds.

`EMITS` lists every operation that is no GET; what only computes tells nothing. The example of the
OpenAPI document is sent, unless `SETUPS` makes something better.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from app.access.permissions import Role
from app.identity.models import LoginSession, PersonalToken, User
from app.kit.clock import utc_now
from app.learning_sessions.models import SessionStatus
from app.main import OpenQI
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
from tests.participants.enrolling import participant_body
from tests.pdsa.bodies import NEW, carry
from tests.projects.bodies import new_project
from tests.world import World

PASSWORD = "four quiet herons wading"
TOKEN = {"name": "Export", "scopes": ["project:read"], "expires_in_days": 30}
EMITS: dict[str, tuple[str, ...]] = {
    "add_team_member": ("participant.updated", "team.updated", "team_member.created"),
    "amend_pdsa_cycle": ("pdsa_cycle.updated",),
    "archive_annotation": ("annotation.archived",),
    "archive_data_point": ("data_point.archived",),
    "archive_measure": ("measure.archived",),
    "archive_organisation": ("organisation.archived",),
    "archive_participant": ("participant.archived",),
    "archive_pdsa_cycle": ("pdsa_cycle.archived",),
    "archive_phase": ("phase.archived",),
    "archive_programme": ("programme.archived",),
    "archive_project": ("project.archived",),
    "archive_session": ("programme.updated", "session.archived"),
    "archive_team": ("team.archived",),
    "change_password": ("user.password_changed",),
    "compare_spc_chart": (),
    "create_annotation": ("annotation.created",),
    "create_measure": ("measure.created",),
    "create_membership": ("membership.created",),
    "create_organisation": ("organisation.created",),
    "create_pdsa_cycle": ("pdsa_cycle.created",),
    "create_phase": ("phase.created",),
    "create_programme": ("programme.created",),
    "create_project": ("project.created",),
    "create_session": ("programme.updated", "session.created"),
    "create_team": ("team.created",),
    "create_token": ("personal_token.created",),
    "create_user": ("user.created",),
    "decide_rebase_candidate": ("phase.approved",),
    "draw_cusum_chart": (),
    "draw_ewma_chart": (),
    "draw_funnel_plot": (),
    "draw_pareto_chart": (),
    "draw_spc_chart": (),
    "draw_spc_charts": (),
    "end_login_session": ("login_session.ended",),
    "end_membership": ("membership.ended",),
    "end_other_login_sessions": ("login_session.ended",),
    "end_team_member": ("participant.updated", "team.updated", "team_member.ended"),
    "end_user_login_sessions": ("login_session.ended",),
    "enrol_participant": ("participant.created",),
    "exclude_data_points": ("data_point.excluded",),
    "include_data_points": ("data_point.included",),
    "judge_plan": (),
    "log_in": ("login_session.created",),
    "log_out": ("login_session.ended",),
    "put_data_point": ("data_point.corrected",),
    "record_data_point": ("data_point.recorded",),
    "record_data_points": ("data_point.recorded",),
    "replace_register": ("attendance.recorded",),
    "restore_annotation": ("annotation.restored",),
    "restore_data_point": ("data_point.restored",),
    "restore_measure": ("measure.restored",),
    "restore_organisation": ("organisation.restored",),
    "restore_participant": ("participant.restored",),
    "restore_pdsa_cycle": ("pdsa_cycle.restored",),
    "restore_phase": ("phase.restored",),
    "restore_programme": ("programme.restored",),
    "restore_project": ("project.restored",),
    "restore_session": ("session.restored",),
    "restore_team": ("team.restored",),
    "revoke_token": ("personal_token.ended",),
    "revoke_user_tokens": ("personal_token.ended",),
    "set_user_password": ("login_session.ended", "user.password_changed"),
    "transition_participant": ("participant.state_changed",),
    "transition_pdsa_cycle": ("pdsa_cycle.state_changed",),
    "transition_phase": ("phase.state_changed",),
    "transition_programme": ("programme.state_changed",),
    "transition_project": ("project.state_changed",),
    "transition_session": ("programme.updated", "session.state_changed"),
    "transition_user": ("login_session.ended", "user.state_changed"),
    "update_annotation": ("annotation.updated",),
    "update_data_point": ("data_point.corrected",),
    "update_measure": ("measure.updated",),
    "update_organisation": ("organisation.updated",),
    "update_participant": ("participant.updated",),
    "update_pdsa_cycle": ("pdsa_cycle.updated",),
    "update_phase": ("phase.updated",),
    "update_programme": ("programme.updated",),
    "update_project": ("project.updated",),
    "update_session": ("programme.updated", "session.updated"),
    "update_team": ("team.updated",),
    "update_team_member": ("team.updated", "team_member.updated"),
    "update_user": ("user.updated",),
}


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


def _sends(**body: Any) -> Setup:
    return lambda _: {"json": body}


SETUPS: dict[str, Setup] = {
    "add_team_member": _member,
    "amend_pdsa_cycle": _amend_cycle,
    "archive_team": _empty_team,
    "change_password": _change_password,
    "create_membership": _membership,
    "create_programme": _programme,
    "create_project": _project,
    "create_session": _new_session,
    "create_token": _sends(**TOKEN),
    "decide_rebase_candidate": _rebase_candidate,
    "end_login_session": _own_login,
    "end_membership": _end_membership,
    "end_other_login_sessions": _own_login,
    "enrol_participant": _participant,
    "exclude_data_points": _sends(periods=["2018-01-01"], reason="Flood"),
    "include_data_points": _include,
    "log_in": _log_in,
    "record_data_point": _sends(period_start="2018-03-05", numerator=8, denominator=20),
    "replace_register": _register,
    "restore_session": _restored_session,
    "restore_team": _empty_team,
    "revoke_token": _own_token,
    "revoke_user_tokens": _other_token,
    "transition_pdsa_cycle": _start_cycle,
    "update_pdsa_cycle": _sends(title="Renamed"),
    "update_team_member": _sends(is_lead=True),
}
