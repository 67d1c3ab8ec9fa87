"""The mapping of a connection: which message does what, and where in it our fields stand.

Pointers are JSON Pointers (RFC 6901). A mapping is checked when it is saved, each fault with its
place, so that a message is refused for what it says and not for a slip of whoever wrote the rule.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from app.kit.errors import FieldError, pointer
from app.kit.fields import NUMBER_MAX, Input, Storable, storable
from app.measures.data_points.schemas import DataPointBase
from app.measures.schemas import MeasureCreate, MeasurePatch
from app.projects.schemas import ProjectCreate, ProjectPatch

MAX_RULES = 50
_DEEPEST = 10


def checked_json(value: Any, *, deepest: int = _DEEPEST) -> Any:
    """JSON that any database and any answer can hold."""
    if deepest < 0:
        raise PydanticCustomError("too_deep", "This has too many levels.")
    match value:
        case str():
            storable(value)
        case list():
            for item in value:
                checked_json(item, deepest=deepest - 1)
        case dict():
            for name, item in value.items():
                storable(name)
                checked_json(item, deepest=deepest - 1)
        case int() | float() if not abs(value) <= NUMBER_MAX:
            raise PydanticCustomError("number_range", "The number is out of range.")
    return value


Constant = Annotated[JsonValue, AfterValidator(checked_json)]
Pointer = Annotated[
    str, StringConstraints(pattern=r"^(/([^~/]|~[01])*)*$", max_length=500), Storable
]
EventPattern = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9_:-]+\.)*([A-Za-z0-9_:-]+|\*)$", max_length=100),
    Field(description="A type of message; a final `*` stands for any rest: `project.*`, `*`."),
]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]
Word = Annotated[str, StringConstraints(max_length=500), Storable]
Scalar = Annotated[str, StringConstraints(max_length=2_000), Storable] | bool | int | float | None
EXAMPLE: dict[str, Any] = {
    "type": "/event",
    "rules": [
        {
            "event_type": "project.*",
            "action": "upsert_project",
            "external_id": "/project/id",
            "fields": {
                "title": {"pointer": "/project/name"},
                "tags": {"constant": ["from-lifeqi"]},
            },
        },
        {
            "event_type": "measure.saved",
            "action": "upsert_measure",
            "external_id": "/measure/id",
            "parent_external_id": "/measure/project_id",
            "fields": {
                "name": {"pointer": "/measure/title"},
                "family": {"pointer": "/measure/kind", "translate": {"Outcome": "outcome"}},
                "data_type": {"constant": "proportion"},
                "direction": {"constant": "increase"},
            },
        },
        {
            "event_type": "data.*",
            "action": "record_data_points",
            "external_id": "/measure_id",
            "items": "/points",
            "fields": {
                "period_start": {"pointer": "/date"},
                "numerator": {"pointer": "/n"},
                "denominator": {"pointer": "/d"},
            },
        },
    ],
}


class RuleAction(StrEnum):
    """What a message does here."""

    UPSERT_PROJECT = "upsert_project"
    UPSERT_MEASURE = "upsert_measure"
    RECORD_DATA_POINTS = "record_data_points"
    IGNORE = "ignore"


class FieldSource(Input):
    """Where a field's value comes from: a place in the message, or a constant."""

    pointer: Pointer | None = Field(
        default=None, description="Where nothing stands there, the field is left out."
    )
    constant: Constant | MISSING = Field(default=MISSING, description="Any JSON value.")
    translate: dict[Word, Scalar] | None = Field(
        default=None,
        max_length=200,
        description="From their words to ours; another word is refused as `untranslatable`.",
    )

    @property
    def is_constant(self) -> bool:
        """Whether a constant is stated; it may be null."""
        return self.constant is not MISSING


class MappingRule(Input):
    """What one type of message does. The first rule that matches counts."""

    event_type: EventPattern
    action: RuleAction
    external_id: Pointer | None = Field(
        default=None,
        description="Their id of the project or measure; of data points, that of the measure.",
    )
    parent_external_id: Pointer | None = Field(
        default=None, description="Their id of a measure's project, or of a project's team."
    )
    items: Pointer | None = Field(
        default=None,
        description="A list of data points, in whose items the fields' pointers then look.",
    )
    fields: dict[FieldName, FieldSource] = Field(
        default_factory=dict,
        max_length=50,
        description="Our field names, as in the bodies that create or change the resource.",
    )

    def matches(self, event_type: str) -> bool:
        """Whether it is for messages of this type."""
        if self.event_type.endswith("*"):
            return event_type.startswith(self.event_type[:-1])
        return event_type == self.event_type


