"""The parts of keyset pagination: sorts, cursors' values, names of pages."""

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from app.kit.fields import Output
from app.kit.pagination import (
    _DECODERS,
    Commas,
    ListQuery,
    Page,
    SortKey,
    _encode,
    order_by,
)

TABLE = sa.table("t", sa.column("name"), sa.column("at"), sa.column("id"))
KNOWN = sa.Table("k", sa.MetaData(), sa.Column("n", sa.Integer, nullable=False))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
)


@given(st.lists(VALUES))
def test_a_cursor_brings_every_value_back_with_its_type(values: list[Any]) -> None:
    text = json.dumps([_encode(value) for value in values])
    back = [_DECODERS[kind](value) for kind, value in json.loads(text)]
    assert back == values
    assert [type(value) for value in back] == [type(value) for value in values]


def test_a_day_is_no_instant() -> None:
    assert _encode(datetime(2018, 1, 1, tzinfo=UTC))[0] == "t"
    assert _encode(date(2018, 1, 1))[0] == "d"


@pytest.mark.parametrize(
    ("given_sort", "expected"),
    [(["a", "-b"], ["a", "-b"]), (["a,-b"], ["a", "-b"]), (["a,", ",b"], ["a", "b"]), ([], [])],
)
def test_sorts_are_repeated_or_divided_by_commas(
    given_sort: list[str], expected: list[str]
) -> None:
    assert TypeAdapter(Annotated[list[str], Commas]).validate_python(given_sort) == expected


def _sql(keys: list[SortKey]) -> str:
    terms = [term for key in keys for term in key.order()]
    return str(sa.select(TABLE.c.id).order_by(*terms)).partition("ORDER BY ")[2]


def test_the_order_ends_with_the_unique_column() -> None:
    columns = {"name": TABLE.c.name, "at": TABLE.c.at}
    keys = order_by(["-at", "-at"], columns, default="name", last=TABLE.c.id)
    assert [(key.column.name, key.descending) for key in keys] == [("at", True), ("id", False)]
    assert [key.column.name for key in order_by([], columns, default="name", last=TABLE.c.id)] == [
        "name",
        "id",
    ]


def test_a_column_that_is_never_null_is_sorted_by_itself_so_its_index_serves() -> None:
    assert _sql([SortKey(KNOWN.c.n, descending=True)]) == "k.n DESC"
    assert "CASE WHEN" in _sql([SortKey(TABLE.c.name)])


def test_the_fingerprint_holds_all_but_the_place_and_size_of_the_page() -> None:
    class Query(ListQuery):
        kind: str | None = None

    base = Query(limit=5).fingerprint()
    assert Query(limit=9, cursor="x", with_total=True).fingerprint() == base
    assert Query(kind="a").fingerprint() != base


def test_pages_are_named_after_their_items() -> None:
    class ElmRead(Output):
        name: str

    assert Page[ElmRead].__name__ == "ElmPage"
    page: Page[Any] = Page(items=[1, 2], next_cursor=None)
    mapped = page.map(lambda item: item * 2)
    assert (mapped.items, mapped.next_cursor, mapped.total) == ([2, 4], None, None)
    assert issubclass(Page[ElmRead], BaseModel)
