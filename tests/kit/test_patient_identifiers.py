"""Free text that seems to hold an NHS number. All numbers are invented or published examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.kit.fields import Note, is_nhs_number

NOTE: TypeAdapter[str] = TypeAdapter(Note)


@pytest.mark.parametrize(
    "text",
    [
        "9434765919",
        "Seen: 943 476 5919.",
        "943-476-5919",
        "943.476.5919",
        "943\u00a0476\u00a05919",
        "943\u2013476\u20135919",
        "No9434765919!",
        "12 and 4010232137",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        NOTE.validate_python(text)
    fault = refusal.value.errors()[0]
    assert fault["type"] == "patient_identifier_suspected"
    assert "943" not in fault["msg"]


@pytest.mark.parametrize(
    "text",
    [
        "9434765918",  # wrong check digit
        "94347659190",  # eleven digits
        "943476591",  # nine
        "0207 946 0000",  # a telephone number
        "2018-01-08 15:00 to 2018-01-12",
        "41 of 60, then 39 of 55",
        "",
    ],
)
def test_let_pass(text: str) -> None:
    assert NOTE.validate_python(text) == text


@given(st.integers(0, 999_999_999))
def test_at_most_one_check_digit_is_right(stem: int) -> None:
    right = [digit for digit in range(10) if is_nhs_number(f"{stem:09}{digit}")]
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(f"{stem:09}"))
    wanted = (11 - total % 11) % 11
    assert right == ([wanted] if wanted < 10 else [])
