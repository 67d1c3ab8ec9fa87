"""Holds what was recorded to the documented messages; any test that makes events may ask."""

import json
from collections.abc import Iterable

from pydantic import ValidationError

from app.events.models import Event
from app.webhooks.messages.envelopes import MESSAGES


def breaches(events: Iterable[Event]) -> list[str]:
    """What the messages of the events say that the contract does not, or the other way round."""
    found = []
    for event in events:
        model = MESSAGES.get(event.type)
        if model is None:
            continue  # it stays in the house
        try:
            model.model_validate_json(_with_id(event))
        except ValidationError as fault:
            found += [f"{event.type} {error['loc']}: {error['msg']}" for error in fault.errors()]
    return found


def _with_id(event: Event) -> str:
    return json.dumps({"id": f"evt_{event.id.hex}"} | json.loads(event.payload))
