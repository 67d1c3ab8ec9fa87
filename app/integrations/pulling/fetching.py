"""The job that fetches what another OpenQI shares: one project, or its catalogue."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple, Protocol
from urllib.parse import urlencode

import anyio.to_thread
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.integrations.actions import finish_pull
from app.integrations.kinds import PULL
from app.integrations.models import InboundOutcome
from app.integrations.pulling.actions import ask_for_all_listed
from app.integrations.pulling.applying import (
    Overtaken,
    apply_absence,
    apply_document,
    apply_unchanged,
)
from app.integrations.pulling.comparison import compare_points
from app.integrations.pulling.parts import Unfit
from app.integrations.pulling.queries import (
    find_integrations,
    find_received,
    list_received,
    lock_integration,
)
from app.integrations.pulling.schemas import CatalogueThere, ProblemThere, query_of
from app.integrations.queries import source_of
from app.integrations.secrets import open_token
from app.jobs.handlers import Dead, Done, Effect, Outcome, Outgoing, Retry, Work
from app.kit.answers import API_PREFIX
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.errors import NotFound, OpenQIError
from app.kit.outbound import Answer, Outbound
from app.kit.preconditions import etag
from app.kit.sealing import Sealer, Unsealable
from app.sharing.shared.schemas import MAX_BYTES, SharedProject

READ_AT_MOST = MAX_BYTES  # an OpenQI writes no larger document
SECONDS = 60.0
PAGES_AT_MOST = 10  # of 200 projects each
_FINAL = frozenset({"not_allowed", "invalid_url"})


# What the messages are told that waited; None: nothing, the next fetch will tell them.
Brought = InboundOutcome | None


class Write(Protocol):
    """Stores what was fetched, in the transaction of the session."""

    def __call__(self, session: Session, *, now: datetime) -> Brought: ...


class Target(NamedTuple):
    """What a job fetches, and what is here already."""

    integration_id: uuid.UUID
    address: str
    token: str | None  # sealed
    project_id: uuid.UUID | None
    revision: str | None


class Stopped(Exception):
    """Nothing was stored; `outcome` says whether to try again."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def puller(*, database: Database, outbound: Outbound, sealer: Sealer) -> Outgoing:
    """The handler of `integration.pull`.

    It stores in a transaction of its own and not in the settling one: a document is large, and
    fetching it again changes nothing.
    """
    return Outgoing(PULL, _load, _Fetching(database, outbound, sealer).run)


def _load(session: Session, works: Sequence[Work]) -> Mapping[int, Target]:
    """By two statements; nothing for a connection that is gone or paused."""
    asked = {work.id: uuid.UUID(work.args["integration_id"]) for work in works}
    integrations = find_integrations(session, set(asked.values()))
    received = list_received(session, set(integrations))
    targets = {}
    for work in works:
        integration = integrations.get(asked[work.id])
        if integration is None:
            continue
        named = work.args.get("project_id")
        project_id = uuid.UUID(named) if named else None
        stored = received.get((integration.id, project_id)) if project_id else None
        targets[work.id] = Target(
            integration_id=integration.id,
            address=f"{source_of(integration)}{API_PREFIX}/shared/projects",
            token=integration.token,
            project_id=project_id,
            # What was withdrawn is wanted whole: it may be shared again unchanged.
            revision=stored.source_revision if stored and not stored.withdrawn_at else None,
        )
    return targets


@dataclass(frozen=True, slots=True)
class _Fetching:
    database: Database
    outbound: Outbound
    sealer: Sealer

    async def run(self, work: Work, target: Target | None) -> Outcome:
        if target is None:
            return Done()
        began = utc_now()
        outcome: Outcome = Done()
        try:
            if target.project_id is None:
                brought = await self._fetch_catalogue(target)
            else:
                brought = await self._fetch_project(target, target.project_id, began)
        except Stopped as stopped:
            outcome, brought = stopped.outcome, InboundOutcome.FAILED
        return _with_log(outcome, brought, work, target, began)

    async def _get(self, target: Target, url: str, revision: str | None = None) -> Answer:
        """An answer with a status. Raises `Stopped`."""
        headers = {"accept": "application/json"}
        if target.token is not None:
            token = self._open(target.integration_id, target.token)
            headers["authorization"] = f"Bearer {token}"
        if revision is not None:
            headers["if-none-match"] = etag(revision)
        answer = await self.outbound.send(
            "GET",
            url,
            headers=headers,
            seconds=SECONDS,
            read_at_most=READ_AT_MOST,
            keep=READ_AT_MOST,
        )
        _refuse(answer)
        return answer

    def _open(self, integration_id: uuid.UUID, token: str) -> str:
        try:
            return open_token(self.sealer, integration_id, token)
        except Unsealable as fault:
            raise Stopped(Dead("The token cannot be unsealed; enter it again.")) from fault

    async def _fetch_project(
        self, target: Target, project_id: uuid.UUID, asked_at: datetime
    ) -> Brought:
        answer = await self._get(target, f"{target.address}/{project_id}", target.revision)
        ours, theirs = target.integration_id, project_id
        if answer.status == 304:
            same = partial(apply_unchanged, integration_id=ours, project_id=theirs)
            return await self._store(same)
        if answer.status == 200:
            document = _document(answer, project_id)
            return await self._guarded(partial(self._keep_document, ours, document, asked_at))
        gone = partial(apply_absence, integration_id=ours, project_id=theirs, asked_at=asked_at)
        return await self._store(gone)

    def _keep_document(
        self, integration_id: uuid.UUID, document: SharedProject, asked_at: datetime
    ) -> Brought:
        with self.database.reading() as session:
            compared = compare_points(session, integration_id=integration_id, document=document)
        return self._keep(
            partial(
                apply_document,
                integration_id=integration_id,
                document=document,
                compared=compared,
                asked_at=asked_at,
            )
        )

    async def _fetch_catalogue(self, target: Target) -> Brought:
        listed: set[uuid.UUID] = set()
        cursor: str | None = None
        for _ in range(PAGES_AT_MOST):
            url = f"{target.address}?{urlencode(query_of(cursor))}"
            page = _page(await self._get(target, url))
            listed |= {item.project_id for item in page.items}
            cursor = page.next_cursor
            if cursor is None:
                break

        def ask(session: Session, *, now: datetime) -> Brought:
            integration = lock_integration(session, target.integration_id)
            if integration is None:
                return None
            ask_for_all_listed(session, integration, listed)
            return InboundOutcome.APPLIED

        return await self._store(ask)

    def _keep(self, write: Write) -> Brought:
        with self.database.transaction() as session:
            return write(session, now=utc_now())

    async def _store(self, write: Write) -> Brought:
        """In a thread and a transaction. Raises `Stopped` where nothing could be stored."""
        return await self._guarded(partial(self._keep, write))

    async def _guarded(self, work: Callable[[], Brought]) -> Brought:
        """In a thread. Raises `Stopped` where nothing could be stored."""
        try:
            return await anyio.to_thread.run_sync(work)
        except Overtaken as fault:
            raise Stopped(Retry(str(fault))) from fault
        except Unfit as fault:
            raise Stopped(Dead(str(fault))) from fault
        except ValidationError as fault:
            raise Stopped(Dead(f"The document breaks a rule: {_faults(fault)}.")) from fault
        except OpenQIError as fault:
            codes = sorted({item.code for item in fault.errors} or {fault.code})
            raise Stopped(Dead(f"The document breaks a rule: {', '.join(codes)}.")) from fault
        except SQLAlchemyError as fault:
            raise Stopped(Retry(f"The database refused it: {type(fault).__name__}.")) from fault


