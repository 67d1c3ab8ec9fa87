"""Makes the generated OpenAPI document say what the API does: problems, headers, examples."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.routing import BaseRoute

from app.kit import errors, idempotency
from app.kit.dependencies import write_session
from app.kit.errors import OpenQIError
from app.kit.examples import Schemas, completed, example_of, resolve
from app.kit.problems import MEDIA_TYPE, PLAIN_STATUS, STATUS_OF_KIND, Problem, status_of

_REFERENCE = "#/components/schemas/{model}"
_METHODS = ("get", "put", "post", "patch", "delete")
_TEXT = {"type": "string", "maxLength": 2_000}
_ETAG = {"description": "The revision; send it back in If-Match.", "schema": _TEXT}
_LOCATION = {"description": "Address of the new resource.", "schema": _TEXT}
_LINK = {"description": 'The next page, as `rel="next"`; absent at the end.', "schema": _TEXT}
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
RATE_LIMIT = {
    "RateLimit-Policy": {"description": 'The quota: `"name";q=quota;w=seconds`.', "schema": _TEXT},
    "RateLimit": {
        "description": 'What is left of it: `"name";r=left;t=seconds until more`.',
        "schema": _TEXT,
    },
}
_CHALLENGE = {"description": "How to authenticate.", "schema": _TEXT}
_KEY_PARAMETER = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Repeat the request with the same key and get the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_MEANINGS = {
    400: "The request cannot be read.",
    401: "A valid access token is needed.",
    403: "The caller may see it but not do this.",
    404: "Unknown, or not visible to the caller.",
    406: "None of the formats asked for can be given.",
    409: "The present state does not allow it.",
    412: "It was changed since it was read.",
    413: "The body is too large.",
    415: "The media type is not read here.",
    422: "The request is not valid; `errors` lists every fault.",
    428: "If-Match is missing.",
    429: "Too many requests; wait.",
    500: "Something went wrong on our side.",
    503: "Busy; try again soon.",
}
_HEADERS = {
    401: {"WWW-Authenticate": _CHALLENGE},
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}
_FAULTS = {
    errors.Invalid: {"code": "missing", "detail": "Field required", "pointer": "#/name"},
    errors.ReferenceNotFound: {
        "code": errors.ReferenceNotFound.code,
        "detail": errors.ReferenceNotFound.title,
        "pointer": "#/team_id",
    },
}


def problems(*kinds: type[OpenQIError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail in these ways, with their codes."""
    documented: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = documented.setdefault(status_of(kind), {"x-problems": {}})
        entry["x-problems"][kind.code] = _example(kind)
    return documented


def _example(kind: type[OpenQIError]) -> dict[str, Any]:
    example = _sample(status_of(kind), kind.code, kind.title) | {"type": kind.address()}
    if kind in _FAULTS:
        example["errors"] = [_FAULTS[kind]]
    return example


def _sample(status: int, code: str, title: str) -> dict[str, Any]:
    return {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "code": code,
        "request_id": "0193a0c27d7e7bd09c7b0f6a3b1c2d3e",
    }


def _response(status: int, examples: Mapping[str, Any]) -> dict[str, Any]:
    codes = ", ".join(f"`{code}`" for code in examples)
    schema = {"$ref": "#/components/schemas/Problem"}
    shown = {code: {"value": example} for code, example in examples.items()}
    response = {
        "description": f"{_MEANINGS.get(status, 'The request failed.')} Codes: {codes}.",
        "content": {MEDIA_TYPE: {"schema": schema, "examples": shown}},
    }
    return response | ({"headers": _HEADERS[status]} if status in _HEADERS else {})


def _common_responses() -> dict[str, Any]:
    """A response for each status, for the operations that have no code of their own there."""
    plain = {
        status: {code: _sample(status, code, title)}
        for status, (code, title) in PLAIN_STATUS.items()
    }
    kinds = {status: {kind.code: _example(kind)} for kind, status in STATUS_OF_KIND.items()}
    return {
        f"Problem{status}": _response(status, examples)
        for status, examples in sorted((plain | kinds).items())
    }


