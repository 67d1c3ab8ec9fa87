"""Routes of progress."""

from app.kit.routing import Router

router = Router(tags=["projects"])
