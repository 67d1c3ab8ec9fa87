"""Organisations over HTTP: the conventions of every resource, seen on the simplest one."""

from collections.abc import Callable

from tests.calling import Caller
from tests.world import World

BODY = {"name": "Elmtree Surgery", "ods_code": "Y00001", "kind": "gp_practice", "area": "North"}


def test_create_get_and_list(call: Callable[..., Caller], world: World) -> None:
    admin = call(world.admin)
    response = admin.post("/organisations", BODY)
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/v1/organisations/{made['id']}"
    assert response.headers["ETag"] == '"1"'
    again = admin.get(f"/organisations/{made['id']}")
    assert again.json() == made
    listed = admin.ok("/organisations", q="elmtree")
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert listed["next_cursor"] is None


def test_patch_changes_what_is_given(call: Callable[..., Caller], world: World) -> None:
    admin = call(world.admin)
    made = admin.create("/organisations", BODY)
    path = f"/organisations/{made['id']}"
    assert admin("PATCH", path, json={"area": "West"}).status_code == 428
    assert admin.patch(path, {"area": "West"}, '"7"').status_code == 412
    changed = admin.patch(path, {"area": None}, '"1"')
    assert changed.status_code == 200, changed.text
    assert changed.json()["area"] is None
    assert changed.json()["name"] == BODY["name"]
    assert changed.headers["ETag"] == '"2"'
    refused = admin.patch(path, {"name": None}, '"2"')
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/name"


def test_archive_and_restore(call: Callable[..., Caller], world: World) -> None:
    admin = call(world.admin)
    made = admin.create("/organisations", BODY)
    path = f"/organisations/{made['id']}"
    assert admin.delete(path).status_code == 204
    assert admin.delete(path).status_code == 204
    assert admin.get(path).json()["archived_at"] is not None
    assert admin.ok("/organisations", q="elmtree")["items"] == []
    assert len(admin.ok("/organisations", q="elmtree", archived="any")["items"]) == 1
    assert admin.patch(path, {"area": "West"}).status_code == 409
    assert admin.post(f"{path}/restore").json()["archived_at"] is None


def test_a_live_ods_code_is_unique(call: Callable[..., Caller], world: World) -> None:
    admin = call(world.admin)
    made = admin.create("/organisations", BODY)
    twin = admin.post("/organisations", BODY)
    assert twin.status_code == 409
    assert twin.json()["code"] == "already_exists"
    assert twin.json()["errors"][0]["pointer"] == "#/ods_code"
    admin.delete(f"/organisations/{made['id']}")
    assert admin.post("/organisations", BODY).status_code == 201
    assert admin.post(f"/organisations/{made['id']}/restore").status_code == 409


def test_idempotent_post(call: Callable[..., Caller], world: World) -> None:
    admin = call(world.admin)
    first = admin.post("/organisations", BODY, **{"Idempotency-Key": "one"})
    second = admin.post("/organisations", BODY, **{"Idempotency-Key": "one"})
    assert first.status_code == 201, first.text
    assert second.status_code == 201, second.text
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["ETag"] == first.headers["ETag"]
    other = admin.post("/organisations", BODY | {"area": "West"}, **{"Idempotency-Key": "one"})
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
