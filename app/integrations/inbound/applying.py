"""Does what a message asks for, by the same actions as the API and with their rules."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlmodel import Session

from app.access.actor import Actor
from app.integrations.inbound.messages import Result
from app.integrations.kinds import pull_job
from app.integrations.models import InboundOutcome, Integration
from app.integrations.rules import (
    ABSENT,
    MappingRule,
    RuleAction,
    Unreadable,
    look_up,
    read_fields,
    read_id,
)
from app.jobs.actions import enqueue_all
from app.kit.preconditions import Precondition
from app.kit.table import Row
from app.measures import actions as measures
from app.measures.data_points.batches import DataPointBatch
from app.measures.data_points.bulk import record_data_points
from app.measures.data_points.reading import Batch
from app.measures.queries import get_measure
from app.measures.schemas import MeasureCreate, MeasurePatch
from app.projects import actions as projects
from app.projects.queries import get_project
from app.projects.schemas import ProjectCreate, ProjectPatch
from app.references.actions import keep_reference
from app.references.queries import find_resource_id
from app.references.resources import ResourceType

_ANY = Precondition(if_match="*")  # the sender knows no revision of ours; its word is the latest
_PULLED = frozenset(
    {"release", "project", "measure", "data_point", "phase", "annotation", "pdsa_cycle"}
)
# Each concerns every project of it that is shared: whether, and with what around its document.
_PULLED_WHOLE = frozenset({"programme.archived", "programme.restored", "programme.updated"})


@dataclass(frozen=True, slots=True)
class Context:
    """For whom and when a message is applied, in one transaction."""

    session: Session
    integration: Integration
    actor: Actor
    now: datetime

    def find(self, resource_type: ResourceType, external_id: str) -> uuid.UUID | None:
        """What the platform's id names here."""
        return find_resource_id(
            self.session,
            programme_id=self.integration.programme_id,
            resource_type=resource_type,
            system=self.integration.system,
            external_id=external_id,
        )

    def get(self, resource_type: ResourceType, external_id: str) -> uuid.UUID:
        """The same. Raises `Unreadable` where it names nothing (yet)."""
        found = self.find(resource_type, external_id)
        if found is None:
            raise Unreadable(
                "reference_not_found", f"No {resource_type.value} of ours bears that id."
            )
        return found

    def name(self, resource_type: ResourceType, row: Row, external_id: str) -> None:
        """Note what the platform calls a new resource."""
        keep_reference(
            self.session,
            actor=self.actor,
            programme_id=self.integration.programme_id,
            resource_type=resource_type,
            resource_id=row.id,
            system=self.integration.system,
            external_id=external_id,
            now=self.now,
        )

    @property
    def by(self) -> dict[str, Any]:
        """What every action asks for."""
        return {"actor": self.actor, "now": self.now}


