"""Runs the fetches that wait, and what they need: a sealer, and calls to this machine."""

import ssl
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from app.integrations.pulling.fetching import puller
from app.jobs.handlers import Dead, Done, Outcome, Retry
from app.kit.db import Database
from app.kit.outbound import Answer, Outbound, Policy
from app.kit.sealing import Sealer
from tests.jobs.draining import drain

SEALER = Sealer(b"a key for tests, long enough", use="stored secrets")
_TLS = ssl.create_default_context()  # made once: reading the certificates takes its time
HERE = Policy(networks=(ip_network("127.0.0.0/8"),), allow_http=True)


class FreshOutbound(Outbound):
    """A client for each call: `drain` has an event loop for each batch, connections have one."""

    async def send(self, method: str, url: str, **options: Any) -> Answer:
        client = Outbound(self.policy, tls=_TLS)
        try:
            return await client.send(method, url, **options)
        finally:
            await client.aclose()


def fetch(database: Database, *, sealer: Sealer = SEALER, policy: Policy = HERE) -> list[Outcome]:
    """Work off the fetches that are due, and those that they ask for.

    The outcomes come without their effects: what these store is to be looked at.
    """
    handler = puller(database=database, outbound=FreshOutbound(policy, tls=_TLS), sealer=sealer)
    outcomes: list[Outcome] = []
    while found := drain(database, [handler]):
        outcomes += [replace(outcome, effect=None) for outcome in found]
        if not all(isinstance(outcome, Done) for outcome in found):
            break
    return outcomes


def said(outcomes: list[Outcome]) -> str:
    """The error of the one outcome, which was no success."""
    (outcome,) = outcomes
    assert isinstance(outcome, (Dead, Retry)), outcome
    return outcome.error
