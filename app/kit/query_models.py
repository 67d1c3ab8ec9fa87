"""Query parameters as one Pydantic model, read at once: for the hottest routes.

FastAPI reads a query model field by field, a tenth of such a request even when nothing was sent
(measured). The routes that use this document the parameters by `query_parameters`.
"""

from collections.abc import Callable
from typing import Any, TypeVar, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

Q = TypeVar("Q", bound=BaseModel)


def query_of(model: type[Q]) -> Callable[[Request], Q]:
    """A function that reads the model from the query string; without one, its defaults."""
    unstated = model()
    repeatable = {
        name for name, field in model.model_fields.items() if get_origin(field.annotation) is list
    }

    def read(request: Request) -> Q:
        if not request.scope["query_string"]:
            return unstated
        values: dict[str, Any] = dict(request.query_params)
        for name in repeatable & values.keys():
            values[name] = request.query_params.getlist(name)
        try:
            return model.model_validate(values)
        except ValidationError as fault:
            faults = [{**item, "loc": ("query", *item["loc"])} for item in fault.errors()]
            raise RequestValidationError(faults) from fault

    return read


def query_parameters(model: type[BaseModel]) -> dict[str, list[dict[str, Any]]]:
    """The OpenAPI parameters of the model, for a route's `openapi_extra`."""
    properties: dict[str, dict[str, Any]] = model.model_json_schema()["properties"]
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                **({"description": schema["description"]} if "description" in schema else {}),
                "schema": schema,
            }
            for name, schema in properties.items()
        ]
    }
