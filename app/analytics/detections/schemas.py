"""Remembered signals as they are answered."""

import uuid
from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from app.kit.fields import Output
from app.kit.pagination import ListQuery


class DetectedSignalQuery(ListQuery):
    """A measure's remembered signals, the latest found first."""

    state: Literal["standing", "retracted", "any"] = Field(
        default="any", description="`standing`: what the chart still shows."
    )
    sort: Literal["-detected_at", "detected_at"] = "-detected_at"


class DetectedSignalRead(Output):
    """A signal of the default chart: when it was found, and when the chart ceased to show it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d44",
                    "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41",
                    "signal_id": "3f6c1a9be27d4c05",
                    "rule": "shift",
                    "rule_set": "mdc",
                    "direction": "high",
                    "meaning": "improvement",
                    "starts_on": "2018-04-16",
                    "ends_on": "2018-06-04",
                    "completed_on": "2018-05-28",
                    "series_revision": 41,
                    "detected_at": "2018-05-29T08:15:00Z",
                    "retracted_at": None,
                }
            ]
        }
    )

    id: uuid.UUID = Field(description="`detection_id` of its events.")
    measure_id: uuid.UUID
    signal_id: str = Field(description="The signal in the chart; moves on with phases.")
    rule: str = Field(json_schema_extra={"x-extensible-enum": True})
    rule_set: str
    direction: str | None = Field(description="`high`, `low`, or null for a pattern of spread.")
    meaning: str = Field(description="`improvement`, `concern` or `neither`.")
    starts_on: date
    ends_on: date = Field(description="Moves on while the pattern lasts.")
    completed_on: date | None = Field(description="Null for a signal about a whole phase.")
    series_revision: int = Field(description="Of the series that showed it first.")
    detected_at: datetime
    retracted_at: datetime | None = Field(description="When corrected data ceased to show it.")
