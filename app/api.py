"""The whole API: ordered routers, tags, security schemes, and what the document says of them."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from app import __version__
from app.access import routes as access
from app.analytics import routes as analytics
from app.analytics.comparisons import routes as comparisons
from app.analytics.feasibility import routes as feasibility
from app.analytics.pictures import routes as pictures
from app.identity import routes as identity
from app.integrations import routes as integrations
from app.integrations.inbound.routes import SIGNATURE
from app.integrations.pulling import routes as pulling
from app.kit import docs, health, metrics, openapi
from app.kit.answers import API_PREFIX
from app.learning_sessions import routes as learning_sessions
from app.measures import routes as measures
from app.operations import routes as operations
from app.operations.jobs import routes as jobs
from app.organisations import routes as organisations
from app.participants import routes as participants
from app.pdsa import routes as pdsa
from app.programmes import routes as programmes
from app.progress import routes as progress
from app.projects import routes as projects
from app.references import routes as references
from app.sharing import routes as sharing
from app.teams import routes as teams
from app.webhooks import routes as webhooks
from app.webhooks.feed import routes as feed
from app.webhooks.messages.document import with_webhooks

DESCRIPTION = """
Open API to run healthcare quality-improvement programmes: who takes part, what they learn,
what they change, what they measure, and whether it worked.

Log in with **Authorize** (the user name is the e-mail address), or paste a personal token there.
Errors are `application/problem+json` with a stable `code`. Lists are paged by `next_cursor`. Send
the `ETag` you read as `If-Match` when you change something, an `Idempotency-Key` when you create.
"""
TAGS = [
    ("auth", "Log in, log out, personal tokens for integrations."),
    ("me", "Who you are and what you may do."),
    ("users", "People who can log in, and their roles. For administrators."),
    ("organisations", "Practices, trusts, hubs: who commissions, provides and employs."),
    ("programmes", "Quality-improvement programmes and their states."),
    ("participants", "Who takes part: the person, where they work, and their enrolment."),
    ("teams", "Teams of participants."),
    ("sessions", "The programme's sessions and the register of attendance."),
    ("projects", "Improvement projects: charter, aim, state."),
    ("pdsa-cycles", "Plan-Do-Study-Act cycles in ramps."),
    ("measures", "Measures and their data points, one by one or in bulk."),
    ("sharing", "Releases to audiences beyond the team, and the catalogue of shared projects."),
    ("spc", "Series annotated by statistical process control."),
    ("webhooks", "Subscribers to events: endpoints, what was delivered, replays."),
    ("jobs", "Background work, and what of it was given up. For administrators."),
    ("operations", "Long work: how far it is, what came of it, and how to cancel it."),
    ("external-references", "What other systems call our resources."),
    ("integrations", "Other platforms that send us messages, and what became of each."),
    ("events", "What happened, in one order: to be pulled, or streamed as it happens."),
    ("health", "Liveness and readiness, for orchestrators."),
    ("about", "The version of this server and the meaning of its problem codes."),
]
_ROUTERS: tuple[APIRouter, ...] = (
    analytics.direct,  # the hottest first: routes are matched one after the other
    analytics.router,
    pictures.router,
    identity.router,
    access.router,
    organisations.router,
    programmes.router,
    participants.router,
    teams.router,
    learning_sessions.router,
    projects.router,
    pdsa.router,
    measures.router,
    comparisons.router,
    progress.router,
    feasibility.router,
    webhooks.router,
    jobs.router,
    operations.router,
    references.router,
    integrations.router,
    sharing.router,
    pulling.router,
    feed.router,
    feed.stream,
)
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An access token, or a personal token (`qipat_...`).",
}


def include_routers(app: FastAPI) -> None:
    """Put every router in its place."""
    for router in _ROUTERS:
        app.include_router(router, prefix=API_PREFIX)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(docs.router)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document = get_openapi(
        title=app.title,
        version=__version__,
        summary="Run quality-improvement programmes and see whether they worked.",
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": description} for name, description in TAGS],
        servers=[{"url": "/"}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        contact={"name": "The people who run this server"},
    )
    document["components"]["securitySchemes"] |= {"bearer": _BEARER, "signature": SIGNATURE}
    for item in document["paths"].values():
        for operation in item.values():
            if any("login" in way for way in operation.get("security", ())):
                operation["security"].append({"bearer": []})
    return with_webhooks(openapi.complete(document, app.routes))
