"""The catalogue of shared projects, and the document that another server fetches.

The document's models are for both ends: they describe what we write and check what we read. So they
are bounded, skip what they do not know, and hold no field about a person.
"""

import uuid
from collections.abc import Callable, Hashable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.kit.fields import Day, Instant, Line, Name, Note, Number, Output, Prose, SearchText, Slug
from app.kit.fields import Storable as StorableText
from app.kit.pagination import Commas, ListQuery
from app.measures.annotations.schemas import SignalIds, Text
from app.measures.data_points.schemas import Stratum
from app.measures.models import AnnotationKind as Kind
from app.measures.models import DataType, Direction, Family, PhaseReason, PointStatus
from app.measures.phases.schemas import Label
from app.measures.schemas import (
    BaselinePoints,
    ChartName,
    Definition,
    Flag,
    Frequency,
    Multiplier,
    Position,
    RuleSetName,
    SampleSize,
    Target,
    Unit,
    ascending,
)
from app.pdsa.models import CycleState, Purpose
from app.pdsa.stages import CarriedOut, Decision
from app.projects.aims import Aim
from app.projects.models import PatientInvolvement, ProjectState
from app.projects.schemas import Tags
from app.sharing.models import Audience
from app.sharing.shared.examples import DOCUMENT, LISTED

MAX_MEASURES = 50
MAX_MARKS = 500  # of all measures together, of phases and of annotations each
MAX_CYCLES = 200
MAX_POINTS = 10_000  # of all measures together
MAX_BYTES = 8_000_000  # of the whole document: more is not written, and not read
T = TypeVar("T")
Token = Annotated[str, StringConstraints(min_length=1, max_length=64), StorableText]
Address = Annotated[str, StringConstraints(min_length=1, max_length=2_000), StorableText]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}-[0-9a-f]{1,64}$")]


def _each_once(key: Callable[[Any], Hashable]) -> AfterValidator:
    """Refuses a list in which two items have the same key; a key of None is no key."""

    def check(items: list[T]) -> list[T]:
        keys = [found for item in items if (found := key(item)) is not None]
        if len(set(keys)) != len(keys):
            raise ValueError("each may occur once")
        return items

    return AfterValidator(check)


