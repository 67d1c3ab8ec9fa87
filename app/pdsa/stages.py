"""The four stages of a cycle, each as it is kept, as it is patched and as it is read."""

import uuid
from enum import StrEnum
from typing import Annotated, Self

from pydantic import MISSING, Field, StringConstraints, model_validator

from app.kit.fields import Day, Input, Line, Number, Output, Prose, Storable

Entry = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), Storable
]
Entries = Annotated[list[Entry], Field(max_length=50)]
Share = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]


class TestScale(StrEnum):
    """How much is tried at once, from the smallest."""

    __test__ = False  # its name makes pytest look for tests in it

    SINGLE_CASE = "single_case"
    FEW_CASES = "few_cases"
    ONE_SESSION_OR_DAY = "one_session_or_day"
    ONE_CLINICIAN = "one_clinician"
    ONE_TEAM = "one_team"
    ONE_PRACTICE = "one_practice"
    SEVERAL_PRACTICES = "several_practices"
    WHOLE_AREA = "whole_area"


class CarriedOut(StrEnum):
    """Whether the plan was carried out."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Judgement(StrEnum):
    """How a prediction fared."""

    CONFIRMED = "confirmed"
    PARTLY = "partly"
    REFUTED = "refuted"
    UNTESTABLE = "untestable"


class Decision(StrEnum):
    """What becomes of the change."""

    ADOPT = "adopt"
    ADAPT = "adapt"
    ABANDON = "abandon"
    EXPAND = "expand"
    REPEAT = "repeat"


class Prediction(Input):
    """What the team expects, written before it knows."""

    id: uuid.UUID | None = Field(
        default=None, description="Given by the server; send it back to keep a prediction."
    )
    text: Entry
    because: Entry | None = None
    measure_id: uuid.UUID | None = Field(default=None, description="A measure of the project.")
    expected_value: Number | None = None
    expected_low: Number | None = None
    expected_high: Number | None = None
    confidence: Share | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.expected_low, self.expected_high
        if low is not None and high is not None and high < low:
            raise ValueError("expected_high must not lie below expected_low")
        return self


Predictions = Annotated[
    list[Prediction],
    Field(max_length=50, description="One for each question, in the order of the questions."),
]


class DataPlan(Input):
    """Which data the test yields: a measure of the project, or what is observed."""

    measure_id: uuid.UUID | None = None
    observation: Line | None = None
    who: Line | None = None
    how: Line | None = None
    when: Line | None = None


class DataPlanPatch(Input):
    """The parts of the data plan to change."""

    measure_id: uuid.UUID | None | MISSING = MISSING
    observation: Line | None | MISSING = MISSING
    who: Line | None | MISSING = MISSING
    how: Line | None | MISSING = MISSING
    when: Line | None | MISSING = MISSING


class Plan(Input):
    """What is tried, by whom, when and where, and what the team predicts."""

    objective: Prose | None = None
    questions: Entries = Field(default_factory=list)
    predictions: Predictions = Field(default_factory=list)
    test_scale: TestScale | None = None
    where: Line | None = None
    when_start: Day | None = None
    when_end: Day | None = None
    who: Entries = Field(default_factory=list)
    tasks: Entries = Field(default_factory=list)
    data_plan: DataPlan | None = None
    safety_check: Prose | None = Field(default=None, description="Risks, and who watches them.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.when_start and self.when_end and self.when_end < self.when_start:
            raise ValueError("when_end must not lie before when_start")
        return self


class PlanPatch(Input):
    """The parts of the plan to change, until the cycle starts."""

    objective: Prose | None | MISSING = MISSING
    questions: Entries | MISSING = MISSING
    predictions: Predictions | MISSING = MISSING
    test_scale: TestScale | None | MISSING = MISSING
    where: Line | None | MISSING = MISSING
    when_start: Day | None | MISSING = MISSING
    when_end: Day | None | MISSING = MISSING
    who: Entries | MISSING = MISSING
    tasks: Entries | MISSING = MISSING
    data_plan: DataPlanPatch | None | MISSING = MISSING
    safety_check: Prose | None | MISSING = MISSING


class Do(Input):
    """What was done and seen."""

    carried_out: CarriedOut | None = None
    actual_start: Day | None = None
    observations: Entries = Field(default_factory=list)
    problems: Entries = Field(default_factory=list)
    unexpected: Entries = Field(default_factory=list)
    data_collected: Entries = Field(default_factory=list)


class DoPatch(Input):
    """The parts of what was done to change, while it is being done."""

    carried_out: CarriedOut | None | MISSING = MISSING
    actual_start: Day | None | MISSING = MISSING
    observations: Entries | MISSING = MISSING
    problems: Entries | MISSING = MISSING
    unexpected: Entries | MISSING = MISSING
    data_collected: Entries | MISSING = MISSING


class PredictionResult(Input):
    """How one prediction fared."""

    prediction_id: uuid.UUID
    result: Judgement
    observed_value: Number | None = None
    comment: Line | None = None


Results = Annotated[list[PredictionResult], Field(max_length=50)]
PointIds = Annotated[
    list[uuid.UUID], Field(max_length=200, description="Data points that were compared.")
]


class Study(Input):
    """What the data say, set against each prediction."""

    analysis: Prose | None = None
    results: Results = Field(default_factory=list)
    learning: Prose | None = None
    signal_refs: Entries = Field(default_factory=list)
    data_point_ids: PointIds = Field(default_factory=list)


class StudyPatch(Input):
    """The parts of the study to change, while it is open."""

    analysis: Prose | None | MISSING = MISSING
    results: Results | MISSING = MISSING
    learning: Prose | None | MISSING = MISSING
    signal_refs: Entries | MISSING = MISSING
    data_point_ids: PointIds | MISSING = MISSING


class Act(Input):
    """What follows."""

    decision: Decision | None = None
    rationale: Prose | None = None
    next_cycle_id: uuid.UUID | None = Field(default=None, description="Or say why none follows.")
    no_next_reason: Prose | None = None
    effective_on: Day | None = Field(default=None, description="From when an adopted change holds.")


class ActPatch(Input):
    """The parts of the decision to change, until the cycle is closed."""

    decision: Decision | None | MISSING = MISSING
    rationale: Prose | None | MISSING = MISSING
    next_cycle_id: uuid.UUID | None | MISSING = MISSING
    no_next_reason: Prose | None | MISSING = MISSING
    effective_on: Day | None | MISSING = MISSING


class PredictionRead(Output):
    """A prediction."""

    id: uuid.UUID
    text: str
    because: str | None = None
    measure_id: uuid.UUID | None = None
    expected_value: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    confidence: float | None = None


class DataPlanRead(Output):
    """A data plan."""

    measure_id: uuid.UUID | None = None
    observation: str | None = None
    who: str | None = None
    how: str | None = None
    when: str | None = None


class PlanRead(Output):
    """A plan."""

    objective: str | None = None
    questions: list[str] = []
    predictions: list[PredictionRead] = []
    test_scale: str | None = Field(
        default=None, json_schema_extra={"x-extensible-enum": list(TestScale)}
    )
    where: str | None = None
    when_start: Day | None = None
    when_end: Day | None = None
    who: list[str] = []
    tasks: list[str] = []
    data_plan: DataPlanRead | None = None
    safety_check: str | None = None


class DoRead(Output):
    """What was done and seen."""

    carried_out: str | None = Field(
        default=None, json_schema_extra={"x-extensible-enum": list(CarriedOut)}
    )
    actual_start: Day | None = None
    observations: list[str] = []
    problems: list[str] = []
    unexpected: list[str] = []
    data_collected: list[str] = []


class PredictionResultRead(Output):
    """How one prediction fared."""

    prediction_id: uuid.UUID
    result: str = Field(json_schema_extra={"x-extensible-enum": list(Judgement)})
    observed_value: float | None = None
    comment: str | None = None


class StudyRead(Output):
    """A study."""

    analysis: str | None = None
    results: list[PredictionResultRead] = []
    learning: str | None = None
    signal_refs: list[str] = []
    data_point_ids: list[uuid.UUID] = []


class ActRead(Output):
    """A decision."""

    decision: str | None = Field(
        default=None, json_schema_extra={"x-extensible-enum": list(Decision)}
    )
    rationale: str | None = None
    next_cycle_id: uuid.UUID | None = None
    no_next_reason: str | None = None
    effective_on: Day | None = None