def _known(body: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """Without what belongs to changes only, such as the reason of a change."""
    return {name: value for name, value in values.items() if name in body.model_fields}


def _upserted(
    resource_type: ResourceType, row: Row, before: int | None, external_id: str
) -> Result:
    changed = row.revision != before
    return Result(
        InboundOutcome.APPLIED if changed else InboundOutcome.UNCHANGED,
        resource_type=resource_type,
        resource_id=row.id,
        subject=external_id,
        is_new=before is None,
    )


def _upsert_project(context: Context, rule: MappingRule, document: Any) -> Result:
    external_id, values = read_id(rule.external_id, document), read_fields(rule, document)
    parent = rule.parent_external_id
    if parent is not None and look_up(document, parent) not in (ABSENT, None):
        values["team_id"] = context.get(ResourceType.TEAM, read_id(parent, document))
    session, found = context.session, context.find(ResourceType.PROJECT, external_id)
    if found is None:
        data = ProjectCreate.model_validate(_known(ProjectCreate, values))
        programme_id = context.integration.programme_id
        row = projects.create_project(session, programme_id=programme_id, data=data, **context.by)
        context.name(ResourceType.PROJECT, row, external_id)
        return _upserted(ResourceType.PROJECT, row, None, external_id)
    patch = ProjectPatch.model_validate(values)
    before = get_project(session, actor=context.actor, project_id=found).revision
    row = projects.update_project(
        session, project_id=found, patch=patch, condition=_ANY, **context.by
    )
    return _upserted(ResourceType.PROJECT, row, before, external_id)


def _upsert_measure(context: Context, rule: MappingRule, document: Any) -> Result:
    external_id, values = read_id(rule.external_id, document), read_fields(rule, document)
    session, found = context.session, context.find(ResourceType.MEASURE, external_id)
    if found is None:
        parent = read_id(rule.parent_external_id, document)
        data = MeasureCreate.model_validate(_known(MeasureCreate, values))
        project_id = context.get(ResourceType.PROJECT, parent)
        row = measures.create_measure(session, project_id=project_id, data=data, **context.by)
        context.name(ResourceType.MEASURE, row, external_id)
        return _upserted(ResourceType.MEASURE, row, None, external_id)
    patch = MeasurePatch.model_validate(values)
    before = get_measure(session, actor=context.actor, measure_id=found).revision
    row = measures.update_measure(
        session, measure_id=found, patch=patch, condition=_ANY, **context.by
    )
    return _upserted(ResourceType.MEASURE, row, before, external_id)


def read_points(rule: MappingRule, document: Any) -> list[dict[str, Any]]:
    """The data points of a message: it is one itself, or holds a list of them."""
    if rule.items is None:
        return [read_fields(rule, document)]
    items = look_up(document, rule.items)
    if not isinstance(items, list):
        raise Unreadable("items_missing", f"There is no list at {rule.items}.")
    return [read_fields(rule, item) for item in items]


def _record_data_points(context: Context, rule: MappingRule, document: Any) -> Result:
    external_id = read_id(rule.external_id, document)
    data = DataPointBatch.model_validate({"items": read_points(rule, document)})
    measure_id = context.get(ResourceType.MEASURE, external_id)
    done = record_data_points(
        context.session, measure_id=measure_id, batch=Batch.of(data, data.items), **context.by
    )
    changed = done.created + done.updated
    return Result(
        InboundOutcome.APPLIED if changed else InboundOutcome.UNCHANGED,
        detail=f"{done.created} created, {done.updated} changed, {done.unchanged} unchanged.",
        resource_type=ResourceType.MEASURE,
        resource_id=measure_id,
        subject=external_id,
    )


def _ignore(_context: Context, _rule: MappingRule, _document: Any) -> Result:
    return Result(InboundOutcome.IGNORED, code="by_rule")


_ACTIONS: dict[RuleAction, Callable[[Context, MappingRule, Any], Result]] = {
    RuleAction.UPSERT_PROJECT: _upsert_project,
    RuleAction.UPSERT_MEASURE: _upsert_measure,
    RuleAction.RECORD_DATA_POINTS: _record_data_points,
    RuleAction.IGNORE: _ignore,
}


def apply_rule(context: Context, rule: MappingRule | None, document: Any) -> Result:
    """Do what the rule says. Raises what the action raises, or `Unreadable`."""
    if rule is None:
        return Result(InboundOutcome.IGNORED, code="no_rule")
    return _ACTIONS[rule.action](context, rule, document)


def ask_for_pull(context: Context, event_type: str, document: dict[str, Any]) -> Result:
    """Another OpenQI says that a project changed: fetch it, once for however many messages.

    Of a whole programme, everything that is shared there is fetched.
    """
    noun = event_type.partition(".")[0]
    if event_type in _PULLED_WHOLE:
        project_id = None
    elif noun in _PULLED:
        project_id = _project_of(noun, document)
    else:
        return Result(InboundOutcome.IGNORED, code="no_rule")
    integration = context.integration
    job = pull_job(
        integration_id=integration.id,
        project_id=project_id,
        programme_id=integration.programme_id,
    )
    enqueue_all(context.session, [job])
    return Result(InboundOutcome.PENDING, subject=project_id.hex if project_id else None)


def _project_of(noun: str, document: dict[str, Any]) -> uuid.UUID:
    stated = look_up(document, "/data/id" if noun == "project" else "/data/project_id")
    try:
        return uuid.UUID(stated)
    except (ValueError, TypeError, AttributeError) as fault:
        raise Unreadable("project_id_missing", "The message names no project.") from fault
