"""Routes of pdsa."""

from app.kit.routing import Router

router = Router(tags=["pdsa-cycles"])
