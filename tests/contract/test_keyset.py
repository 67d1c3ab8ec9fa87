"""Walking a list page by page gives what one query gives, for any sort, NULLs and ties included."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlmodel import Session

from app.kit.errors import BadRequest
from app.kit.pagination import MAX_LIMIT, InvalidCursor, ListQuery, Pager, order_by
from app.kit.table import text_type
from tests.builders import make_organisation
from tests.calling import Caller
from tests.world import World

ROWS = 300
PLAIN = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TABLE = sa.Table(
    "keyset_rehearsal",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", text_type(50), nullable=True),
    sa.Column("day", sa.Date, nullable=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("number", sa.Float, nullable=True),
)
COLUMNS = {name: TABLE.c[name] for name in ("name", "day", "at", "number")}
SORTS = [sign + name for name in COLUMNS for sign in ("", "-")]


class SortQuery(ListQuery):
    sort: list[str] = []


def _row(chance: random.Random) -> dict[str, Any]:
    """Few different values, so that ties are frequent; a third of them NULL."""
    return {
        "id": sa.Uuid().python_type(int=chance.getrandbits(128)),
        "name": chance.choice([None, "", "a", "B", "b", "Zed", "é", "10", "9"]),
        "day": chance.choice([None, date(2017, 12, 7), date(2018, 1, 1), date(9999, 12, 31)]),
        "at": datetime(2018, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(5)),
        "number": chance.choice([None, 0.1, 1 / 3, -1e15, 1e15, 0.0]),
    }


@pytest.fixture
def rows(connection: Connection) -> list[dict[str, Any]]:
    TABLE.create(connection)
    chance = random.Random(20_171_207)
    made = [_row(chance) for _ in range(ROWS)]
    connection.execute(sa.insert(TABLE), made)
    return made


def _pager(binding: str = "list\ncaller") -> Pager:
    return Pager(secret=b"a secret", binding=lambda: binding, link=lambda cursor: None)


def _walk(session: Session, pager: Pager, sort: list[str], limit: int) -> Iterator[list[Any]]:
    order = order_by(sort, COLUMNS, default="at", last=TABLE.c.id)
    cursor = None
    while True:
        query = SortQuery(limit=limit, cursor=cursor, sort=sort)
        page = pager.page(session, sa.select(TABLE.c.id), query=query, order=order)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _expected(rows: list[dict[str, Any]], sort: list[str]) -> list[Any]:
    """An oracle that knows no SQL: stable sorts, the last key first; NULLs last either way."""
    ordered = sorted(rows, key=lambda row: row["id"].hex)
    for term in reversed(list(dict.fromkeys(sort or ["at"]))):
        name = term.lstrip("-")
        present = [row for row in ordered if row[name] is not None]
        absent = [row for row in ordered if row[name] is None]
        present.sort(key=lambda row: row[name], reverse=term.startswith("-"))
        if term.startswith("-"):  # reverse=True turns ties round in nothing: sorts stay stable
            assert all(a[name] >= b[name] for a, b in pairwise(present))
        ordered = present + absent
    return [row["id"] for row in ordered]


@PLAIN
@given(sort=st.lists(st.sampled_from(SORTS), max_size=3), limit=st.integers(1, 90))
def test_the_pages_are_the_sorted_set(
    rows: list[dict[str, Any]], session: Session, sort: list[str], limit: int
) -> None:
    if len({term.lstrip("-") for term in sort}) < len(sort):
        sort = list({term.lstrip("-"): term for term in sort}.values())
    pages = list(_walk(session, _pager(), sort, limit))
    assert [row for page in pages for row in page] == _expected(rows, sort)
    assert all(len(page) == limit for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= limit


def test_rows_that_come_and_go_disturb_nobody(
    rows: list[dict[str, Any]], session: Session, connection: Connection
) -> None:
    walk = _walk(session, _pager(), ["-name"], 50)
    first = next(walk)
    connection.execute(sa.delete(TABLE).where(TABLE.c.id.in_(first)))
    connection.execute(sa.insert(TABLE), [{**_row(random.Random(7)), "name": "ÿ before all"}])
    rest = [row for page in walk for row in page]
    assert first + rest == _expected(rows, ["-name"])


def test_a_cursor_opens_only_its_own_list(rows: list[dict[str, Any]], session: Session) -> None:
    order = order_by(["name"], COLUMNS, default="at", last=TABLE.c.id)
    query = SortQuery(limit=5, sort=["name"])
    made = _pager().page(session, sa.select(TABLE.c.id), query=query, order=order).next_cursor
    assert made is not None
    for binding, sort in (
        ("list\nanother", "name"),
        ("another\ncaller", "name"),
        ("list\ncaller", "-name"),
    ):
        other = SortQuery(limit=5, sort=[sort], cursor=made)
        with pytest.raises(InvalidCursor):
            _pager(binding).page(session, sa.select(TABLE.c.id), query=other, order=order)


@PLAIN
@given(position=st.integers(0, 500), character=st.sampled_from("Aaz09-_=!\n é"))
def test_no_change_of_a_cursor_goes_unseen(
    rows: list[dict[str, Any]], session: Session, position: int, character: str
) -> None:
    order = order_by(["name", "-day"], COLUMNS, default="at", last=TABLE.c.id)
    query = SortQuery(limit=5, sort=["name", "-day"])
    made = _pager().page(session, sa.select(TABLE.c.id), query=query, order=order).next_cursor
    assert made is not None
    at = position % len(made)
    changed = made[:at] + character + made[at + 1 :]
    try:
        page = _pager().page(
            session,
            sa.select(TABLE.c.id),
            query=query.model_copy(update={"cursor": changed}),
            order=order,
        )
    except BadRequest:
        return
    # base64 ignores the last bits of the last letter, so a change there may mean the same bytes.
    assert changed == made or at == len(made) - 1
    assert page.items == _expected(rows, ["name", "-day"])[5:10]


def test_over_http(call: Callable[..., Caller], world: World, session: Session) -> None:
    for number in range(25):
        make_organisation(session, name=f"Walked {number % 3}", area=None)
    admin = call(world.admin)
    seen: list[str] = []
    path: str | None = "/organisations?q=Walked&sort=-name&limit=7&with_total=true"
    while path is not None:
        response = admin("GET", path)
        page = response.json()
        assert page["total"] == 25
        seen += [item["id"] for item in page["items"]]
        link = response.headers.get("Link")
        assert (link is None) is (page["next_cursor"] is None)
        path = link.split(">")[0].lstrip("<") if link else None
    assert len(seen) == len(set(seen)) == 25
    clamped = admin.ok("/organisations", limit=MAX_LIMIT * 10)
    assert len(clamped["items"]) <= MAX_LIMIT


def test_a_cursor_grants_nothing(call: Callable[..., Caller], world: World) -> None:
    """Authorisation runs again: a cursor of an administrator shows a stranger nothing."""
    admin = call(world.admin)
    made = admin.ok("/programmes", limit=1)["next_cursor"]
    assert made is not None
    assert call(world.stranger).get("/programmes", limit=1, cursor=made).status_code == 400
    assert call(None).get("/programmes", limit=1, cursor=made).status_code == 401
