"""Input types: what they take, what they refuse, and that nothing is taken for something else."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.kit import fields
from app.kit.fields import Count, Day, Email, Input, Instant, Line, Name, Number, Output, Slug, Url

TAKEN: list[tuple[Any, Any, Any]] = [
    (Name, "  Elm  ", "Elm"),
    (Name, "\U0001f333", "\U0001f333"),
    (Name, "x" * 200, "x" * 200),
    (Line, "   ", ""),
    (Url, "https://qi.example/a", "https://qi.example/a"),
    (Slug, "north-team_1", "north-team_1"),
    (Email, "Ada@Example.ORG", "ada@example.org"),
    (Day, "2017-12-07", date(2017, 12, 7)),
    (Day, date(2017, 12, 7), date(2017, 12, 7)),
    (Instant, "2018-01-31T09:00:00+01:00", datetime(2018, 1, 31, 8, tzinfo=UTC)),
    (Instant, "2018-01-31T09:00Z", datetime(2018, 1, 31, 9, tzinfo=UTC)),
    (Count, fields.INT4_MAX, fields.INT4_MAX),
    (Number, 7, 7.0),
    (Number, -1e15, -1e15),
]
REFUSED: list[tuple[Any, Any]] = [
    (Name, ""),
    (Name, "   "),
    (Name, "x" * 201),
    (Name, "a\x00b"),
    (Name, "\ud800"),
    (Name, "a\udfffb"),
    (Name, 7),
    (Line, "x" * 501),
    (Url, "javascript:alert(1)"),
    (Url, "ftp://qi.example"),
    (Slug, "North"),
    (Slug, "-a"),
    (Slug, "a" * 65),
    (Email, "nobody"),
    (Email, "a@b.c\x00"),
    (Day, 17_532),
    (Day, "17532"),
    (Day, "2017-12-07T00:00:00Z"),
    (Day, "0000-01-01"),
    (Day, "10000-01-01"),
    (Day, "2018-02-30"),
    (Instant, "2018-01-31T09:00:00"),
    (Instant, "2018-01-31"),
    (Instant, 0.5),
    (Instant, "0.5"),
    (Instant, "1514764800"),
    (Instant, "9999-12-31T23:59:59-12:00"),
    (Instant, "0001-01-01T00:00:00+14:00"),
    (Count, fields.INT4_MAX + 1),
    (Count, -1),
    (Count, True),
    (Count, "7"),
    (Count, 7.0),
    (Number, float("nan")),
    (Number, float("inf")),
    (Number, 1e16),
    (Number, "7"),
    (Number, True),
]


@pytest.mark.parametrize(("kind", "given_value", "expected"), TAKEN)
def test_taken(kind: Any, given_value: Any, expected: Any) -> None:
    assert TypeAdapter(kind).validate_python(given_value) == expected


@pytest.mark.parametrize(("kind", "given_value"), REFUSED)
def test_refused(kind: Any, given_value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(given_value)


@given(st.text(max_size=200))
def test_what_is_storable_can_be_stored(text: str) -> None:
    try:
        stored = TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return
    assert stored.encode().decode() == stored
    assert "\x00" not in stored


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda number: timezone(timedelta(minutes=number)))


@given(st.datetimes(timezones=OFFSETS))
def test_an_instant_is_kept_in_utc(instant: datetime) -> None:
    try:
        kept = TypeAdapter(Instant).validate_python(instant.isoformat())
    except ValidationError:
        assert instant.year in {1, 9999}  # out of range in UTC
        return
    assert kept == instant
    assert kept.tzinfo is UTC


def test_inputs_refuse_what_they_do_not_know_and_outputs_show_every_key() -> None:
    class Body(Input):
        name: Name

    class Answer(Output):
        name: str
        note: str | None = None

    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Body.model_validate({"name": "Elm", "nmae": "Oak"})
    schema = Answer.model_json_schema(mode="serialization")
    assert schema["required"] == ["name", "note"]
