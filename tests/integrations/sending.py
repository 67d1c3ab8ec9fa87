"""A platform that sends signed messages, and the mapping that reads them."""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx2 as httpx

from app.kit.clock import utc_now
from app.kit.signing import sign
from tests.calling import Caller

_number = count(1)
MAPPING: dict[str, Any] = {
    "type": "/event",
    "rules": [
        {"event_type": "project.deleted", "action": "ignore"},
        {
            "event_type": "project.*",
            "action": "upsert_project",
            "external_id": "/project/id",
            "parent_external_id": "/project/team",
            "fields": {
                "title": {"pointer": "/project/name"},
                "problem": {"pointer": "/project/why"},
                "tags": {"constant": ["from-lifeqi"]},
            },
        },
        {
            "event_type": "measure.saved",
            "action": "upsert_measure",
            "external_id": "/measure/id",
            "parent_external_id": "/measure/project",
            "fields": {
                "name": {"pointer": "/measure/title"},
                "family": {
                    "pointer": "/measure/kind",
                    "translate": {"Outcome": "outcome", "Process": "process"},
                },
                "data_type": {"constant": "proportion"},
                "direction": {"constant": "increase"},
                "operational_definition": {"pointer": "/measure/definition"},
            },
        },
        {
            "event_type": "data.*",
            "action": "record_data_points",
            "external_id": "/measure",
            "items": "/points",
            "fields": {
                "period_start": {"pointer": "/date"},
                "numerator": {"pointer": "/n"},
                "denominator": {"pointer": "/d"},
                "excluded": {"pointer": "/out"},
                "excluded_reason": {"pointer": "/why"},
            },
        },
    ],
}


def body(programme_id: object, **over: Any) -> dict[str, Any]:
    """A new connection."""
    return {
        "programme_id": str(programme_id),
        "name": "Life QI",
        "system": "lifeqi",
        "mapping": MAPPING,
    } | over


def project(external_id: Any = 7, **over: Any) -> dict[str, Any]:
    """A message about a project."""
    about = {"id": external_id, "name": "Same-day access", "why": "People wait."} | over
    return {"event": "project.saved", "project": about}


def measure(external_id: Any = 70, of: Any = 7, **over: Any) -> dict[str, Any]:
    """A message about a measure of the project."""
    about = {"id": external_id, "project": of, "title": "Seen in a day", "kind": "Outcome"} | over
    return {"event": "measure.saved", "measure": about}


def points(*items: dict[str, Any], of: Any = 70) -> dict[str, Any]:
    """A message with data of the measure."""
    return {"event": "data.saved", "measure": of, "points": list(items)}


@dataclass
class Platform:
    """The other end of a connection."""

    anonymous: Caller
    integration: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/integrations/{self.integration['id']}"

    def send(
        self,
        message: Any,
        *,
        message_id: str | None = None,
        secrets: list[str] | None = None,
        timestamp: int | None = None,
        **headers: str,
    ) -> httpx.Response:
        """POST the message; bytes go as they are."""
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        message_id = message_id or f"auto_{next(_number)}"
        signed = sign(
            secrets or [self.integration["secret"]],
            message_id=message_id,
            timestamp=int(utc_now().timestamp()) if timestamp is None else timestamp,
            body=content,
        )
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.anonymous(
            "POST",
            f"{self.path}/events",
            content=content,
            headers={"Content-Type": "application/json", **signed, **changed},
        )

    def outcome(self, message: Any, **options: Any) -> tuple[str, str | None]:
        """Outcome and code of a message that must be taken."""
        response = self.send(message, **options)
        assert response.status_code in {200, 202}, response.text
        return response.json()["outcome"], response.json()["code"]


def connect(owner: Caller, anonymous: Caller, programme_id: object, **over: Any) -> Platform:
    """A platform that is connected by the owner."""
    made = owner.create("/integrations", body(programme_id, **over))
    return Platform(anonymous, made)
