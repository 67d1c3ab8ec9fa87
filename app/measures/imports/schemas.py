"""What an import asks for, how rows name their measures, and what comes of it."""

import uuid
from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.kit.fields import Input, Name, Output, Slug
from app.measures.data_points.schemas import DataPointBase
from app.references.schemas import ExternalId

MAX_ROWS = 200_000
MAX_BYTES = 20_000_000
FAULTS_AT_MOST = 100
WAYS = ("measure_id", "measure", "external_id")  # in which a row can name its measure
_POINT: dict[str, Any] = {"period_start": "2018-01-01", "numerator": 41, "denominator": 60}
NAMED_CSV_EXAMPLE = (
    "measure,stratum,period_start,numerator,denominator\n"
    "Ready in time,,2018-01-01,41,60\nReturned by patients,,2018-01-01,3,60\n"
)
NAMED_JSON_LINES_EXAMPLE = (
    '{"measure": "Ready in time", "period_start": "2018-01-01", "numerator": 41, '
    '"denominator": 60}\n'
    '{"measure": "Returned by patients", "period_start": "2018-01-01", "numerator": 3, '
    '"denominator": 60}\n'
)


class ImportOptions(Input):
    """How to treat a file; query parameters, for the body is the file."""

    mode: Literal["upsert", "insert"] = Field(
        default="upsert", description="upsert: create or change; insert: refuse what exists."
    )
    on_error: Literal["fail", "skip"] = Field(
        default="fail",
        description="fail: look through the whole file first, and write nothing if a row has a "
        "fault; skip: leave such rows out and list them.",
    )
    dry_run: bool = Field(default=False, description="Check and count, write nothing.")


class ProjectImportOptions(ImportOptions):
    """The same where each row names its measure."""

    system: Slug | None = Field(
        default=None,
        description="The system whose ids stand in `external_id`; needed where that is a column.",
    )


class NamedDataPoint(DataPointBase):
    """A data point, with its measure: by id, by name in the project, or as a system calls it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"measure": "Ready in time", **_POINT}]}
    )

    measure_id: uuid.UUID | None = None
    measure: Name | None = None
    external_id: ExternalId | None = None


class ImportCounts(Output):
    """Rows by what became of them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = Field(default=0, description="Rows with faults; with `on_error=skip` only.")
    excluded: int = Field(default=0, description="Points that are excluded now and were not.")
    exclusions_ended: int = Field(default=0, description="Excluded points included again.")


class MeasureCounts(ImportCounts):
    """The counts of one measure of the file."""

    measure_id: uuid.UUID
    name: str


class ImportResult(ImportCounts):
    """The `result` of an import: rows by what became of them, and the first faults."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "created": 99_990,
                    "updated": 8,
                    "unchanged": 0,
                    "skipped": 2,
                    "excluded": 0,
                    "exclusions_ended": 0,
                    "dry_run": False,
                    "faults": [
                        {
                            "code": "numerator_exceeds_denominator",
                            "detail": "In a proportion the numerator is part of the denominator: "
                            "send at most that.",
                            "pointer": "#/items/16/numerator",
                            "row": 18,
                            "column": "numerator",
                        }
                    ],
                }
            ]
        }
    )

    dry_run: bool = False
    faults: list[dict[str, Any]] = Field(
        default_factory=list, description=f"Of the rows left out, the first {FAULTS_AT_MOST}."
    )


class ProjectImportResult(ImportResult):
    """The same of many measures; rows that name none count in the whole alone."""

    measures: list[MeasureCounts] = Field(
        default_factory=list, description="Each measure that rows were of, as they came up."
    )


class ImportParams(ProjectImportOptions):
    """The `params` of an import's operation. Without a measure, each row names its own."""

    measure_id: uuid.UUID | None = None
