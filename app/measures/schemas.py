"""Bodies of the measure routes."""

import itertools
import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    MISSING,
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app import spc
from app.kit.fields import (
    Day,
    Input,
    Line,
    Name,
    NoPatientIdentifier,
    Note,
    Number,
    Output,
    Prose,
    SearchText,
    Slug,
    Storable,
)
from app.kit.pagination import ArchivableQuery, Commas
from app.measures.models import DataType, Direction, Family
from app.references.schemas import REF_EXAMPLE, ExternalRefs, RefFilter


class Frequency(StrEnum):
    """How often a point is collected."""

    PER_CASE = "per_case"
    DAILY = "daily"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


def _known_chart(name: str) -> str:
    if name not in spc.CHARTS:
        raise PydanticCustomError("unknown_chart", f"Choose one of {', '.join(spc.CHARTS)}.")
    return name


def _known_rule_set(name: str) -> str:
    if name not in spc.RULE_SETS:
        raise PydanticCustomError("unknown_rule_set", f"Choose one of {', '.join(spc.RULE_SETS)}.")
    return name


def ascending(targets: list["Target"]) -> list["Target"]:
    """The targets, refused unless their days rise."""
    for before, after in itertools.pairwise(targets):
        if after.from_ is None or (before.from_ is not None and after.from_ <= before.from_):
            raise PydanticCustomError(
                "targets_out_of_order",
                "The days of the targets must rise; only the first may be null.",
            )
    return targets


def _uuid_text(value: Any) -> Any:
    """An identifier as the text that a JSON column holds; what is none is left to be refused."""
    if not isinstance(value, str):
        return value
    try:
        return str(uuid.UUID(value))
    except ValueError as fault:
        raise PydanticCustomError("uuid_parsing", "Give an identifier (UUID).") from fault


def _each_once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


class Target(Input):
    """A target in the displayed unit (90 means 90 %), from a day on; null is from the start."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_alias=True)

    from_: Day | None = Field(default=None, alias="from")
    value: Number


Definition = Annotated[Prose, NoPatientIdentifier]
Unit = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Storable
]
Multiplier = Annotated[float, Field(gt=0, le=1e9, strict=True, allow_inf_nan=False)]
Targets = Annotated[list[Target], Field(max_length=100), AfterValidator(ascending)]
ChartName = Annotated[
    str,
    Field(max_length=16, json_schema_extra={"enum": list(spc.CHARTS)}),
    AfterValidator(_known_chart),
]
RuleSetName = Annotated[
    str,
    Field(max_length=32, json_schema_extra={"enum": list(spc.RULE_SETS)}),
    AfterValidator(_known_rule_set),
]
BaselinePoints = Annotated[int, Field(ge=1, le=10_000, strict=True)]
SampleSize = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Position = Annotated[int, Field(ge=0, le=10_000, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
CycleId = Annotated[
    str, BeforeValidator(_uuid_text), Field(max_length=36, json_schema_extra={"format": "uuid"})
]
CycleIds = Annotated[
    list[CycleId],
    Field(max_length=50, description="PDSA cycles of the project that stand behind it."),
    AfterValidator(_each_once),
]
SortField = Literal["position", "-position", "name", "-name", "updated_at", "-updated_at"]
_EXAMPLE: dict[str, Any] = {
    "code": "answered-48h",
    "name": "Requests answered within 48 hours",
    "family": "outcome",
    "data_type": "proportion",
    "operational_definition": "Online requests of the week, Monday to Sunday; spam left out.",
    "numerator_definition": "Requests that were answered within 48 hours",
    "denominator_definition": "All requests received",
    "unit": "%",
    "multiplier": 100,
    "direction": "increase",
    "targets": [{"from": None, "value": 80}, {"from": "2018-04-01", "value": 90}],
    "collection": {
        "frequency": "weekly",
        "subgroup": None,
        "sample_size": None,
        "source_system": "Appointment system",
        "collector": "Practice manager",
        "starts_on": "2017-10-02",
        "ends_on": None,
    },
    "chart": None,
    "rule_set": None,
    "baseline_points": 12,
    "is_headline": True,
    "position": 1,
}


class Collection(Input):
    """Who collects the data, how often, where from and until when."""

    frequency: Frequency
    subgroup: Line | None = None
    sample_size: SampleSize | None = None
    source_system: Line | None = None
    collector: Line | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("ends_on must not lie before starts_on")
        return self


class MeasureBase(Input):
    """What a client may state of a measure."""

    code: Slug | None = Field(default=None, description="Unique in the project.")
    name: Name
    family: Family
    data_type: DataType = Field(description="Cannot change once there are data.")
    operational_definition: Definition | None = Field(
        default=None, description="What is counted, where, when, and what is left out."
    )
    numerator_definition: Definition | None = None
    denominator_definition: Definition | None = None
    unit: Unit | None = Field(default=None, description="Of the displayed values, such as %.")
    multiplier: Multiplier = Field(default=1, description="100 shows a proportion in per cent.")
    direction: Direction = Field(description="Which way is better.")
    targets: Targets = Field(default_factory=list)
    collection: Collection | None = None
    chart: ChartName | None = Field(default=None, description="Null: what suits the data type.")
    rule_set: RuleSetName | None = Field(
        default=None, description="Null: that of the programme, or else of the chart."
    )
    baseline_points: BaselinePoints | None = Field(
        default=None, description="Points from the start of each phase that lines are taken from."
    )
    is_headline: Flag = Field(default=False, description="At most one of a project.")
    position: Position = 0


class MeasureCreate(MeasureBase):
    """A new measure of a project."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class CollectionPatch(Input):
    """The parts of the data plan to change."""

    frequency: Frequency | MISSING = MISSING
    subgroup: Line | None | MISSING = MISSING
    sample_size: SampleSize | None | MISSING = MISSING
    source_system: Line | None | MISSING = MISSING
    collector: Line | None | MISSING = MISSING
    starts_on: Day | None | MISSING = MISSING
    ends_on: Day | None | MISSING = MISSING


class MeasurePatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "denominator_definition": "All requests received, without repeats",
                    "definition_change_reason": "Repeats were counted twice",
                }
            ]
        }
    )

    code: Slug | None | MISSING = MISSING
    name: Name | MISSING = MISSING
    family: Family | MISSING = MISSING
    data_type: DataType | MISSING = MISSING
    operational_definition: Definition | None | MISSING = MISSING
    numerator_definition: Definition | None | MISSING = MISSING
    denominator_definition: Definition | None | MISSING = MISSING
    unit: Unit | None | MISSING = MISSING
    multiplier: Multiplier | MISSING = MISSING
    direction: Direction | MISSING = MISSING
    targets: Targets | MISSING = MISSING
    collection: CollectionPatch | None | MISSING = MISSING
    chart: ChartName | None | MISSING = MISSING
    rule_set: RuleSetName | None | MISSING = MISSING
    baseline_points: BaselinePoints | None | MISSING = MISSING
    is_headline: Flag | MISSING = MISSING
    position: Position | MISSING = MISSING
    definition_change_reason: Note | None | MISSING = Field(
        default=MISSING,
        description="Needed to change definition, unit or multiplier of a measure with data.",
    )


class MeasureRead(Output):
    """A measure. `warnings` never refuse anything: they say what the project still lacks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
                    **_EXAMPLE,
                    "definition_version": 1,
                    "series_revision": 41,
                    "series_changed_at": "2018-01-08T09:30:00Z",
                    "warnings": ["no_balancing_measure"],
                    "external_refs": [REF_EXAMPLE],
                    "created_at": "2017-12-08T09:00:00Z",
                    "updated_at": "2017-12-08T09:00:00Z",
                    "archived_at": None,
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    project_id: uuid.UUID
    code: str | None
    name: str
    family: str = Field(json_schema_extra={"x-extensible-enum": list(Family)})
    data_type: str = Field(json_schema_extra={"x-extensible-enum": list(DataType)})
    operational_definition: str | None
    numerator_definition: str | None
    denominator_definition: str | None
    definition_version: int = Field(description="Rises when the definition changes after data.")
    unit: str | None
    multiplier: float
    direction: str = Field(json_schema_extra={"x-extensible-enum": list(Direction)})
    targets: list[Target]
    collection: Collection | None
    chart: str | None
    rule_set: str | None
    baseline_points: int | None
    is_headline: bool
    position: int
    series_revision: int = Field(description="Rises with whatever the chart of the measure prints.")
    series_changed_at: datetime
    warnings: list[str] = Field(
        default_factory=list,
        description="`measure_definition_missing`, `too_many_measures`, `no_outcome_measure`, "
        "`no_process_measure`, `no_balancing_measure`.",
    )
    external_refs: ExternalRefs = []
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class MeasureQuery(ArchivableQuery):
    """Filters and sorts of a project's measures."""

    q: SearchText | None = Field(default=None, description="Part of the name.")
    family: list[Family] = Field(default_factory=list, description="Repeat for 'or'.")
    data_type: list[DataType] = Field(default_factory=list, description="Repeat for 'or'.")
    code: Slug | None = None
    is_headline: bool | None = None
    external_ref: RefFilter = Field(default_factory=list)
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
