"""Who looks at the catalogue: anybody, or somebody who is logged in."""

from typing import Annotated

from fastapi import Depends, Request

from app.access.actor import Actor
from app.access.dependencies import bearer, current_actor
from app.access.permissions import Permission


def current_viewer(request: Request) -> Actor | None:
    """The caller where a token came along, else None. A token that does not hold is refused.

    No security scheme of OpenAPI: the route is public, a token only shows more.
    """
    if "authorization" not in request.headers:
        return None
    actor = current_actor(request, bearer.verify(request))
    actor.span(Permission.PROJECT_READ)  # raises where a personal token lacks the scope
    return actor


Viewer = Annotated[Actor | None, Depends(current_viewer)]
