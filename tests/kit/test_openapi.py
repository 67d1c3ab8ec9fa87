"""What is added to the generated document: examples with their nulls, problems with their codes."""

from typing import Any

import pytest

from app.kit.errors import AlreadyExists, Archived, NotFound
from app.kit.examples import completed, example_of
from app.kit.openapi import _never_null, problems

SCHEMAS: dict[str, Any] = {
    "Tree": {
        "type": "object",
        "required": ["name", "height", "site"],
        "properties": {
            "name": {"type": "string", "examples": ["Elm"]},
            "height": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "site": {"anyOf": [{"$ref": "#/components/schemas/Site"}, {"type": "null"}]},
            "note": {"type": "string"},
        },
    },
    "Site": {
        "type": "object",
        "required": ["grid"],
        "properties": {"grid": {"type": ["string", "null"]}},
        "examples": [{}],
    },
}
TREE = {"$ref": "#/components/schemas/Tree"}


def test_an_example_is_put_together_from_those_of_the_fields() -> None:
    assert example_of(TREE, SCHEMAS) == {"name": "Elm", "height": None, "site": None}
    page = {"type": "array", "items": TREE}
    assert example_of(page, SCHEMAS) == [example_of(TREE, SCHEMAS)]
    assert example_of({"type": "string"}, SCHEMAS) is None
    assert example_of({"const": "x"}, SCHEMAS) == "x"


def test_an_example_gets_its_nulls_and_its_order_back() -> None:
    made = completed({"site": {}, "name": "Oak"}, TREE, SCHEMAS)
    assert list(made) == ["name", "height", "site"]
    assert made == {"name": "Oak", "height": None, "site": {"grid": None}}
    assert completed([{}], {"items": TREE}, SCHEMAS)[0]["name"] is None


@pytest.mark.parametrize(
    ("given_schema", "expected"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Q"},
         {"type": "string", "title": "Q"}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
         {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]},
         {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"type": "integer"}, {"type": "integer"}),
    ],
)  # fmt: skip
def test_a_parameter_is_absent_and_never_null(
    given_schema: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert _never_null(given_schema) == expected


def test_problems_are_gathered_by_status() -> None:
    made = problems(AlreadyExists, Archived, NotFound)
    assert set(made) == {409, 404}
    assert list(made[409]["x-problems"]) == ["already_exists", "archived"]
