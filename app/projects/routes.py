"""Routes of projects."""

from app.kit.routing import Router

router = Router(tags=["projects"])
