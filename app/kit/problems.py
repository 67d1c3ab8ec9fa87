"""The one place that renders errors: RFC 9457 `application/problem+json`, on every status."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from app.kit import errors
from app.kit.database_errors import conflict_of, is_busy, is_full

MEDIA_TYPE = "application/problem+json"
STATUS_OF_KIND: dict[type[errors.OpenQIError], int] = {
    errors.BadRequest: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.UnsupportedMediaType: 415,
    errors.Invalid: 422,
    errors.PreconditionRequired: 428,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}
PLAIN_STATUS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("body_too_large", "The body is larger than this route takes."),
    500: ("internal_error", "Something went wrong on our side."),
}
MAX_FAULTS = 1_000  # a megabyte of unknown fields must not come back as six

log = structlog.get_logger()


class ProblemError(BaseModel):
    """One fault of the request and where it stands."""

    code: str = Field(examples=["value_error"], max_length=100)
    detail: str = Field(examples=["Input should be greater than or equal to 0"], max_length=2_000)
    pointer: str | None = Field(
        default=None, description="JSON Pointer into the body.", examples=["#/items/17/value"]
    )
    parameter: str | None = Field(default=None, description="Name of a query or path parameter.")
    header: str | None = Field(default=None, description="Name of a header.")
    row: int | None = Field(default=None, description="Line of a CSV or JSON Lines body, from 1.")
    column: str | None = Field(default=None, description="Column of a CSV body.")


class Problem(BaseModel):
    """What every error looks like (RFC 9457). `code` is stable; `detail` is for people."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/not_found"])
    title: str = Field(examples=["There is nothing here that you can see."])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str | None = Field(default=None)
    instance: str | None = Field(default=None, examples=["/api/v1/projects/x"])
    request_id: str | None = Field(default=None)
    errors: list[ProblemError] | None = Field(default=None)


def status_of(error: type[errors.OpenQIError]) -> int:
    """The HTTP status of an error's kind."""
    return next(STATUS_OF_KIND[kind] for kind in error.__mro__ if kind in STATUS_OF_KIND)


def problem_response(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str | None = None,
    faults: Sequence[errors.FieldError] = (),
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; members that say nothing are left out."""
    document: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.url.path,
        "request_id": request.scope.get("request_id"),
        "errors": [fault.as_dict() for fault in faults] or None,
        **(extra or {}),
    }
    body = json.dumps({name: value for name, value in document.items() if value is not None})
    return Response(body, status, headers, MEDIA_TYPE)


def document_of(error: errors.OpenQIError, *, faults_at_most: int) -> dict[str, Any]:
    """The problem of an error that no request is waiting for; of many faults the first."""
    document = {
        "type": error.address(),
        "title": error.title,
        "status": status_of(type(error)),
        "code": error.code,
        "detail": error.detail,
        "errors": [fault.as_dict() for fault in error.errors[:faults_at_most]] or None,
        **error.extra,
    }
    return {name: value for name, value in document.items() if value is not None}


def render_error(request: Request, error: errors.OpenQIError) -> Response:
    """An error of ours."""
    status = status_of(type(error))
    headers = dict(error.headers)
    if status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if status == 503:
        headers.setdefault("Retry-After", "1")
    return problem_response(
        request,
        status=status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        faults=error.errors,
        extra={"type": error.address(), **error.extra},
        headers=headers,
    )


def _render_validation(request: Request, error: RequestValidationError) -> Response:
    faults = list(error.errors())
    if faults and faults[0]["type"] == "json_invalid":
        return render_error(
            request,
            errors.BadRequest(
                f"The body is not JSON: {faults[0]['ctx']['error']} at {faults[0]['loc'][-1]}."
            ),
        )
    shown = [errors.field_error(fault) for fault in faults[:MAX_FAULTS]]
    more = len(faults) - len(shown)
    detail = f"{more} further faults are not listed." if more else None
    return render_error(request, errors.Invalid(detail, errors=shown))


def plain_response(
    request: Request, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """The problem of a status that has no error class."""
    code, title = PLAIN_STATUS.get(status, ("http_error", "The request failed."))
    return problem_response(request, status=status, code=code, title=title, headers=headers)


def _render_http(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = request.app.state.allowed_methods(request.url.path)
    return plain_response(request, error.status_code, headers)


def _render_database(request: Request, error: DBAPIError) -> Response:
    if isinstance(error, IntegrityError):
        return render_error(request, conflict_of(error))
    if is_full(error):
        log.error("storage_full")
        request.app.state.full_at = time.monotonic()  # readiness tells of it for a while
        return render_error(request, errors.StorageFull(headers={"Retry-After": "60"}))
    if is_busy(error):
        return render_error(request, errors.Unavailable())
    return _render_crash(request, error)


def _render_crash(request: Request, error: Exception) -> Response:
    # The exception's own words stay in the log: they may hold a query, a path or a secret.
    log.error("unhandled_error", path=request.url.path, exc_info=error)
    return plain_response(request, 500)


def install(app: FastAPI) -> None:
    """Register the handlers, so that no route renders an error of its own."""
    app.state.full_at = float("-inf")

    def handle(kind: type[Exception], render: Any) -> None:
        async def handler(request: Request, error: Exception) -> Response:
            response: Response = render(request, error)
            return response

        app.add_exception_handler(kind, handler)

    handle(errors.OpenQIError, render_error)
    handle(RequestValidationError, _render_validation)
    handle(HTTPException, _render_http)
    handle(DBAPIError, _render_database)
    handle(StaleDataError, lambda request, _: render_error(request, errors.PreconditionFailed()))
    handle(TimeoutError, lambda request, _: render_error(request, errors.Unavailable()))
    handle(Exception, _render_crash)
