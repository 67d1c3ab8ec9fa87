"""The `webhooks` section of the OpenAPI document: what a receiver is sent, type by type."""

from typing import Any

from pydantic.json_schema import models_json_schema

from app.webhooks.messages.envelopes import MESSAGES, example_of

_REFERENCE = "#/components/schemas/{model}"
_HEADERS = {
    "webhook-id": "The event; the same in every attempt and replay. Keep it, and skip repeats.",
    "webhook-timestamp": "Unix seconds of this attempt. Refuse what is older than five minutes.",
    "webhook-signature": "`v1,` and the signature in base64; several with spaces between them.",
}
_EXAMPLES = {
    "webhook-id": "evt_0193a0c27d7e7bd09c7b0f6a3b1c2d3e",
    "webhook-timestamp": "1515403800",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}
_PARAMETERS = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string", "maxLength": 500},
        "example": _EXAMPLES[name],
    }
    for name, description in _HEADERS.items()
]
_RESPONSES = {
    "2XX": {"description": "Taken. Answer within 15 seconds and do the work afterwards."},
    "410": {"description": "Gone for good: the endpoint is disabled at once."},
    "default": {"description": "Anything else counts as a failure, and is tried again."},
}
_HAPPENINGS = {
    "signal_detected": "shows a new signal on its default chart",
    "signal_retracted": "no longer shows a signal on its default chart",
    "state_changed": "took a step to another state",
    "pinged": "was asked for a test message",
}


def _sentence(name: str) -> str:
    noun, verb = name.split(".")
    subject = noun.replace("_", " ").replace("pdsa", "PDSA")
    article = "An" if subject[0] in "aeiou" else "A"
    return f"{article} {subject} {_HAPPENINGS.get(verb, f'was {verb}')}"


def _operation(name: str) -> dict[str, Any]:
    reference = _REFERENCE.format(model=MESSAGES[name].__name__)
    return {
        "tags": ["events"],
        "summary": _sentence(name),
        "description": f"`{name}`. Verify the signature before anything else: docs/webhooks.md.",
        "operationId": f"on_{name.replace('.', '_')}",
        "security": [],
        "parameters": _PARAMETERS,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": reference},
                    "example": example_of(name),
                }
            },
        },
        "responses": _RESPONSES,
    }


def with_webhooks(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its `webhooks` section and the schemas of that."""
    _, made = models_json_schema(
        [(model, "validation") for model in MESSAGES.values()], ref_template=_REFERENCE
    )
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = dict(sorted((schemas | made["$defs"]).items()))
    document["webhooks"] = {name: {"post": _operation(name)} for name in MESSAGES}
    return document
