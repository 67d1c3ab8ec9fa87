"""Bodies of the annotation routes."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, AfterValidator, ConfigDict, Field, StringConstraints

from app.kit.fields import Day, Input, NoPatientIdentifier, Output, Storable
from app.kit.pagination import ArchivableQuery, Commas
from app.measures.models import AnnotationKind
from app.measures.schemas import CycleIds

Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    Storable,
    NoPatientIdentifier,
]
SignalId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
SignalIds = Annotated[
    list[SignalId],
    Field(
        max_length=50,
        description="Signals of the chart that it explains, by id. One that the data no longer "
        "show is kept and printed nowhere.",
    ),
    AfterValidator(lambda ids: list(dict.fromkeys(ids))),
]
SortField = Literal["happened_on", "-happened_on", "created_at", "-created_at"]
_EXAMPLE: dict[str, Any] = {
    "happened_on": "2018-05-14",
    "kind": "change",
    "text": "Guarded signing slot in both practices",
    "explains": ["3f6c1a9be27d4c05"],
    "pdsa_cycle_ids": [],
}


class AnnotationBase(Input):
    """What a client may state of an annotation."""

    happened_on: Day = Field(
        description="Shown at the point whose period holds the day; at the first or the last "
        "point where it lies outside."
    )
    kind: AnnotationKind = AnnotationKind.NOTE
    text: Text
    explains: SignalIds = Field(default_factory=list)
    pdsa_cycle_ids: CycleIds = Field(default_factory=list)


class AnnotationCreate(AnnotationBase):
    """A new annotation of a measure."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class AnnotationPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"explains": ["3f6c1a9be27d4c05"]}]})

    happened_on: Day | MISSING = MISSING
    kind: AnnotationKind | MISSING = MISSING
    text: Text | MISSING = MISSING
    explains: SignalIds | MISSING = MISSING
    pdsa_cycle_ids: CycleIds | MISSING = MISSING


class AnnotationRead(Output):
    """What happened on a day, as it is marked on the chart of the measure."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
                    "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41",
                    **_EXAMPLE,
                    "created_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
                    "created_at": "2018-05-14T16:00:00Z",
                    "updated_at": "2018-05-14T16:00:00Z",
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
    happened_on: Day
    kind: str = Field(json_schema_extra={"x-extensible-enum": list(AnnotationKind)})
    text: str
    explains: list[str]
    pdsa_cycle_ids: list[uuid.UUID]
    created_by: uuid.UUID | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class AnnotationQuery(ArchivableQuery):
    """Filters and sorts of a measure's annotations."""

    kind: list[AnnotationKind] = Field(default_factory=list, description="Repeat for 'or'.")
    happened_on_from: Day | None = None
    happened_on_to: Day | None = Field(default=None, description="That day included.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=2)
