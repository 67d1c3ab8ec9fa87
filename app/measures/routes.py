"""Routes of measures."""

from app.kit.routing import Router

router = Router(tags=["measures"])
