"""Routes of access."""

from app.kit.routing import Router

router = Router()