class Part(BaseModel):
    """A part of the document. What a newer server adds is skipped."""

    model_config = ConfigDict(
        extra="ignore", allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


class SharedAim(Aim):
    """An aim."""

    model_config = ConfigDict(extra="ignore")


class SharedTarget(Target):
    """A target in the displayed unit, from a day on."""

    model_config = ConfigDict(extra="ignore")


class SharedPoint(Part):
    """A period. Of a ratio, only the parts; both are null where small numbers are left out."""

    period_start: Day
    period_end: Day | None = None
    stratum: Stratum = ""
    value: Number | None = None
    numerator: Number | None = None
    denominator: Number | None = None
    status: PointStatus = PointStatus.FINAL
    excluded: Flag = False
    excluded_reason: Note | None = None
    note: Note | None = None
    is_suppressed: Flag = Field(
        default=False, description="It counts so few that the numbers are left out."
    )


class SharedPhase(Part):
    """An approved phase."""

    id: uuid.UUID
    starts_on: Day
    label: Label | None = None
    reason: PhaseReason
    reason_text: Note | None = None
    baseline_points: BaselinePoints | None = None
    pdsa_cycle_ids: list[uuid.UUID] = Field(default_factory=list, max_length=50)


class SharedAnnotation(Part):
    """What happened on a day."""

    id: uuid.UUID
    happened_on: Day
    kind: Kind = Kind.NOTE
    text: Text
    explains: SignalIds = Field(default_factory=list)
    pdsa_cycle_ids: list[uuid.UUID] = Field(default_factory=list, max_length=50)


class SharedCollection(Part):
    """How often and where from; not who collects."""

    frequency: Frequency
    subgroup: Line | None = None
    sample_size: SampleSize | None = None
    source_system: Line | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None


class SharedMeasure(Part):
    """A measure with its data. `rule_set` is the one that its chart is judged by."""

    id: uuid.UUID
    code: Slug | None = None
    name: Name
    family: Family
    data_type: DataType
    operational_definition: Definition | None = None
    numerator_definition: Definition | None = None
    denominator_definition: Definition | None = None
    definition_version: int = Field(default=1, ge=1, le=1_000_000)
    unit: Unit | None = None
    multiplier: Multiplier = 1
    direction: Direction
    targets: Annotated[list[SharedTarget], Field(max_length=100), AfterValidator(ascending)] = []
    collection: SharedCollection | None = None
    chart: ChartName | None = None
    rule_set: RuleSetName | None = None
    baseline_points: BaselinePoints | None = None
    is_headline: Flag = False
    position: Position = 0
    phases: Annotated[
        list[SharedPhase],
        Field(max_length=MAX_MARKS),
        _each_once(lambda phase: phase.starts_on),
    ] = []
    annotations: Annotated[list[SharedAnnotation], Field(max_length=MAX_MARKS)] = []
    data_points: Annotated[
        list[SharedPoint],
        Field(max_length=MAX_POINTS),
        _each_once(lambda point: (point.stratum, point.period_start)),
    ] = []


class SharedCycle(Part):
    """A PDSA cycle: what was tried and learned, not by whom or where."""

    id: uuid.UUID
    ramp_id: uuid.UUID
    cycle_no: int = Field(ge=1, le=10_000)
    title: Name
    purpose: Purpose
    state: CycleState
    objective: Prose | None = None
    planned_start: Day | None = None
    planned_end: Day | None = None
    carried_out: CarriedOut | None = None
    actual_start: Day | None = None
    learning: Prose | None = None
    decision: Decision | None = None
    effective_on: Day | None = None
    started_at: Instant | None = None
    studied_at: Instant | None = None
    closed_at: Instant | None = None


class SharedProgramme(Part):
    """Where the project was done. The title only where the programme may be known so widely."""

    title: Name | None = None
    provider: Name | None = None


class SharedProvenance(Part):
    """Where the document comes from, and on which terms."""

    source: Address = Field(description="Address of the server that released it.")
    project_id: uuid.UUID
    release_id: uuid.UUID
    audience: Audience
    license: Token
    released_at: Instant
    revision: Revision = Field(description="The number in front rises with every change.")
    small_numbers: Literal["shown", "left_out"] = "left_out"


class SharedProject(Part):
    """A released project with its measures, data, cycles and provenance; nothing about persons."""

    model_config = ConfigDict(json_schema_extra={"examples": [DOCUMENT]})

    id: uuid.UUID
    title: Name
    problem: Prose | None = None
    rationale: Prose | None = None
    scope_in: Prose | None = None
    scope_out: Prose | None = None
    aim: SharedAim | None = None
    aim_statement: Annotated[str, Field(max_length=3_000)] | None = None
    area: Name | None = None
    tags: Tags = Field(default_factory=list)
    start_on: Day | None = None
    patient_involvement: PatientInvolvement = PatientInvolvement.NONE
    state: ProjectState
    paused_from: ProjectState | None = None
    stop_reason: Prose | None = None
    learning: Prose | None = None
    team: Name | None = Field(default=None, description="Its name.")
    programme: SharedProgramme
    measures: Annotated[
        list[SharedMeasure],
        Field(max_length=MAX_MEASURES),
        _each_once(lambda measure: measure.id),
        _each_once(lambda measure: measure.code),
        _each_once(lambda measure: measure.is_headline or None),
    ] = []
    pdsa_cycles: Annotated[
        list[SharedCycle],
        Field(max_length=MAX_CYCLES),
        _each_once(lambda cycle: cycle.id),
        _each_once(lambda cycle: (cycle.ramp_id, cycle.cycle_no)),
    ] = []
    is_complete: Flag = Field(default=True, description="Whether nothing was cut for its size.")
    provenance: SharedProvenance


class SharedProjectListed(Output):
    """A project of the catalogue."""

    model_config = ConfigDict(json_schema_extra={"examples": [LISTED]})

    project_id: uuid.UUID
    release_id: uuid.UUID
    title: str
    aim_statement: str | None
    area: str | None
    tags: list[str]
    state: str = Field(json_schema_extra={"x-extensible-enum": list(ProjectState)})
    team: str | None
    programme: SharedProgramme
    audience: str = Field(json_schema_extra={"x-extensible-enum": list(Audience)})
    license: str
    released_at: Instant
    url: str = Field(description="Of the document.")


SortField = Literal["title", "-title", "released_at", "-released_at"]


class SharedProjectQuery(ListQuery):
    """Filters and sorts of the catalogue."""

    q: SearchText | None = Field(default=None, description="Part of the title.")
    area: list[Name] = Field(default_factory=list, max_length=50)
    state: list[ProjectState] = Field(default_factory=list, description="Repeat for 'or'.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=2)
