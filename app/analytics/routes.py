"""Routes of analytics."""

from app.kit.routing import Router

router = Router(tags=["spc"])
