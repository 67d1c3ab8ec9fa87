"""The parts that the server and the worker share, made once from the settings."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app import tables  # noqa: F401 - a foreign key finds its table, whatever else is loaded
from app.identity.keys import load_signing_key
from app.jobs import figures as jobs
from app.kit.addresses import networks
from app.kit.db import Database
from app.kit.metrics import DatabaseGauges, Metrics
from app.kit.outbound import Policy
from app.kit.sealing import Sealer
from app.settings import Settings
from app.webhooks import figures as webhooks


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process needs to serve or to work."""

    settings: Settings
    database: Database
    signing_key: str
    sealer: Sealer
    policy: Policy
    metrics: Metrics = field(default_factory=Metrics)


def make_parts(settings: Settings, *, database: Database | None = None) -> Parts:
    """The parts; a test hands in its own database. Raises `UnusableKey`."""
    signing_key = load_signing_key(
        pem=settings.signing_key.get_secret_value() if settings.signing_key else None,
        path=settings.signing_key_file,
        may_make=settings.environment == "development",
    )
    sealing_key = settings.sealing_key.get_secret_value() if settings.sealing_key else signing_key
    return Parts(
        settings=settings,
        database=database or Database(settings.database_url, read_url=settings.database_read_url),
        signing_key=signing_key,
        sealer=Sealer(sealing_key.encode(), use="stored secrets"),
        policy=Policy(
            networks=tuple(networks(settings.webhook_allow_nets)),
            hosts=frozenset(settings.webhook_allow_hosts),
            allow_http=settings.webhook_allow_http,
            proxy=settings.webhook_proxy,
        ),
    )


def add_database_gauges(metrics: Metrics, find: Callable[[], Database]) -> DatabaseGauges:
    """What the shared database says of the work, among the metrics of this process."""
    gauges = DatabaseGauges(
        find,
        (*jobs.GAUGES, *webhooks.GAUGES),
        (jobs.read_jobs, webhooks.read_outgoing),
    )
    metrics.registry.register(gauges)
    return gauges
