"""Every operation that the application has, found by walking its routes, not by a list."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SOME_ID = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"
# Who is not logged in may call these and nothing else.
PUBLIC = frozenset(
    {
        "log_in",
        "get_liveness",
        "get_readiness",
        "get_metrics",
        "open_docs",
        "get_docs_page",
        "get_docs_file",
        "get_openapi_document",
        "get_meta",
        "list_problem_codes",
        "get_problem_code",
        "list_shared_projects",
        "get_shared_project",
    }
)
# Asked for by browsers, people and monitoring, so they are no part of the document.
UNDOCUMENTED = frozenset(
    {"open_docs", "get_docs_page", "get_docs_file", "get_openapi_document", "get_metrics"}
)
# What a platform calls with a signature instead of a token; see tests/integrations.
SIGNED = frozenset({"receive_event"})


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    template: str
    name: str
    context: RouteContext

    @property
    def path(self) -> str:
        """The path with an identifier of nothing in place of every parameter."""
        return re.sub(r"\{[^}]+\}", SOME_ID, self.template)

    def __str__(self) -> str:
        return f"{self.method} {self.template} ({self.name})"


def operations(app: FastAPI) -> Iterator[Operation]:
    """All operations, those outside the OpenAPI document included."""
    for context in iter_route_contexts(app.routes):
        for method in METHODS:
            if context.path and method in (context.methods or ()):
                yield Operation(method, context.path, context.name or "", context)


def documented(app: FastAPI) -> Iterator[tuple[Operation, dict[str, Any]]]:
    """Each operation beside what the OpenAPI document says of it."""
    paths = app.openapi()["paths"]
    for operation in operations(app):
        if operation.name not in UNDOCUMENTED:
            yield operation, paths[operation.template][operation.method.lower()]
