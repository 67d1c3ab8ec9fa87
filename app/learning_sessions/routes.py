"""Routes of learning_sessions."""

from app.kit.routing import Router

router = Router(tags=["sessions"])
