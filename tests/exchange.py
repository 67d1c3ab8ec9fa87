"""Makes rows of what goes out and comes in, for tests, as `tests.builders` does of the rest."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from app.access.actor import Actor
from app.access.owners import find_owners
from app.access.permissions import Role
from app.analytics.detections.models import DetectedSignal
from app.events.catalogue import Resource, Verb
from app.events.models import Event
from app.events.outbox import Origin, record
from app.identity.models import PersonalToken, User
from app.integrations.models import InboundEvent, InboundOutcome, Integration, Platform
from app.jobs.actions import enqueue
from app.jobs.models import DeadJob
from app.kit.clock import utc_now
from app.kit.ids import new_id
from app.measures.models import (
    Measure,
)
from app.operations.actions import OPERATION, job_key
from app.operations.models import Operation
from app.programmes.models import Programme
from app.projects.models import Project, Visibility
from app.references.models import ExternalReference
from app.sharing.models import Audience, Release, ReleaseState
from app.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.builders import (
    _kept,
    _number,
    make_measure,
    make_membership,
    make_programme,
    make_project,
    make_user,
)


def make_webhook_endpoint(
    session: Session, *, programme: Programme | None = None, **over: Any
) -> WebhookEndpoint:
    """An endpoint of a facilitator of the programme, for all events; its secret is not sealed."""
    programme = programme or make_programme(session)
    if "owner_id" not in over:
        owner = make_user(session)
        make_membership(session, user=owner, role=Role.FACILITATOR, programme=programme)
        over["owner_id"] = owner.id
    values: dict[str, Any] = {
        "programme_id": programme.id,
        "url": f"https://receiver{next(_number)}.example.org/hooks",
        "secret": "not sealed",
    }
    return _kept(session, WebhookEndpoint(**(values | over)))


def make_webhook_delivery(
    session: Session, *, endpoint: WebhookEndpoint | None = None, **over: Any
) -> WebhookDelivery:
    """A pending delivery of an event of the endpoint's programme; without a job."""
    endpoint = endpoint or make_webhook_endpoint(session)
    if "event_id" not in over:
        over["event_id"] = make_event(session, programme_id=endpoint.programme_id).id
    values: dict[str, Any] = {
        "programme_id": endpoint.programme_id,
        "endpoint_id": endpoint.id,
        "event_type": "team.created",
        "created_at": utc_now(),
    }
    return _kept(session, WebhookDelivery(**(values | over)))


def make_event(session: Session, *, programme_id: uuid.UUID, **over: Any) -> Event:
    """An event that happened to a team, not dispatched yet."""
    values: dict[str, Any] = {
        "noun": Resource.TEAM,
        "verb": Verb.CREATED,
        "resource_id": new_id(),
        "revision": 1,
        "programme_id": programme_id,
        "origin": Origin(),
        "now": utc_now(),
    }
    event = record(session, **(values | over))
    session.commit()
    return event


def make_dead_job(session: Session, **over: Any) -> DeadJob:
    """A job that was given up."""
    number = next(_number)
    values: dict[str, Any] = {
        "queue": "cron",
        "kind": "test.dead",
        "attempt": 8,
        "error": "It failed.",
        "created_at": number,
        "job_id": number,
        "died_at": number,
    }
    return _kept(session, DeadJob(**(values | over)))


def make_detected_signal(
    session: Session, *, measure: Measure | None = None, **over: Any
) -> DetectedSignal:
    """A shift that stands."""
    measure = measure or make_measure(session)
    values: dict[str, Any] = {
        "measure_id": measure.id,
        "programme_id": measure.programme_id,
        "fingerprint": new_id().hex,
        "signal_id": "3f6c1a9be27d4c05",
        "rule": "shift",
        "rule_set": "mdc",
        "direction": "high",
        "meaning": "improvement",
        "starts_on": date(2018, 1, 1),
        "ends_on": date(2018, 2, 19),
        "completed_on": date(2018, 2, 12),
        "series_revision": 1,
        "detected_at": datetime(2018, 2, 13, 9, 30, tzinfo=UTC),
    }
    return _kept(session, DetectedSignal(**(values | over)))


