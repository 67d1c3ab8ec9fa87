"""Where somebody is logged in, and ending that."""

from collections.abc import Callable
from datetime import timedelta

from sqlmodel import Session, select

from app.events.models import Event
from app.identity.models import LoginSession
from app.kit.clock import utc_now
from tests.calling import Caller
from tests.world import World


def test_my_open_logins(call: Callable[..., Caller], world: World, session: Session) -> None:
    here, elsewhere = call(world.member), call(world.member)
    call(world.admin)
    now = utc_now()
    session.add(LoginSession(user_id=world.member.id, expires_at=now - timedelta(seconds=1)))
    session.add(LoginSession(user_id=world.member.id, expires_at=now, ended_at=now))
    session.commit()
    items = here.ok("/auth/sessions")["items"]
    assert [item["is_current"] for item in items] == [False, True]
    assert [item["is_current"] for item in elsewhere.ok("/auth/sessions")["items"]] == [True, False]
    assert items[0].keys() == {"id", "user_agent", "is_current", "created_at", "expires_at"}
    first = here.ok("/auth/sessions", limit=1, sort="created_at")
    assert first["items"] == [items[1]]
    assert here.ok("/auth/sessions", limit=1, sort="created_at", cursor=first["next_cursor"])[
        "items"
    ] == [items[0]]


def test_end_one_of_them(call: Callable[..., Caller], world: World, session: Session) -> None:
    here, elsewhere = call(world.member), call(world.member)
    other = next(
        item["id"] for item in here.ok("/auth/sessions")["items"] if not item["is_current"]
    )
    assert here.delete(f"/auth/sessions/{other}").status_code == 204
    assert elsewhere.get("/me").status_code == 401
    assert here.delete(f"/auth/sessions/{other}").status_code == 204
    told = session.exec(select(Event).where(Event.type == "login_session.ended")).one()
    assert (str(told.resource_id), told.actor_id) == (other, world.member.id)
    assert f'"url":"/api/v1/auth/sessions/{other}"' in told.payload


def test_somebody_elses_login_is_404(call: Callable[..., Caller], world: World) -> None:
    admin, member = call(world.admin), call(world.member)
    (own,) = member.ok("/auth/sessions")["items"]
    for path in (f"/auth/sessions/{own['id']}", f"/auth/sessions/{world.team.id}"):
        assert admin.delete(path).status_code == 404
    assert member.get("/me").status_code == 200


def test_log_out_everywhere_else(call: Callable[..., Caller], world: World) -> None:
    here, elsewhere, other = call(world.member), call(world.member), call(world.admin)
    assert here.delete("/auth/sessions").status_code == 204
    assert [caller.get("/me").status_code for caller in (here, elsewhere, other)] == [200, 401, 200]


def test_log_out(call: Callable[..., Caller], world: World) -> None:
    here, elsewhere = call(world.member), call(world.member)
    assert here.post("/auth/logout").status_code == 204
    assert here.get("/me").status_code == 401
    assert here.post("/auth/logout").status_code == 401
    assert elsewhere.get("/me").status_code == 200


def test_an_administrator_ends_all_logins_of_a_person(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    admin, callers = call(world.admin), [call(world.member), call(world.member)]
    path = f"/users/{world.member.id}/sessions"
    assert admin.delete(path).status_code == 204
    assert [caller.get("/me").status_code for caller in callers] == [401, 401]
    assert admin.delete(path).status_code == 204
    told = session.exec(select(Event).where(Event.type == "login_session.ended")).all()
    assert [item.actor_id for item in told] == [world.admin.id] * 2
    assert call(world.member).get("/me").status_code == 200


def test_a_token_has_no_logins(call: Callable[..., Caller], world: World) -> None:
    token = call(world.admin).with_token("admin")
    (login,) = call(world.admin).ok("/auth/sessions", limit=1)["items"]
    answers = [
        token.get("/auth/sessions"),
        token.delete("/auth/sessions"),
        token.delete(f"/auth/sessions/{login['id']}"),
        token.post("/auth/logout"),
    ]
    assert {answer.json()["code"] for answer in answers} == {"login_required"}
    assert {answer.status_code for answer in answers} == {403}