def body_of(model: type[BaseModel], *, texts: Mapping[str, str]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its body itself: JSON of the model, or a text.

    texts: an example for each further media type.
    """
    schema = model.model_json_schema(ref_template=_REFERENCE)
    content: dict[str, Any] = {
        "application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}
    }
    for media_type, example in texts.items():
        content[media_type] = {"schema": {"type": "string"}, "example": example}
    return {
        "requestBody": {"required": True, "content": content},
        "x-components": {**schema.pop("$defs", {}), model.__name__: schema},
    }


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _parameters(operation: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {parameter["name"]: parameter for parameter in operation.get("parameters", ())}


def _statuses(path: str, method: str, operation: Mapping[str, Any]) -> set[int]:
    """The problems that any operation of this form can answer with."""
    is_secured = bool(operation.get("security"))
    statuses = {422, 500, 503} | ({401, 403} if is_secured else set())
    statuses |= {404} if "{" in path else set()
    if "requestBody" in operation:
        statuses |= {400, 413, 415}
    if "cursor" in _parameters(operation):
        statuses |= {400}
    if "If-Match" in _parameters(operation):
        statuses |= {412} | ({428} if method in {"patch", "put"} else set())
    if is_secured and method in {"post", "put", "patch", "delete"}:
        statuses |= {409}
    if idempotency.HEADER in _parameters(operation):
        statuses |= {400}
    return statuses


def _document_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for status in _statuses(path, method, operation):
        responses.setdefault(str(status), {})
    for status, response in responses.items():
        if not status.startswith(("4", "5")) or "content" in response:
            continue
        known = response.get("x-problems")
        responses[status] = (
            _response(int(status), known)
            if known
            else {"$ref": f"#/components/responses/Problem{status}"}
        )
    operation["responses"] = dict(sorted(responses.items()))


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter, which can be absent but not null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if not kinds or len(kinds) == len(schema["anyOf"]):
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return kinds[0] | rest if len(kinds) == 1 else rest | {"anyOf": kinds}


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _with_key(routes: Sequence[BaseRoute]) -> frozenset[str]:
    """The operations that take an Idempotency-Key: a POST that writes and does not refuse it."""
    names = set()
    for context in iter_route_contexts(routes):
        if "POST" in (context.methods or ()):
            calls = set(_calls(context.dependant))
            if write_session in calls and idempotency.refuse_key not in calls:
                names.add(str(context.name))
    return frozenset(names)


def _document_parameters(method: str, operation: dict[str, Any], *, takes_key: bool) -> None:
    parameters = _parameters(operation)
    for parameter in parameters.values():
        parameter["schema"] = _never_null(parameter["schema"])
    if "If-Match" in parameters and method == "patch":
        parameters["If-Match"]["required"] = True
    if takes_key:
        operation.setdefault("parameters", []).append(copy.deepcopy(_KEY_PARAMETER))


def _success_properties(response: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    media = response.get("content", {}).get("application/json", {})
    properties: Mapping[str, Any] = resolve(media.get("schema", {}), schemas).get("properties", {})
    return properties


def _document_headers(operation: dict[str, Any], schemas: Schemas) -> None:
    responses = operation["responses"]
    for status in ("200", "201", "202"):
        if status not in responses:
            continue
        properties = _success_properties(responses[status], schemas)
        headers = {"Location": _LOCATION} if status != "200" else {}
        headers |= {"Retry-After": _RETRY_AFTER} if status == "202" else {}
        headers |= {"ETag": _ETAG} if "revision" in properties else {}
        headers |= {"Link": _LINK} if "next_cursor" in properties else {}
        responses[status]["headers"] = headers | responses[status].get("headers", {})
        if not responses[status]["headers"]:
            del responses[status]["headers"]
    if "304" in responses:
        responses["304"]["headers"] = {"ETag": _ETAG}


def _document_examples(operation: dict[str, Any], schemas: Schemas) -> None:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for media in body.get("content", {}).values():
            if "example" in media or "examples" in media or "schema" not in media:
                continue
            example = example_of(media["schema"], schemas)
            if example is not None:
                media["example"] = example


def _document_streams(operation: dict[str, Any]) -> None:
    """`itemSchema` is of OpenAPI 3.2; this document is of 3.1, which does not know it."""
    for response in operation["responses"].values():
        for media in response.get("content", {}).values():
            if media.pop("itemSchema", None) is not None:
                media["schema"] = {"type": "string"}


def _complete_schema_examples(schemas: Schemas) -> None:
    for schema in schemas.values():
        if "examples" in schema:
            schema["examples"] = [completed(item, schema, schemas) for item in schema["examples"]]


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """The same node with every reference to a renamed schema following it."""
    if isinstance(node, dict):
        return {
            key: names.get(value, value) if key == "$ref" else _renamed(value, names)
            for key, value in node.items()
        }
    return [_renamed(item, names) for item in node] if isinstance(node, list) else node


def _name_pages(document: dict[str, Any]) -> dict[str, Any]:
    """`ProjectPage` and not `Page_ProjectRead_`: Pydantic gives a generic model's own name as its

    title only, and generated clients should read well.
    """
    schemas = document["components"]["schemas"]
    names = {name: schemas[name]["title"] for name in schemas if name.startswith("Page_")}
    references = {
        _REFERENCE.format(model=old): _REFERENCE.format(model=new) for old, new in names.items()
    }
    renamed: dict[str, Any] = _renamed(document, references)
    renamed["components"]["schemas"] = {
        names.get(name, name): schema
        for name, schema in sorted(renamed["components"]["schemas"].items())
    }
    return renamed


def complete(document: dict[str, Any], routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The finished form of a document that FastAPI generated of the routes."""
    with_key = _with_key(routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem = Problem.model_json_schema(ref_template=_REFERENCE)
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for _, _, operation in _operations(document):
        for name, schema in operation.pop("x-components", {}).items():
            schemas.setdefault(name, schema)
    _complete_schema_examples(schemas)
    for path, method, operation in _operations(document):
        takes_key = operation["operationId"] in with_key
        _document_parameters(method, operation, takes_key=takes_key)
        _document_problems(path, method, operation)
        _document_headers(operation, schemas)
        _document_streams(operation)
        _document_examples(operation, schemas)
    used = {
        response["$ref"].rsplit("/", 1)[-1]
        for _, _, operation in _operations(document)
        for response in operation["responses"].values()
        if "$ref" in response
    }
    common = _common_responses()
    components["responses"] = {name: common[name] for name in common if name in used}
    return _name_pages(document)
