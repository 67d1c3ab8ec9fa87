"""Bodies of the bulk route: what a batch asks for and what came of it."""

from enum import StrEnum
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from app.kit.fields import Day, Input, Output
from app.measures.data_points.schemas import DataPointBase

MAX_ROWS = 5_000
MAX_BYTES = 5_000_000
_ROWS: list[Any] = [
    {"period_start": "2018-01-01", "numerator": 41, "denominator": 60},
    {"period_start": "2018-01-08", "numerator": 39, "denominator": 55, "note": "Snow"},
]
CSV_EXAMPLE = "period_start,numerator,denominator,note\n2018-01-01,41,60,\n2018-01-08,39,55,Snow\n"
JSON_LINES_EXAMPLE = (
    '{"period_start": "2018-01-01", "numerator": 41, "denominator": 60}\n'
    '{"period_start": "2018-01-08", "numerator": 39, "denominator": 55, "note": "Snow"}\n'
)


class BatchMode(StrEnum):
    """What becomes of periods that are recorded already."""

    UPSERT = "upsert"
    INSERT = "insert"
    REPLACE_RANGE = "replace_range"


class BatchOptions(Input):
    """How to treat a batch. Of CSV and JSON Lines they are query parameters."""

    mode: BatchMode = Field(
        default=BatchMode.UPSERT,
        description="upsert: create or change; insert: refuse what exists; replace_range: also "
        "archive every point from `from` to `to` that the batch leaves out, of all strata.",
    )
    dry_run: bool = Field(default=False, description="Check and count, write nothing.")
    from_: Day | None = Field(
        default=None, alias="from", description="First period of replace_range."
    )
    to: Day | None = Field(default=None, description="Last period of replace_range.")

    @model_validator(mode="after")
    def _range_where_it_counts(self) -> Self:
        is_given = (self.from_ is not None, self.to is not None)
        if self.mode is not BatchMode.REPLACE_RANGE:
            if any(is_given):
                raise ValueError("from and to go with the mode replace_range only")
        elif not all(is_given):
            raise ValueError("replace_range needs from and to")
        elif self.from_ > self.to:  # type: ignore[operator]
            raise ValueError("from must not lie after to")
        return self

    def covers(self, day: Day) -> bool:
        """Whether a period lies in the range to replace."""
        return self.from_ is not None and self.to is not None and self.from_ <= day <= self.to


class DataPointBatch(BatchOptions):
    """Up to 5000 data points. What an item leaves out of a stored point stays as it is,

    an exclusion too.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"mode": "upsert", "dry_run": False, "items": _ROWS}]}
    )

    items: list[DataPointBase] = Field(max_length=MAX_ROWS)


class UncheckedBatch(BatchOptions):
    """The same before its items are looked at, so that every fault of every item can be told."""

    items: list[Any] = Field(max_length=MAX_ROWS)


class DataPointBatchResult(Output):
    """How many points the batch created, changed, left alone and archived (or would)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "created": 2,
                    "updated": 0,
                    "unchanged": 0,
                    "archived": 0,
                    "excluded": 0,
                    "exclusions_ended": 0,
                    "dry_run": False,
                }
            ]
        }
    )

    created: int
    updated: int
    unchanged: int
    archived: int
    excluded: int = Field(description="Points among them that are excluded now and were not.")
    exclusions_ended: int = Field(
        description="Excluded points that it included again, because it said so, or archived."
    )
    dry_run: bool
