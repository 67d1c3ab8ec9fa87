"""The pages about the API: docs page without any foreign host, its document, problems, version."""

import hashlib
import html
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Annotated

from fastapi import Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from app.kit.answers import API_PREFIX
from app.kit.errors import NotFound, OpenQIError
from app.kit.fields import Output
from app.kit.openapi import problems
from app.kit.preconditions import etag
from app.kit.problems import PLAIN_STATUS, status_of
from app.kit.routing import Router

VERSION = (
    "5.35.0"  # of the Swagger UI in swagger_ui/; part of the address, so it is cached for ever
)
DOCUMENT_PATH = "/openapi.json"
_MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "init.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_OURS = ("init.js", "page.css")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the icons of the style sheet
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_FOR_EVER = "public, max-age=31536000, immutable"
_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="docs/{version}/favicon-32x32.png">
<link rel="stylesheet" href="docs/{version}/swagger-ui.css">
<link rel="stylesheet" href="docs/{ours}/page.css">
<script src="docs/{version}/swagger-ui-bundle.js" defer></script>
<script src="docs/{ours}/init.js" defer></script>
</head>
<body><main id="swagger-ui"></main></body>
</html>
"""

router = Router(tags=["about"])


@cache
def _file(name: str) -> bytes:
    return (resources.files(__package__) / "swagger_ui" / name).read_bytes()


@cache
def _our_version() -> str:
    """The address of our own two files changes with what is in them."""
    return hashlib.sha256(b"".join(map(_file, _OURS))).hexdigest()[:16]


@router.get("/", include_in_schema=False)
async def open_docs() -> RedirectResponse:
    """A browser that opens the bare address sees the docs page."""
    return RedirectResponse("/docs")


@router.get("/docs", include_in_schema=False)
async def get_docs_page(request: Request) -> HTMLResponse:
    """Swagger UI of this server. Its addresses are relative, so a proxy may add a prefix."""
    title = html.escape(request.app.title)
    page = _PAGE.format(title=title, version=VERSION, ours=_our_version())
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{version}/{name}", include_in_schema=False)
async def get_docs_file(version: str, name: str) -> Response:
    """One file of the docs page; nothing that the table does not name is ever opened."""
    if name not in _MEDIA_TYPES or version != (_our_version() if name in _OURS else VERSION):
        raise NotFound
    headers = {"Cache-Control": _FOR_EVER, "ETag": etag(f"{version}-{name}")}
    return Response(_file(name), headers=headers, media_type=_MEDIA_TYPES[name])


@router.get(DOCUMENT_PATH, include_in_schema=False)
async def get_openapi_document(request: Request) -> Response:
    """The OpenAPI document, with an ETag: it changes only with the version of the server."""
    body = json.dumps(request.app.openapi(), ensure_ascii=False).encode()
    tag = etag(hashlib.sha256(body).hexdigest()[:32])
    return Response(body, headers={"ETag": tag}, media_type="application/json")


class MetaRead(Output):
    """What this server is."""

    title: str = Field(examples=["OpenQI"])
    version: str = Field(examples=["0.1.0"], description="Of the software; see the changelog.")
    api_version: str = Field(examples=["v1"])
    docs_url: str = Field(examples=["/docs"])
    openapi_url: str = Field(examples=[DOCUMENT_PATH])


@router.get(f"{API_PREFIX}/meta", summary="Which version is this?")
async def get_meta(request: Request) -> MetaRead:
    """The version of the server; no login is needed."""
    app = request.app
    return MetaRead(
        title=app.title,
        version=app.version,
        api_version=API_PREFIX.rsplit("/", 1)[-1],
        docs_url="/docs",
        openapi_url=DOCUMENT_PATH,
    )


class ProblemCodeRead(Output):
    """The meaning of one problem code."""

    code: str = Field(examples=["revision_mismatch"])
    title: str = Field(examples=["It was changed since you read it."])
    status: int = Field(examples=[412], description="The HTTP status that it comes with.")
    description: str = Field(examples=["If-Match names a revision that is not the present one."])


class ProblemCatalogueRead(Output):
    """All problem codes that this server knows."""

    items: list[ProblemCodeRead]


def _kinds(base: type[OpenQIError]) -> Iterator[type[OpenQIError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _meaning(error: type[OpenQIError]) -> str:
    """The docstring as one paragraph, without the status that it opens with."""
    words = " ".join((error.__doc__ or error.title).split())
    return re.sub(r"^\d{3}: ", "", words)


def problem_catalogue() -> dict[str, ProblemCodeRead]:
    """Every code by its name: those of our errors, and those of statuses without an error class."""
    known = {
        code: ProblemCodeRead(code=code, title=title, status=status, description=title)
        for status, (code, title) in PLAIN_STATUS.items()
    }
    for error in _kinds(OpenQIError):
        if "code" in vars(error):
            known[error.code] = ProblemCodeRead(
                code=error.code,
                title=error.title,
                status=status_of(error),
                description=_meaning(error),
            )
    return dict(sorted(known.items()))


@router.get("/problems", summary="List the problem codes")
async def list_problem_codes() -> ProblemCatalogueRead:
    """Every `code` that an `application/problem+json` answer can carry, and what it means."""
    return ProblemCatalogueRead(items=list(problem_catalogue().values()))


@router.get("/problems/{code}", summary="Get a problem code", responses=problems(NotFound))
async def get_problem_code(
    code: Annotated[str, Path(max_length=100, examples=["revision_mismatch"])],
) -> ProblemCodeRead:
    """The address that the `type` of a problem points to."""
    if (found := problem_catalogue().get(code)) is None:
        raise NotFound
    return found
