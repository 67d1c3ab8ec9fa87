"""JSON Merge Patch: the table of RFC 7396, and rows that are changed by it."""

from typing import Any

import pytest
from pydantic import MISSING, model_validator
from sqlmodel import Field, SQLModel

from app.kit.errors import Invalid
from app.kit.fields import Input, Name
from app.kit.patching import change, column_values, merge_patch, patched_values

# The test cases of RFC 7396, appendix A. Where the standard removes a member, ours becomes None:
# the schema then says whether the field may be empty.
CASES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {"a": None}),
    ({"a": "b", "b": "c"}, {"a": None}, {"a": None, "b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d", "c": None}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b", "c": None}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {"ccc": None}}}),
]


class Spot(Input):
    place: Name
    seats: int | None = None


class Base(Input):
    name: Name
    note: str | None = None
    low: int = 0
    high: int = 10
    spot: Spot | None = None
    tags: list[Name] = []

    @model_validator(mode="after")
    def _in_order(self) -> "Base":
        if self.high < self.low:
            raise ValueError("high must not lie below low")
        return self


class Patch(Input):
    name: Name | MISSING = MISSING
    note: str | None | MISSING = MISSING
    low: int | MISSING = MISSING
    high: int | MISSING = MISSING
    spot: dict[str, Any] | None | MISSING = MISSING
    tags: list[Name] | MISSING = MISSING


class Kept(SQLModel):
    name: str
    note: str | None = None
    low: int = 0
    high: int = 10
    spot: dict[str, Any] | None = None
    tags: list[str] = Field(default_factory=list)


def _patched(row: Kept, body: dict[str, Any]) -> dict[str, Any]:
    return patched_values(Base, row, Patch.model_validate(body))


@pytest.mark.parametrize(("target", "patch", "expected"), CASES)
def test_the_table_of_the_standard(target: Any, patch: Any, expected: Any) -> None:
    before = repr(target)
    assert merge_patch(target, patch) == expected
    assert repr(target) == before


def test_what_is_absent_stays_and_null_empties() -> None:
    row = Kept(name="Elm", note="old", spot={"place": "Hall", "seats": 4}, tags=["a", "b"])
    assert _patched(row, {})["note"] == "old"
    assert _patched(row, {"note": None})["note"] is None
    assert _patched(row, {"tags": ["c"]})["tags"] == ["c"]
    assert _patched(row, {"spot": {"seats": 5}})["spot"] == {"place": "Hall", "seats": 5}
    assert _patched(row, {"spot": None})["spot"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"low": 11}, "#"),
        ({"spot": {"place": None}}, "#/spot/place"),
        ({"spot": {"seats": "many"}}, "#/spot/seats"),
        ({"spot": {"colour": "red"}}, "#/spot/colour"),
    ],
)
def test_the_whole_is_checked_after_the_merge(body: dict[str, Any], pointer: str) -> None:
    row = Kept(name="Elm", spot={"place": "Hall", "seats": 4})
    with pytest.raises(Invalid) as refused:
        _patched(row, body)
    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_changes_are_what_differs() -> None:
    row = Kept(name="Elm", note="old")
    assert change(row, {"name": "Elm", "note": None}) == {"note": ("old", None)}
    assert row.note is None
    assert change(row, {"name": "Elm", "note": None}) == {}


def test_nested_models_are_stored_as_json() -> None:
    body = Base(name="Elm", spot=Spot(place="Hall"))
    values = column_values(body, exclude=frozenset({"tags"}))
    assert values["spot"] == {"place": "Hall", "seats": None}
    assert "tags" not in values
