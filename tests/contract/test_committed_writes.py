"""What holds only where transactions commit and requests overlap: idempotency and lost updates."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from app.events.models import Event
from app.kit.idempotency import IdempotencyKey
from app.organisations.models import Organisation
from tests.calling import Caller
from tests.contract.conftest import Live

TWINS = 8


def _body(**over: Any) -> dict[str, Any]:
    return {"name": f"Practice {uuid.uuid4()}", "kind": "gp_practice"} | over


def _at_once(work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(TWINS) as threads:
        return list(threads.map(work, range(TWINS)))


def _named(live: Live, name: str) -> int:
    with live.database.reading() as session:
        statement = sa.select(sa.func.count()).where(col(Organisation.name) == name)
        return int(session.execute(statement).scalar_one())


def _claims(live: Live, key: str) -> int:
    with live.database.reading() as session:
        statement = sa.select(sa.func.count()).where(col(IdempotencyKey.key) == key)
        return int(session.execute(statement).scalar_one())


def test_concurrent_twins_write_once(live: Live) -> None:
    admin, body, key = live.admin, _body(), str(uuid.uuid4())
    headers = {"Idempotency-Key": key}
    answers = _at_once(lambda _: admin.post("/organisations", body, **headers))
    assert [answer.status_code for answer in answers] == [201] * TWINS
    assert len({answer.text for answer in answers}) == 1
    assert len({(answer.headers["Location"], answer.headers["ETag"]) for answer in answers}) == 1
    replayed = Counter(answer.headers.get("Idempotency-Replayed") for answer in answers)
    assert replayed == {None: 1, "true": TWINS - 1}
    assert _named(live, body["name"]) == 1
    with live.database.reading() as session:
        made = sa.select(sa.func.count()).where(
            col(Event.resource_id) == uuid.UUID(answers[0].json()["id"])
        )
        assert session.execute(made).scalar_one() == 1


def test_without_a_key_every_twin_writes(live: Live) -> None:
    """The test above sees a difference: the same eight requests without the key make eight rows."""
    admin, body = live.admin, _body()
    answers = _at_once(lambda _: admin.post("/organisations", body))
    assert [answer.status_code for answer in answers] == [201] * TWINS
    assert _named(live, body["name"]) == TWINS


@pytest.mark.parametrize("change", [{"kind": "nonsense"}, {"successor_id": str(uuid.uuid4())}])
def test_a_failed_attempt_leaves_no_claim(live: Live, change: dict[str, Any]) -> None:
    """One fails before the transaction begins and one within it; the retry runs anew."""
    admin, body, key = live.admin, _body(), str(uuid.uuid4())
    headers = {"Idempotency-Key": key}
    assert admin.post("/organisations", body | change, **headers).status_code == 422
    assert _claims(live, key) == 0
    retried = admin.post("/organisations", body, **headers)
    assert retried.status_code == 201
    assert "Idempotency-Replayed" not in retried.headers


def test_a_conflict_leaves_no_claim(live: Live) -> None:
    admin, key = live.admin, str(uuid.uuid4())
    code = uuid.uuid4().hex[:8].upper()
    first = admin.create("/organisations", _body(ods_code=code))
    body = _body(ods_code=code)
    headers = {"Idempotency-Key": key}
    assert admin.post("/organisations", body, **headers).status_code == 409
    assert _claims(live, key) == 0
    assert admin.delete(f"/organisations/{first['id']}").status_code == 204
    assert admin.post("/organisations", body, **headers).status_code == 201


def test_the_key_of_another_caller_is_another_key(live: Live) -> None:
    body, key = _body(), str(uuid.uuid4())
    headers = {"Idempotency-Key": key}
    first = live.admin.post("/organisations", body, **headers)
    second = live.call(live.world.facilitator).post("/organisations", body, **headers)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] != second.json()["id"]
    assert _claims(live, key) == 2


def test_a_replay_grants_nothing_to_who_has_lost_the_role(live: Live) -> None:
    """Authorisation runs before the stored answer is looked up: a revoked login gets none."""
    admin, body = live.admin, _body()
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    assert admin.post("/organisations", body, **headers).status_code == 201
    with live.database.transaction() as session:
        session.execute(sa.text("UPDATE login_session SET ended_at = created_at"))
    assert admin.post("/organisations", body, **headers).status_code == 401


def _change(admin: Caller, path: str, number: int, tag: str) -> int:
    return admin.patch(path, {"area": f"Area {number}"}, tag).status_code


def test_of_two_updates_of_one_revision_one_is_refused(live: Live) -> None:
    admin = live.admin
    path = f"/organisations/{admin.create('/organisations', _body())['id']}"
    statuses = Counter(_at_once(lambda number: _change(admin, path, number, '"1"')))
    assert statuses == {200: 1, 412: TWINS - 1}
    assert admin.ok(path)["revision"] == 2


def test_no_update_is_lost_where_everybody_reads_again(live: Live) -> None:
    admin = live.admin
    path = f"/organisations/{admin.create('/organisations', _body())['id']}"

    def until_it_is_kept(number: int) -> None:
        for _ in range(100):
            if _change(admin, path, number, admin.get(path).headers["ETag"]) == 200:
                return
        raise AssertionError("never kept")

    _at_once(until_it_is_kept)
    assert admin.ok(path)["revision"] == 1 + TWINS


def test_writers_at_once_lose_nothing(live: Live) -> None:
    """Read, then write, eight at a time: the pattern that loses to lock upgrades."""
    admin, prefix = live.admin, str(uuid.uuid4())
    names = [f"{prefix} {number}" for number in range(TWINS * 5)]
    with ThreadPoolExecutor(TWINS) as threads:
        answers = list(
            threads.map(lambda name: admin.post("/organisations", _body(name=name)), names)
        )
    assert [answer.status_code for answer in answers] == [201] * len(names)
    assert len({answer.json()["id"] for answer in answers}) == len(names)
    assert len(admin.ok("/organisations", q=prefix, limit=200)["items"]) == len(names)
