"""What a data point of each data type must look like, and what is stored of it."""

import math
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from app.kit.errors import FieldError, Invalid, pointer
from app.kit.fields import NUMBER_MAX
from app.measures.models import RATIO_TYPES, SHARE_TYPES, DataType

_NOT_NEGATIVE = frozenset({DataType.COUNT, DataType.TIME_BETWEEN, DataType.COUNT_BETWEEN})
_FOREIGN = "field_not_of_data_type"
_NEGATIVE = "negative_number"

Values = Mapping[str, Any]


class Fault(NamedTuple):
    """One thing wrong with one field."""

    field: str
    code: str
    detail: str


def faults_of(data_type: DataType, values: Values) -> list[Fault]:
    """Everything wrong with a data point of this type."""
    check = _ratio if data_type in RATIO_TYPES else _single
    return [*check(data_type, values), *_circumstances(values)]


def _circumstances(values: Values) -> Iterator[Fault]:
    if values["period_end"] is not None and values["period_end"] < values["period_start"]:
        yield Fault("period_end", "period_end_before_start", "A period ends on or after its start.")
    if values["excluded"] and not values["excluded_reason"]:
        yield Fault("excluded_reason", "excluded_reason_required", "Say why it is excluded.")


def _single(data_type: DataType, values: Values) -> Iterator[Fault]:
    for field in ("numerator", "denominator"):
        if values[field] is not None:
            yield Fault(field, _FOREIGN, f"A {data_type} takes a value; leave {field} out.")
    value = values["value"]
    if value is None:
        return
    if value < 0 and data_type in _NOT_NEGATIVE:
        yield Fault("value", _NEGATIVE, f"A {data_type} is zero or more.")
    if data_type is DataType.COUNT and not float(value).is_integer():
        yield Fault("value", "not_a_whole_number", "A count is a whole number.")


def _ratio(data_type: DataType, values: Values) -> Iterator[Fault]:
    numerator, denominator = values["numerator"], values["denominator"]
    if values["value"] is not None and not _repeats_ratio(values):
        detail = f"A {data_type} takes numerator and denominator; leave value out."
        yield Fault("value", _FOREIGN, detail)
    negative = [name for name in ("numerator", "denominator") if (values[name] or 0) < 0]
    for field in negative:
        yield Fault(field, _NEGATIVE, f"A {field} is zero or more.")
    if negative:
        return
    if denominator == 0:
        if numerator:
            detail = "Of no cases none can count: send 0 or null as numerator, or the denominator."
            yield Fault("denominator", "denominator_zero", detail)
    elif (numerator is None) != (denominator is None):
        field = "numerator" if numerator is None else "denominator"
        yield Fault(field, "missing", "Send numerator and denominator, or neither for a gap.")
    elif numerator is not None:
        yield from _quotient(data_type, numerator, denominator)


def _quotient(data_type: DataType, numerator: float, denominator: float) -> Iterator[Fault]:
    if data_type in SHARE_TYPES and numerator > denominator:
        detail = f"In a {data_type} the numerator is part of the denominator: send at most that."
        yield Fault("numerator", "numerator_exceeds_denominator", detail)
    elif numerator / denominator > NUMBER_MAX:  # or infinite
        yield Fault("denominator", "denominator_too_small", "The ratio is too large a number.")


def _ratio_of(values: Values) -> float | None:
    """Numerator over denominator; None for a gap."""
    numerator, denominator = values["numerator"], values["denominator"]
    return None if numerator is None or not denominator else float(numerator / denominator)


def _repeats_ratio(values: Values) -> bool:
    """A file that was written by us states the value beside its parts."""
    ratio = _ratio_of(values)
    return ratio is not None and math.isclose(values["value"], ratio, rel_tol=1e-9)


def stored(data_type: DataType, values: Values) -> dict[str, Any]:
    """The columns of a data point without faults."""
    kept = dict(values)
    if data_type in RATIO_TYPES:
        kept["value"] = _ratio_of(values)
    if not kept["excluded"]:
        kept["excluded_reason"] = None
    return kept


def exclusion(
    before: Values | None, after: Values, *, by: uuid.UUID, at: datetime
) -> dict[str, Any]:
    """Who excluded a point and when: whoever stated the present reason."""
    if not after["excluded"]:
        return {"excluded_by": None, "excluded_at": None}
    if before is not None and before["excluded_reason"] == after["excluded_reason"]:
        return {name: before[name] for name in ("excluded_by", "excluded_at")}
    return {"excluded_by": by, "excluded_at": at}


def checked(data_type: DataType, values: Values) -> dict[str, Any]:
    """The columns of one data point. Raises `Invalid` with a pointer to each fault."""
    faults = faults_of(data_type, values)
    if faults:
        raise Invalid(
            errors=[
                FieldError(code=fault.code, detail=fault.detail, pointer=pointer(fault.field))
                for fault in faults
            ]
        )
    return stored(data_type, values)
