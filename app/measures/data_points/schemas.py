"""Bodies of the data point routes. What a data type asks for is checked in `shape`."""

import uuid
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import MISSING, AfterValidator, ConfigDict, Field, StringConstraints

from app.kit.fields import Day, Input, NoPatientIdentifier, Note, Number, Output, Storable
from app.kit.pagination import ArchivableQuery, Commas
from app.measures.models import PointSource, PointStatus
from app.measures.schemas import Flag

Stratum = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_-]{0,63})?$", max_length=64)]
SortField = Literal["period_start", "-period_start"]
_NUMBERS: dict[str, Any] = {"value": None, "numerator": 41, "denominator": 60}
_BESIDE: dict[str, Any] = {
    "status": "final",
    "excluded": False,
    "excluded_reason": None,
    "note": "Half-term week",
}
_PERIOD: dict[str, Any] = {"period_start": "2018-01-01", "period_end": "2018-01-07", "stratum": ""}


class DataPointContent(Input):
    """What is known of a period: a value, or a numerator with its denominator; neither is a gap."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"period_end": "2018-01-07", **_NUMBERS, **_BESIDE}]}
    )

    period_end: Day | None = None
    value: Number | None = Field(
        default=None, description="Of data that are no ratios; null is a missing value."
    )
    numerator: Number | None = Field(default=None, description="Of proportion, rate and yes_no.")
    denominator: Number | None = Field(
        default=None, description="Of proportion, rate and yes_no; 0 is kept as a gap."
    )
    status: PointStatus = PointStatus.FINAL
    excluded: Flag = Field(default=False, description="Shown, but left out of lines and rules.")
    excluded_reason: Note | None = Field(default=None, description="Needed to exclude it.")
    note: Note | None = None


class DataPointBase(DataPointContent):
    """What a client may state of a data point."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PERIOD, **_NUMBERS, **_BESIDE}]})

    period_start: Day
    stratum: Stratum = Field(default="", description="Which part of the cases; empty is all.")


class DataPointCreate(DataPointBase):
    """A new data point."""


class DataPointPut(DataPointContent):
    """All that is known of the period; what is absent is emptied, but an exclusion stays."""


class DataPointPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"excluded": True, "excluded_reason": "Computer failure, half the cases"}]
        }
    )

    period_start: Day | MISSING = MISSING
    period_end: Day | None | MISSING = MISSING
    stratum: Stratum | MISSING = MISSING
    value: Number | None | MISSING = MISSING
    numerator: Number | None | MISSING = MISSING
    denominator: Number | None | MISSING = MISSING
    status: PointStatus | MISSING = MISSING
    excluded: Flag | MISSING = MISSING
    excluded_reason: Note | None | MISSING = MISSING
    note: Note | None | MISSING = MISSING


Periods = Annotated[
    list[Day],
    Field(min_length=1, max_length=1_000, description="First days of recorded periods."),
    AfterValidator(lambda days: list(dict.fromkeys(days))),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    Storable,
    NoPatientIdentifier,
]


class ExclusionCreate(Input):
    """Periods to exclude, all for one reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "periods": ["2018-01-01", "2018-01-08"],
                    "stratum": "",
                    "reason": "The practice was closed by a flood",
                }
            ]
        }
    )

    periods: Periods
    stratum: Stratum = ""
    reason: Reason


class InclusionCreate(Input):
    """Periods to include again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"periods": ["2018-01-08"], "stratum": ""}]}
    )

    periods: Periods
    stratum: Stratum = ""


class ExclusionResult(Output):
    """How many of the periods it changed; the others were so already."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"changed": 2, "unchanged": 0}]})

    changed: int
    unchanged: int


class DataPointRead(Output):
    """A data point. `value` is raw: the measure's multiplier is not applied."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
                    "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41",
                    **_PERIOD,
                    **_NUMBERS,
                    "value": 0.6833333333333333,
                    **_BESIDE,
                    "excluded_by": None,
                    "excluded_at": None,
                    "source": "api",
                    "entered_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
                    "entered_at": "2018-01-08T09:30:00Z",
                    "created_at": "2018-01-08T09:30:00Z",
                    "updated_at": "2018-01-08T09:30:00Z",
                    "archived_at": None,
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    project_id: uuid.UUID
    measure_id: uuid.UUID
    period_start: Day
    period_end: Day | None
    stratum: str
    value: float | None = Field(description="Of a ratio: numerator / denominator; null is a gap.")
    numerator: float | None
    denominator: float | None
    status: str = Field(json_schema_extra={"x-extensible-enum": list(PointStatus)})
    excluded: bool
    excluded_reason: str | None
    excluded_by: uuid.UUID | None
    excluded_at: datetime | None
    note: str | None
    source: str = Field(json_schema_extra={"x-extensible-enum": list(PointSource)})
    entered_by: uuid.UUID | None
    entered_at: datetime
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class DataPointQuery(ArchivableQuery):
    """Filters and sorts of a measure's data points."""

    max_limit: ClassVar[int] = 1_000

    limit: int = Field(
        default=50,
        ge=1,
        le=2**31,
        description="Rows a page; more than 1000 is read as that. Files hold all rows.",
    )
    period_start_from: Day | None = None
    period_start_to: Day | None = Field(default=None, description="That day included.")
    stratum: list[Stratum] = Field(
        default_factory=list, max_length=100, description="Repeat for 'or'; empty is all cases."
    )
    status: list[PointStatus] = Field(default_factory=list, description="Repeat for 'or'.")
    excluded: bool | None = None
    format: Literal["json", "csv", "jsonl"] | None = Field(
        default=None, description="Wins over Accept; csv and jsonl hold all rows of the filter."
    )
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=1)
