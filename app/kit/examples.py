"""Examples of the OpenAPI document, put together from those that the schemas carry."""

import copy
from collections.abc import Mapping
from typing import Any

Schemas = Mapping[str, Any]


def resolve(schema: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    """The schema itself, or the one that it refers to."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def example_of(schema: Mapping[str, Any], schemas: Schemas) -> Any:
    """The example of a schema; None where there is nothing to show."""
    schema = resolve(schema, schemas)
    if schema.get("examples"):
        return completed(copy.deepcopy(schema["examples"][0]), schema, schemas)
    if "properties" in schema:
        return _composed(schema, schemas)
    if schema.get("type") == "array":
        item = example_of(schema["items"], schemas)
        return [] if item is None else [item]
    return schema.get("const", schema.get("default"))


def _composed(schema: Mapping[str, Any], schemas: Schemas) -> dict[str, Any] | None:
    required = schema.get("required", ())
    parts = {name: example_of(part, schemas) for name, part in schema["properties"].items()}
    if all(part is None for part in parts.values()):
        return None
    return {name: part for name, part in parts.items() if part is not None or name in required}


def _present(schema: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    """Of a schema that allows null and one thing more, that thing."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    return resolve(kinds[0], schemas) if len(kinds) == 1 else schema


def completed(example: Any, schema: Mapping[str, Any], schemas: Schemas) -> Any:
    """The example with its members in the order of the schema, and with its nulls.

    FastAPI drops every null from the document that it generates, also from examples, where a null
    says something: the member is always there and may be empty.
    """
    schema = _present(resolve(schema, schemas), schemas)
    if isinstance(example, list) and "items" in schema:
        return [completed(item, schema["items"], schemas) for item in example]
    if not isinstance(example, dict) or "properties" not in schema:
        return example
    known, required = schema["properties"], schema.get("required", ())
    ordered = {
        name: completed(example.get(name), part, schemas)
        for name, part in known.items()
        if name in example or name in required
    }
    return ordered | {name: value for name, value in example.items() if name not in known}
