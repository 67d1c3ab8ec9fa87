"""What an import asks for and what comes of it."""

import uuid
from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.kit.fields import Input, Output

MAX_ROWS = 200_000
MAX_BYTES = 20_000_000
FAULTS_AT_MOST = 100


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


class ImportResult(Output):
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

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = Field(default=0, description="Rows with faults; with `on_error=skip` only.")
    excluded: int = Field(default=0, description="Points that are excluded now and were not.")
    exclusions_ended: int = Field(default=0, description="Excluded points included again.")
    dry_run: bool = False
    faults: list[dict[str, Any]] = Field(
        default_factory=list, description=f"Of the rows left out, the first {FAULTS_AT_MOST}."
    )


class ImportParams(ImportOptions):
    """The `params` of an import's operation."""

    measure_id: uuid.UUID
