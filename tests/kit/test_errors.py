"""Errors: pointers, places, statuses, and what of a Pydantic error is kept."""

import pytest
from pydantic import BaseModel, ValidationError

from app.kit import errors
from app.kit.problems import STATUS_OF_KIND, status_of


class Login(BaseModel):
    password: int
    tries: list[int] = []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("name",), "#/name"),
        (("items", 17, "value"), "#/items/17/value"),
        (("a/b", "c~d"), "#/a~1b/c~0d"),
        (("~1",), "#/~01"),
        (("",), "#/"),
        (("x" * 500,), "#/" + "x" * 100),
    ],
)
def test_a_pointer_is_escaped_and_bounded(steps: tuple[str | int, ...], expected: str) -> None:
    assert errors.pointer(*steps) == expected


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (("body",), {"pointer": "#"}),
        (("body", "items", 3), {"pointer": "#/items/3"}),
        (("query", "limit"), {"parameter": "limit"}),
        (("query",), {"parameter": "query"}),
        (("path", "team_id"), {"parameter": "team_id"}),
        (("header", "if-match"), {"header": "if-match"}),
    ],
)
def test_a_fault_has_exactly_one_place(
    location: tuple[str | int, ...], place: dict[str, str]
) -> None:
    fault = errors.field_error({"type": "missing", "msg": "Field required", "loc": location})
    assert fault.as_dict() == {"code": "missing", "detail": "Field required", **place}


def test_the_input_is_not_kept() -> None:
    with pytest.raises(ValidationError) as caught:
        Login.model_validate({"password": "hunter2", "tries": ["hunter2"]})
    faults = [errors.field_error(item, prefix=("body",)) for item in caught.value.errors()]
    assert [fault.pointer for fault in faults] == ["#/password", "#/tries/0"]
    assert "hunter2" not in str(faults)


def _leaves(kind: type[errors.OpenQIError]) -> list[type[errors.OpenQIError]]:
    return [kind, *(leaf for below in kind.__subclasses__() for leaf in _leaves(below))]


def test_every_error_has_the_status_of_its_kind() -> None:
    for kind, status in STATUS_OF_KIND.items():
        assert {status_of(error) for error in _leaves(kind)} == {status}
    assert len(set(STATUS_OF_KIND.values())) == len(STATUS_OF_KIND)


def test_a_blocked_step_says_what_is_missing_and_whether_it_can_be_overridden() -> None:
    strict = errors.TransitionBlocked(to="done", missing=["no aim"], can_override=False)
    assert strict.extra == {"missing": ["no aim"], "can_override": False}
    assert "override_reason" not in str(strict.detail)
    lenient = errors.TransitionBlocked(to="done", missing=["no aim"], can_override=True)
    assert "override_reason" in str(lenient.detail)


def test_a_refused_step_lists_the_steps_that_there_are() -> None:
    refused = errors.InvalidStateTransition(state="draft", to="closed", allowed=["b", "a"])
    assert refused.extra == {"allowed": ["a", "b"]}
