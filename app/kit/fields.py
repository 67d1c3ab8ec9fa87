"""Types of input fields that no database chokes on: no NUL, lone surrogate, overflow or NaN."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

INT4_MAX = 2_147_483_647
INT8_SAFE_MAX = (
    9_007_199_254_740_991  # the largest integer that a JSON client in JavaScript can hold
)
NUMBER_MAX = 1e15
# Ten digits, unbroken or as NHS numbers are written (3 3 4), and no part of a longer number. Other
# groupings are let pass: a date with an hour has ten digits too.
_GAP = r"[\s.\u2010-\u2015-]{0,2}"
_TEN_DIGITS = re.compile(rf"(?<![0-9])[0-9]{{3}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}(?![0-9])")
_NOT_DIGITS = re.compile(r"[^0-9]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d")


def storable(text: str) -> str:
    """Refuse what PostgreSQL or UTF-8 cannot hold: NUL and lone surrogates."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError(
            "unstorable_text", "Text must not hold NUL characters or lone surrogates."
        )
    return text


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits end in the check digit of an NHS number (modulus 11)."""
    weighted = zip(digits[:9], range(10, 1, -1), strict=True)
    total = sum(int(digit) * weight for digit, weight in weighted)
    return (11 - total % 11) % 11 == int(digits[9])


def no_patient_identifier(text: str) -> str:
    """Refuse text that seems to hold an NHS number: data about patients have no place here."""
    for found in _TEN_DIGITS.finditer(text):
        if is_nhs_number(_NOT_DIGITS.sub("", found[0])):
            raise PydanticCustomError(
                "patient_identifier_suspected",
                "This seems to hold an NHS number; leave out whatever identifies a patient.",
            )
    return text


def _text_only(value: Any) -> Any:
    """Numbers are not dates here, although Pydantic would read them as seconds since 1970."""
    if isinstance(value, (int, float)):
        raise PydanticCustomError("date_type", "Give a date as YYYY-MM-DD.")
    return value


def _iso_day(value: Any) -> Any:
    """Only YYYY-MM-DD: Pydantic would also read `1514764800` and a time of day."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("date_type", "Give a date as YYYY-MM-DD.")
    return _text_only(value)


def _iso_instant(value: Any) -> Any:
    """Only a day with a time: Pydantic would also read `0.5`, as seconds since 1970."""
    if isinstance(value, str) and not _TIME.match(value):
        raise PydanticCustomError("datetime_type", "Give an instant as 2018-01-31T09:00:00Z.")
    return _text_only(value)


def _to_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as fault:  # 9999-12-31T23:59:59-12:00 is no instant in UTC
        raise PydanticCustomError("datetime_range", "The instant is out of range.") from fault


Storable = AfterValidator(storable)
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable
]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), Storable]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000), Storable]
NoPatientIdentifier = AfterValidator(no_patient_identifier)
Note = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2_000), Storable, NoPatientIdentifier
]
Url = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=r"^https?://"), Storable
]
SearchText = Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower), Storable]
Day = Annotated[date, BeforeValidator(_iso_day)]
Instant = Annotated[AwareDatetime, BeforeValidator(_iso_instant), AfterValidator(_to_utc)]
Count = Annotated[int, Field(ge=0, le=INT4_MAX, strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-NUMBER_MAX, le=NUMBER_MAX)]


class Input(BaseModel):
    """Base of every request body: unknown fields are refused, so a typo is an error, no loss."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Output(BaseModel):
    """Base of every response body: every key is always there."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True
    )
