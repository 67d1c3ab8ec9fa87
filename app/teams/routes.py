"""Routes of teams."""

from app.kit.routing import Router

router = Router(tags=["teams"])
