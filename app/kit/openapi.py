"""Makes the generated OpenAPI document say what the API does: problems, headers, examples."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from app.kit.errors import OpenQIError
from app.kit.problems import MEDIA_TYPE, Problem, status_of

_METHODS = ("get", "put", "post", "patch", "delete")
_REVISED = {"description": "The revision; send it back in If-Match.", "schema": {"type": "string"}}
_LOCATION = {"description": "Address of the new resource.", "schema": {"type": "string"}}
_TITLES = {
    400: "The request cannot be read.",
    401: "A valid access token is needed.",
    403: "The caller may see it but not do this.",
    404: "Unknown, or not visible to the caller.",
    409: "The present state does not allow it.",
    412: "It was changed since it was read.",
    413: "The body is too large.",
    415: "The media type is not read here.",
    422: "The request is not valid; `errors` lists every fault.",
    428: "If-Match is missing.",
    500: "Something went wrong on our side.",
    503: "Busy; try again soon.",
}


def problems(*errors: type[OpenQIError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail in these ways, with their codes."""
    documented: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = documented.setdefault(status_of(error), {"x-codes": []})
        entry["x-codes"].append(error.code)
    return documented


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _statuses(path: str, method: str, operation: Mapping[str, Any]) -> set[int]:
    """The problems that any operation of this form can answer with."""
    statuses = {500, 503} | ({401, 403} if operation.get("security") else set())
    statuses |= {404} if "{" in path else set()
    statuses |= {422} if operation.get("parameters") else set()
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ())):
        statuses |= {412} | ({428} if method in {"patch", "put"} else set())
    if operation.get("security") and method in {"post", "put", "patch", "delete"}:
        statuses |= {409}
    return statuses


def _document_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "422" in responses and "HTTPValidationError" in str(responses["422"]):
        del responses["422"]
    for status in sorted(_statuses(path, method, operation)):
        responses.setdefault(str(status), {})
    for status, response in responses.items():
        if not status.startswith(("4", "5")) or "content" in response:
            continue
        codes = response.pop("x-codes", [])
        suffix = f" Codes: {', '.join(f'`{code}`' for code in codes)}." if codes else ""
        response["description"] = _TITLES.get(int(status), "The request failed.") + suffix
        response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _document_headers(method: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "If-Match" and method == "patch":
            parameter["required"] = True
    responses = operation["responses"]
    if "201" in responses:
        responses["201"].setdefault("headers", {"Location": _LOCATION, "ETag": _REVISED})
    if "304" in responses:
        responses["304"]["headers"] = {"ETag": _REVISED}


def _example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """The example of a schema, followed through references and into the items of pages."""
    if "$ref" in schema:
        return _example_of(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("type") == "object" and "properties" in schema:
        example = {name: _example_of(part, schemas) for name, part in schema["properties"].items()}
        return None if set(example.values()) == {None} else example
    if schema.get("type") == "array":
        item = _example_of(schema["items"], schemas)
        return [] if item is None else [item]
    return schema.get("default")


def _document_examples(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for media in body.get("content", {}).values():
            if "example" in media or "examples" in media or "schema" not in media:
                continue
            example = _example_of(media["schema"], schemas)
            if example is not None:
                media["example"] = copy.deepcopy(example)


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Finish a document that FastAPI generated; returns the same object."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for path, method, operation in _operations(document):
        _document_problems(path, method, operation)
        _document_headers(method, operation)
        _document_examples(operation, schemas)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document
