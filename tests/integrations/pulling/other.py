"""Another server that shares a project, as far as a fetch can tell; it says what a test wants."""

import copy
import json
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.sharing.shared.examples import DOCUMENT

CATALOGUE = "/api/v1/shared/projects"


def point(day: str, numerator: float | None = 41, denominator: float | None = 60) -> dict[str, Any]:
    """A data point of the document's proportion."""
    return {"period_start": day, "numerator": numerator, "denominator": denominator}


class Other:
    """An ASGI application. `document` is what it shares; `answer` takes the place of all else."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = copy.deepcopy(DOCUMENT)
        self.answer: Response | None = None
        self.is_withdrawn = False
        self.asked: list[Request] = []
        self.renew()

    @property
    def project_id(self) -> uuid.UUID:
        return uuid.UUID(self.document["id"])

    @property
    def measure(self) -> dict[str, Any]:
        """The one measure of the document."""
        measure: dict[str, Any] = self.document["measures"][0]
        return measure

    def renew(self, number: int | None = None) -> None:
        """Raise the revision, as the other server does with every change."""
        before = int(self.document["provenance"]["revision"].split("-")[0])
        self.revision = f"{before + 1 if number is None else number}-{'0' * 12}"
        self.document["provenance"]["revision"] = self.revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        request = Request(scope)
        self.asked.append(request)
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if self.answer is not None:
            return self.answer
        if request.url.path == CATALOGUE:
            return self._catalogue()
        if self.is_withdrawn or request.url.path != f"{CATALOGUE}/{self.project_id}":
            return _json({"code": "not_found", "status": 404}, 404)
        if request.headers.get("if-none-match") == f'"{self.revision}"':
            return Response(status_code=304)
        return _json(self.document)

    def _catalogue(self) -> Response:
        items = [] if self.is_withdrawn else [{"project_id": str(self.project_id)}]
        return _json({"items": items, "next_cursor": None})


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, media_type="application/json")
