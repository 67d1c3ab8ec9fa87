"""What a data point of each data type may look like."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from app.measures.data_points import shape
from app.measures.models import RATIO_TYPES, DataType
from tests.builders import make_measure
from tests.calling import Caller
from tests.measures.bodies import refused
from tests.world import World

Call = Callable[..., Caller]
SINGLE = sorted(set(DataType) - RATIO_TYPES)
RATIO = sorted(RATIO_TYPES)
SHARE = ["proportion", "yes_no"]
NOT_NEGATIVE = ["count", "time_between", "count_between"]
ACCEPTED = [
    *((kind, {"value": 3}, 3.0) for kind in SINGLE),
    *((kind, {"value": 0}, 0.0) for kind in SINGLE),
    *((kind, {}, None) for kind in DataType),
    *((kind, {"value": None}, None) for kind in DataType),
    *((kind, {"numerator": 1, "denominator": 4}, 0.25) for kind in RATIO),
    *((kind, {"numerator": 1, "denominator": 4, "value": 0.25}, 0.25) for kind in RATIO),
    *((kind, {"numerator": 0, "denominator": 0}, None) for kind in RATIO),
    *((kind, {"numerator": None, "denominator": 0}, None) for kind in RATIO),
    *((kind, {"numerator": None, "denominator": None}, None) for kind in RATIO),
    ("continuous", {"value": -2.5}, -2.5),
    ("time_between", {"value": 0.5}, 0.5),
    ("rate", {"numerator": 5, "denominator": 2}, 2.5),
]
REFUSED = [
    *(
        (kind, {"value": 1, "numerator": 1}, "numerator", "field_not_of_data_type")
        for kind in SINGLE
    ),
    *((kind, {"denominator": 1}, "denominator", "field_not_of_data_type") for kind in SINGLE),
    *((kind, {"value": 0.5}, "value", "field_not_of_data_type") for kind in RATIO),
    *(
        (kind, {"value": 25, "numerator": 1, "denominator": 4}, "value", "field_not_of_data_type")
        for kind in RATIO
    ),
    *((kind, {"value": -1}, "value", "negative_number") for kind in NOT_NEGATIVE),
    *(
        (kind, {"numerator": -1, "denominator": 4}, "numerator", "negative_number")
        for kind in RATIO
    ),
    *(
        (kind, {"numerator": 1, "denominator": -4}, "denominator", "negative_number")
        for kind in RATIO
    ),
    *(
        (kind, {"numerator": 1, "denominator": 0}, "denominator", "denominator_zero")
        for kind in RATIO
    ),
    *((kind, {"numerator": 1}, "denominator", "missing") for kind in RATIO),
    *((kind, {"denominator": 1}, "numerator", "missing") for kind in RATIO),
    *(
        (kind, {"numerator": 5, "denominator": 4}, "numerator", "numerator_exceeds_denominator")
        for kind in SHARE
    ),
    ("count", {"value": 1.5}, "value", "not_a_whole_number"),
    ("rate", {"numerator": 1e15, "denominator": 5e-324}, "denominator", "denominator_too_small"),
    ("rate", {"numerator": 1e15, "denominator": 0.5}, "denominator", "denominator_too_small"),
    ("count", {"period_end": "2017-12-31"}, "period_end", "period_end_before_start"),
    ("count", {"excluded": True}, "excluded_reason", "excluded_reason_required"),
    (
        "count",
        {"excluded": True, "excluded_reason": " "},
        "excluded_reason",
        "excluded_reason_required",
    ),
    ("count", {"value": "3"}, "value", "float_type"),
    ("count", {"value": True}, "value", "float_type"),
    ("count", {"value": 1e16}, "value", "less_than_equal"),
    ("count", {"stratum": "Not a slug"}, "stratum", "string_pattern_mismatch"),
    ("count", {"stratum": "x" * 65}, "stratum", "string_too_long"),
    ("count", {"status": "withdrawn"}, "status", "enum"),
    ("count", {"note": "x" * 2_001}, "note", "string_too_long"),
    ("count", {"note": "a\u0000b"}, "note", "unstorable_text"),
    ("count", {"note": "Mrs Example, 943-476-5919"}, "note", "patient_identifier_suspected"),
    ("count", {"period_start": 20180101}, "period_start", "date_type"),
    ("count", {"period_start": "20180101"}, "period_start", "date_type"),
    ("count", {"period_start": "2018-02-30"}, "period_start", "date_from_datetime_parsing"),
    ("count", {"valeu": 1}, "valeu", "extra_forbidden"),
]


@pytest.mark.parametrize(("data_type", "body", "value"), ACCEPTED)
def test_accepted(
    call: Call,
    world: World,
    session: Session,
    data_type: str,
    body: dict[str, Any],
    value: float | None,
) -> None:
    measure = make_measure(session, project=world.project, data_type=data_type)
    made = call(world.member).create(
        f"/measures/{measure.id}/data-points", {"period_start": "2018-01-01", **body}
    )
    assert made["value"] == value


@pytest.mark.parametrize(("data_type", "body", "field", "code"), REFUSED)
def test_refused(
    call: Call,
    world: World,
    session: Session,
    data_type: str,
    body: dict[str, Any],
    field: str,
    code: str,
) -> None:
    measure = make_measure(session, project=world.project, data_type=data_type)
    response = call(world.member).post(
        f"/measures/{measure.id}/data-points", {"period_start": "2018-01-01", **body}
    )
    refused(response, 422, code, f"#/{field}")
    listed = call(world.member).ok(f"/measures/{measure.id}/data-points")
    assert listed["items"] == []


@pytest.mark.parametrize(
    "text", ['{"value": NaN}', '{"value": 1e999}', '{"value": 1' + "0" * 400 + "}"]
)
def test_numbers_that_json_cannot_hold(
    call: Call, world: World, session: Session, text: str
) -> None:
    measure = make_measure(session, project=world.project, data_type="count")
    response = call(world.member)(
        "PUT",
        f"/measures/{measure.id}/data-points/2018-01-01",
        content=text,
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code in {400, 422}, response.text


numbers = st.none() | st.floats(-1e15, 1e15) | st.integers(-5, 50)
VALUES = st.fixed_dictionaries({"value": numbers, "numerator": numbers, "denominator": numbers})
CIRCUMSTANCES = {"period_start": 1, "period_end": None, "excluded": False, "excluded_reason": "x"}


@given(data_type=st.sampled_from(list(DataType)), numbers=VALUES)
def test_what_has_no_fault_can_be_stored_and_stored_again(
    data_type: DataType, numbers: dict[str, Any]
) -> None:
    values = numbers | CIRCUMSTANCES
    if shape.faults_of(data_type, values):
        return
    kept = shape.stored(data_type, values)
    assert shape.faults_of(data_type, kept) == []
    assert shape.stored(data_type, kept) == kept
    assert kept["excluded_reason"] is None
    value = kept["value"]
    if data_type in RATIO_TYPES:
        is_gap = not kept["denominator"]
        assert (value is None) == is_gap
        if data_type in {"proportion", "yes_no"} and not is_gap:
            assert 0 <= value <= 1
