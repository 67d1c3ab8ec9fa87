"""Bodies and short ways that the measure tests share."""

import json
from collections.abc import Iterable
from typing import Any

import httpx2 as httpx
import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.events.models import Event
from app.measures.models import Measure
from tests.calling import Caller

MEASURE: dict[str, Any] = {
    "name": "Requests answered within 48 hours",
    "family": "outcome",
    "data_type": "proportion",
    "direction": "increase",
    "operational_definition": "Online requests of the week",
    "numerator_definition": "Answered within 48 hours",
    "denominator_definition": "All",
    "unit": "%",
    "multiplier": 100,
}
POINT: dict[str, Any] = {"period_start": "2018-01-01", "numerator": 8, "denominator": 20}


def codes(response: httpx.Response) -> set[tuple[str | None, str]]:
    """(pointer, code) of every fault of a problem."""
    return {(fault.get("pointer"), fault["code"]) for fault in response.json()["errors"]}


def refused(response: httpx.Response, status: int, code: str, pointer: str | None = None) -> None:
    """The response is this problem; with a pointer, `code` is that of the fault there."""
    assert response.status_code == status, response.text
    if pointer is None:
        assert response.json()["code"] == code
    else:
        assert (pointer, code) in codes(response)


def events_of(session: Session, resource_id: Any) -> list[Event]:
    """The events of a resource and its parts, in order."""
    session.expire_all()
    statement = (
        select(Event)
        .where(sa.or_(col(Event.resource_id) == resource_id, col(Event.parent_id) == resource_id))
        .order_by(col(Event.id))
    )
    return list(session.exec(statement))


def data_of(event: Event) -> dict[str, Any]:
    """The data of an event's payload."""
    data: dict[str, Any] = json.loads(event.payload)["data"]
    return data


def series_of(caller: Caller, measure: Measure) -> tuple[int, int]:
    """The measure's own revision and that of its series."""
    document = caller.ok(f"/measures/{measure.id}")
    return document["revision"], document["series_revision"]


def bulk(
    caller: Caller, measure: Measure, items: Iterable[object], **options: Any
) -> httpx.Response:
    """POST a batch as JSON."""
    body = {"items": list(items), **options}
    return caller.post(f"/measures/{measure.id}/data-points/bulk", body)


def upload(
    caller: Caller, measure: Measure, text: str | bytes, kind: str = "text/csv", **params: Any
) -> httpx.Response:
    """POST a batch as a file."""
    return caller(
        "POST",
        f"/measures/{measure.id}/data-points/bulk",
        content=text,
        params=params,
        headers={"Content-Type": kind},
    )