class _Fetched(NamedTuple):
    """What the messages that waited for a fetch, of a project or of all, are to be told."""

    integration_id: uuid.UUID
    project_id: uuid.UUID | None
    began: datetime
    outcome: InboundOutcome
    fault: str | None


_CODES = {InboundOutcome.FAILED: "not_fetched", InboundOutcome.IGNORED: "not_shared"}


def _with_log(
    outcome: Outcome, brought: Brought, work: Work, target: Target, began: datetime
) -> Outcome:
    """The outcome, and the log of the messages settled with it.

    Where it is tried again, they wait on; after the last try nobody else would tell them.
    """
    is_over = not isinstance(outcome, Retry) or work.attempt >= PULL.attempts
    if brought is None or not is_over:
        return outcome
    fault = None if isinstance(outcome, Done) else outcome.error
    fetched = _Fetched(target.integration_id, target.project_id, began, brought, fault)
    return replace(outcome, effect=Effect(_settle_log, fetched))


def _settle_log(session: Session, fetches: Sequence[_Fetched]) -> None:
    for fetched in fetches:
        of = {"integration_id": fetched.integration_id}
        named = fetched.project_id
        received = named and find_received(session, **of, source_project_id=named)
        finish_pull(
            session,
            **of,
            project_id=fetched.project_id,
            since=fetched.began,
            outcome=fetched.outcome,
            now=utc_now(),
            code=_CODES.get(fetched.outcome),
            detail=fetched.fault,
            resource_id=received.project_id if received else None,
        )


def _refuse(answer: Answer) -> None:
    """Raise `Stopped` unless the answer is one of those that say how a project stands there."""
    if answer.status is None:
        said = answer.detail or "No answer came."
        raise Stopped(Dead(said) if answer.failure in _FINAL else Retry(said))
    if answer.is_cut:
        raise Stopped(Dead(f"The answer is larger than {READ_AT_MOST:,} bytes."))
    if answer.status in (200, 304) or _is_gone(answer):
        return
    said = f"The other server answered {answer.status}."
    is_passing = answer.status in (408, 429) or answer.status >= 500
    raise Stopped(Retry(said) if is_passing else Dead(said))


def _is_gone(answer: Answer) -> bool:
    """Its own 404, not that of a proxy or of another program at the address: that hides nothing."""
    if answer.status == 410:
        return True
    if answer.status != 404:
        return False
    try:
        return ProblemThere.model_validate_json(answer.body).code == NotFound.code
    except ValidationError:
        return False


def _faults(fault: ValidationError) -> str:
    """Where and of which kind; never the values, which are of another server."""
    listed = fault.errors(include_url=False, include_context=False, include_input=False)[:3]
    return "; ".join(f"{'.'.join(map(str, item['loc']))[:100]}: {item['type']}" for item in listed)


def _document(answer: Answer, project_id: uuid.UUID) -> SharedProject:
    try:
        document = SharedProject.model_validate_json(answer.body)
    except ValidationError as fault:
        raise Stopped(Dead(f"The answer is no shared project: {_faults(fault)}.")) from fault
    if {document.id, document.provenance.project_id} != {project_id}:
        raise Stopped(Dead("The answer is of another project."))
    return document


def _page(answer: Answer) -> CatalogueThere:
    if answer.status != 200:
        raise Stopped(Dead("There is no catalogue of shared projects at the address."))
    try:
        return CatalogueThere.model_validate_json(answer.body)
    except ValidationError as fault:
        raise Stopped(Dead(f"The answer is no catalogue: {_faults(fault)}.")) from fault
