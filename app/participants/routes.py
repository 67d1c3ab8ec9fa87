"""Routes of participants."""

from app.kit.routing import Router

router = Router(tags=["participants"])