class IntegrationMapping(Input):
    """How to read the messages of a platform."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    type: Pointer = Field(default="/type", description="Where a message says its type.")
    rules: list[MappingRule] = Field(default_factory=list, max_length=MAX_RULES)

    def find_rule(self, event_type: str) -> tuple[int, MappingRule] | None:
        """The first rule for the type, with its position."""
        matching = (
            (number, rule) for number, rule in enumerate(self.rules) if rule.matches(event_type)
        )
        return next(matching, None)


# The bodies whose fields an action can state: what creates, and what changes, comes first.
BODIES: dict[RuleAction, tuple[type[BaseModel], ...]] = {
    RuleAction.UPSERT_PROJECT: (ProjectCreate, ProjectPatch),
    RuleAction.UPSERT_MEASURE: (MeasureCreate, MeasurePatch),
    RuleAction.RECORD_DATA_POINTS: (DataPointBase,),
    RuleAction.IGNORE: (),
}
_NEEDED: dict[RuleAction, tuple[str, ...]] = {
    RuleAction.UPSERT_PROJECT: ("external_id",),
    RuleAction.UPSERT_MEASURE: ("external_id", "parent_external_id"),
    RuleAction.RECORD_DATA_POINTS: ("external_id",),
    RuleAction.IGNORE: (),
}
_POSSIBLE: dict[RuleAction, tuple[str, ...]] = {
    **_NEEDED,
    RuleAction.UPSERT_PROJECT: ("external_id", "parent_external_id"),
    RuleAction.RECORD_DATA_POINTS: ("external_id", "items"),
}


def faults_of(mapping: IntegrationMapping) -> Iterator[FieldError]:
    """What is wrong with a mapping beyond its form, each with its place under `mapping`."""
    for number, rule in enumerate(mapping.rules):
        for steps, code, detail in _faults_of_rule(rule):
            place = pointer("mapping", "rules", number, *steps)
            yield FieldError(code=code, detail=detail, pointer=place)


_Fault = tuple[tuple[str, ...], str, str]


def _faults_of_rule(rule: MappingRule) -> Iterator[_Fault]:
    for name in ("external_id", "parent_external_id", "items"):
        is_stated = getattr(rule, name) is not None
        if name in _NEEDED[rule.action] and not is_stated:
            yield (name,), "missing", f"The action {rule.action} needs it."
        elif is_stated and name not in _POSSIBLE[rule.action]:
            yield (name,), "unexpected", f"The action {rule.action} does not take it."
    if rule.action is RuleAction.RECORD_DATA_POINTS and "period_start" not in rule.fields:
        yield ("fields", "period_start"), "missing", "A data point needs its period."
    for name, source in rule.fields.items():
        for steps, code, detail in _faults_of_source(rule.action, name, source):
            yield ("fields", name, *steps), code, detail


def _faults_of_source(action: RuleAction, name: str, source: FieldSource) -> Iterator[_Fault]:
    types = [body.model_fields[name] for body in BODIES[action] if name in body.model_fields]
    if not types:
        yield (), "unknown_field", f"The action {action} has no field of that name."
    elif source.is_constant == (source.pointer is not None):
        yield (), "one_source", "State a pointer or a constant, one of the two."
    elif source.is_constant and source.translate is not None:
        yield ("translate",), "unexpected", "A constant is not translated."
    elif source.is_constant:
        # The first body that has the field: a patch would let it be absent.
        annotation: Any = Annotated[types[0].annotation, types[0]]
        try:
            TypeAdapter(annotation).validate_python(source.constant)
        except ValidationError as fault:
            yield ("constant",), fault.errors()[0]["type"], fault.errors()[0]["msg"]


class Unreadable(Exception):
    """What a rule asks for cannot be read from the message; `code` and words for the log."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


ABSENT = object()


def look_up(document: Any, place: str) -> Any:
    """The value at a JSON Pointer, or `ABSENT`."""
    for step in place.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name, ABSENT)
        elif isinstance(document, list) and name.isascii() and name.isdigit() and len(name) < 7:
            document = document[int(name)] if int(name) < len(document) else ABSENT
        else:
            return ABSENT
    return document


def read_fields(rule: MappingRule, document: Any) -> dict[str, Any]:
    """Our fields as the message states them. Raises `Unreadable`."""
    values = {}
    for name, source in rule.fields.items():
        value = source.constant if source.is_constant else look_up(document, source.pointer or "")
        if value is not ABSENT:
            values[name] = _translated(name, source, value)
    return values


def _translated(name: str, source: FieldSource, value: Any) -> Any:
    if source.translate is None:
        return value
    word = value if isinstance(value, str) else None
    if word not in source.translate:
        raise Unreadable("untranslatable", f"The word for {name} is none of those in translate.")
    return source.translate[word]


def read_id(place: str | None, document: Any) -> str:
    """An id of the other system: text or a whole number. Raises `Unreadable`."""
    value = look_up(document, place) if place is not None else ABSENT
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**30 else ABSENT
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 200:
        raise Unreadable(
            "external_id_missing", f"There is no id of 1 to 200 characters at {place}."
        )
    if "\x00" in value or not value.isprintable():
        raise Unreadable("external_id_missing", f"The id at {place} has unprintable characters.")
    return value.strip()
