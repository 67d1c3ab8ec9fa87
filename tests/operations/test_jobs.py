"""The list of jobs, the dead and their retry: for administrators of the platform alone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.jobs.handlers import Dead
from app.jobs.settling import Result, settle
from app.kit.db import Database
from tests.calling import Caller
from tests.jobs.asking import NOW, OTHER, PLAIN, ask, dead_jobs, jobs, take
from tests.world import World


@pytest.fixture
def admin(world: World, call: Callable[..., Caller], database: Database) -> Caller:
    ask(database, PLAIN, 3, lane="ep:1")
    ask(database, OTHER, at=NOW + 100)
    return call(world.admin)


def _items(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _ours(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if item["kind"].startswith("test.")]


def _die(database: Database, count: int = 1) -> None:
    for held in take(database, limit=count, now=NOW + 50):
        settle(database, [Result(held, Dead("no use"))], now=NOW + 60 + held.work.id)


def test_what_waits_and_what_runs(admin: Caller, database: Database) -> None:
    take(database, limit=1, now=NOW + 1)
    items = _ours(_items(admin.get("/jobs", limit=200)))
    assert [(item["state"], item["args"]["number"]) for item in items] == [
        ("waiting", 1),
        ("waiting", 2),
        ("waiting", 0),
        ("running", 0),
    ]
    assert items[3]["worker"] == "w"
    due = datetime.fromtimestamp((NOW + 1) / 1000, UTC)
    assert datetime.fromisoformat(items[0]["run_at"]) == due
    running = _ours(_items(admin.get("/jobs", state="running")))
    assert [item["state"] for item in running] == ["running"]
    waiting = _ours(_items(admin.get("/jobs", state="waiting", kind="test.plain")))
    assert [item["state"] for item in waiting] == ["waiting", "waiting"]


def test_filters_sorts_and_pages(admin: Caller) -> None:
    assert len(_items(admin.get("/jobs", queue="webhook"))) == 4
    assert [item["kind"] for item in _items(admin.get("/jobs", kind="test.other"))] == [
        "test.other"
    ]
    assert _items(admin.get("/jobs", queue="nothing")) == []
    first = admin.get("/jobs", queue="webhook", sort="-run_at", limit=3).json()
    assert first["items"][0]["kind"] == "test.other"
    second = admin.get(
        "/jobs", queue="webhook", sort="-run_at", limit=3, cursor=first["next_cursor"]
    ).json()
    assert [item["args"]["number"] for item in second["items"]] == [0]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query", [{"queue": "a\x00b"}, {"kind": "x" * 65}, {"sort": "lease"}, {"state": "dead"}]
)
def test_a_query_that_is_refused(admin: Caller, query: dict[str, str]) -> None:
    assert admin.get("/jobs", **query).status_code == 422


def test_the_dead_and_their_return(admin: Caller, database: Database) -> None:
    _die(database, 2)
    listed = _items(admin.get("/dead-jobs"))
    assert [(item["kind"], item["attempt"], item["error"]) for item in listed] == [
        ("test.plain", 1, "no use")
    ] * 2
    assert listed[0]["died_at"] > listed[1]["died_at"]
    assert _items(admin.get("/dead-jobs", kind="test.other")) == []
    path = f"/dead-jobs/{listed[0]['id']}/retry"
    assert admin.post(path).status_code == 204
    assert admin.post(path).status_code == 404
    assert len(dead_jobs(database)) == 1
    assert sorted(job.attempt for job in jobs(database) if job.kind == "test.plain") == [0, 0]


def test_a_retry_of_what_waits_already(
    world: World, call: Callable[..., Caller], database: Database
) -> None:
    ask(database, key="same")
    _die(database)
    ask(database, key="same")
    dead = dead_jobs(database)[0]
    assert call(world.admin).post(f"/dead-jobs/{dead.id}/retry").status_code == 204
    assert dead_jobs(database) == []
    assert [job.key for job in jobs(database) if job.kind == "test.plain"] == ["same"]


def test_nobody_else(
    world: World, call: Callable[..., Caller], database: Database, session: Session
) -> None:
    ask(database)
    _die(database)
    path = f"/dead-jobs/{dead_jobs(database)[0].id}/retry"
    for role in set(Role) - {Role.PLATFORM_ADMIN}:
        caller = call(world.people[role])
        assert caller.get("/jobs").status_code == 403
        assert caller.get("/dead-jobs").status_code == 403
        assert caller.post(path).status_code == 403
    assert call().get("/jobs").status_code == 401
    assert len(dead_jobs(database)) == 1


def test_a_token_needs_the_scope_of_administrators(admin: Caller) -> None:
    assert admin.with_token("admin").get("/jobs").status_code == 200
    assert admin.with_token("measure:read").get("/jobs").status_code == 403
