"""The route class of the API: media types, unknown parameters, conditional GET, idempotency."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.kit.errors import FieldError, Invalid, UnsupportedMediaType
from app.kit.preconditions import etag_of, matches

MERGE_PATCH = "application/merge-patch+json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class UnknownParameter(Invalid):
    """422: a query parameter that this route does not have; a typo must not mean 'all rows'."""

    code = "unknown_parameter"
    title = "This route does not have that parameter."


def query_names(dependant: Dependant) -> frozenset[str]:
    """The query parameters that a route understands, those of its query model included."""
    names: set[str] = set()
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names |= {info.alias or name for name, info in annotation.model_fields.items()}
        else:
            names.add(field.alias)
    return frozenset(names).union(*(query_names(inner) for inner in dependant.dependencies))


def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return length != "0" or "transfer-encoding" in request.headers


class Route(APIRoute):
    """An API route with the house's conventions around FastAPI's own handler."""

    def get_handler(self) -> _Handler:
        """What answers, inside the conventions: here FastAPI's own handler."""
        return super().get_route_handler()

    def get_route_handler(self) -> _Handler:
        handler = self.get_handler()
        extra = (self.openapi_extra or {}).get("parameters", ())
        known = query_names(self.dependant) | {parameter["name"] for parameter in extra}
        media_types = self._media_types()
        is_safe = "GET" in (self.methods or ())

        async def handle(request: Request) -> Response:
            if request.scope["query_string"]:
                _refuse_unknown(request, known)
            if is_safe:
                return _conditional(request, await handler(request))
            if media_types and _has_body(request):
                _refuse_media_type(request, media_types)
            response = await handler(request)
            if (claim := getattr(request.state, "claim", None)) is not None:
                await run_in_threadpool(claim.store, request.state.write_session, response)
            return response

        return handle

    def _media_types(self) -> tuple[str, ...]:
        if self.body_field is None:
            return ()
        if isinstance(self.body_field.field_info, Form):
            return FORMS
        is_patch = "PATCH" in (self.methods or ())
        return ("application/json", MERGE_PATCH) if is_patch else ("application/json",)


class DirectRoute(Route):
    """A GET whose function takes the request and a row's key, and asks for the rest by itself.

    For the hottest reads: solving dependencies is a tenth of a 304 (measured). The signature still
    documents the route, and its function still runs in a thread.
    """

    def get_handler(self) -> _Handler:
        function = self.endpoint
        (key,) = self.param_convertors

        async def call(request: Request) -> Response:
            try:
                value = UUID(request.path_params[key])
            except ValueError:
                return await solve(request)  # whose refusal has the shape of all others
            return await run_in_threadpool(function, request, value)

        solve = super().get_handler()
        return call


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    faults = [
        FieldError(code=UnknownParameter.code, detail=UnknownParameter.title, parameter=name[:100])
        for name in dict.fromkeys(request.query_params)
        if name not in known
    ]
    if faults:
        raise UnknownParameter(errors=faults)


def _refuse_media_type(request: Request, allowed: tuple[str, ...]) -> None:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType(
            "Send the body uncompressed.", headers={"Accept-Encoding": "identity"}
        )
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type not in allowed:
        header = "Accept-Patch" if request.method == "PATCH" else "Accept-Post"
        raise UnsupportedMediaType(
            f"Send {' or '.join(allowed)}.", headers={header: ", ".join(allowed)}
        )


def _conditional(request: Request, response: Response) -> Response:
    if response.status_code == 304:  # the route has looked by itself
        return response
    tag = response.headers.get("etag")
    if tag is None:
        return response
    if tag.strip('"').isdigit():
        # A revision says nothing of what is derived: a name of another row, the day of today.
        tag = response.headers["etag"] = etag_of(tag.strip('"'), bytes(response.body))
    if not matches(request.headers.get("if-none-match"), tag):
        return response
    kept = {name: response.headers[name] for name in _NOT_MODIFIED if name in response.headers}
    return Response(status_code=304, headers=kept)


_NOT_MODIFIED = ("etag", "cache-control", "vary", "content-location", "link", "retry-after")


class Router(APIRouter):
    """A router of `Route`s."""

    def __init__(self, *, route_class: type[Route] = Route, **settings: Any) -> None:
        super().__init__(route_class=route_class, redirect_slashes=False, **settings)