def make_operation(
    session: Session,
    *,
    programme: Programme | None = None,
    owner: User | None = None,
    **over: Any,
) -> Operation:
    """Long work that waits, with its job."""
    programme, owner = programme or make_programme(session), owner or make_user(session)
    values: dict[str, Any] = {
        "programme_id": programme.id,
        "owner_id": owner.id,
        "kind": "test.count",
        "expires_at": utc_now() + timedelta(days=7),
    }
    row = Operation(**(values | over))
    args = {"operation_id": row.id.hex}
    enqueue(session, OPERATION, args, key=job_key(row.id), programme_id=programme.id)
    return _kept(session, row)


def make_reference(session: Session, *, project: Project, **over: Any) -> ExternalReference:
    """What another system calls the project."""
    values: dict[str, Any] = {
        "programme_id": project.programme_id,
        "resource_type": "project",
        "resource_id": project.id,
        "system": "lifeqi",
        "external_id": f"P{next(_number)}",
        "created_at": datetime(2018, 1, 8, tzinfo=UTC),
    }
    return _kept(session, ExternalReference(**(values | over)))


def make_release(session: Session, *, project: Project | None = None, **over: Any) -> Release:
    """A published release to the programme; the project has the visibility that goes with it."""
    project = project or make_project(session)
    values: dict[str, Any] = {
        "programme_id": project.programme_id,
        "project_id": project.id,
        "audience": Audience.PROGRAMME,
        "license": "CC-BY-4.0",
        "small_numbers": {
            "up_to": 7,
            "points": 0,
            "measures": [],
            "accepted": False,
            "accepted_by": None,
            "reason": None,
        },
        "released_by": new_id(),
        "released_at": datetime(2018, 9, 30, 9, next(_number) % 60, tzinfo=UTC),
    }
    row = Release(**(values | over))
    if row.state is ReleaseState.PUBLISHED:
        project.visibility = Visibility(row.audience.value)
        session.add(project)
    return _kept(session, row)


def make_personal_token(session: Session, *, user_id: uuid.UUID, **over: Any) -> PersonalToken:
    """A token that holds for a day."""
    values: dict[str, Any] = {
        "user_id": user_id,
        "name": "Platform",
        "secret_hash": new_id().hex,
        "hint": "abcd",
        "scopes": ["webhook:write"],
        "expires_at": utc_now() + timedelta(days=1),
    }
    return _kept(session, PersonalToken(**(values | over)))


def make_integration(
    session: Session, *, programme: Programme | None = None, **over: Any
) -> Integration:
    """A connection to a platform, whose secret is none."""
    programme = programme or make_programme(session)
    values: dict[str, Any] = {
        "programme_id": programme.id,
        "owner_id": over.get("owner_id") or make_user(session).id,
        "name": f"Platform {next(_number)}",
        "system": "lifeqi",
        "secret": "sealed by nobody",
    }
    return _kept(session, Integration(**(values | over)))


def make_inbound_event(session: Session, *, integration: Integration, **over: Any) -> InboundEvent:
    """A message that was applied."""
    values: dict[str, Any] = {
        "programme_id": integration.programme_id,
        "integration_id": integration.id,
        "sender_id": f"msg_{next(_number)}",
        "type": "project.saved",
        "digest": "0" * 64,
        "received_at": datetime(2018, 1, 8, tzinfo=UTC),
        "outcome": InboundOutcome.APPLIED,
    }
    return _kept(session, InboundEvent(**(values | over)))


def make_openqi_integration(session: Session, **over: Any) -> Integration:
    """A connection to another OpenQI, without a way to fetch from it."""
    return make_integration(
        session, **({"platform": Platform.OPENQI, "system": "other-openqi"} | over)
    )


@dataclass(frozen=True)
class Belonging:
    """Anything that somebody owns."""

    owner_id: uuid.UUID
    token_id: uuid.UUID | None = None
    scopes: list[str] | None = None
    id: uuid.UUID = field(default_factory=new_id)


def acting(session: Session, *, user_id: uuid.UUID, programme_id: uuid.UUID) -> Actor:
    """A person without a request, in one programme."""
    (actor,) = find_owners(session, [Belonging(user_id)], now=utc_now()).values()
    return replace(actor, bound_programme_id=programme_id)
