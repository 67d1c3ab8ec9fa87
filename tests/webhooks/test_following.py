"""Which endpoints hear of an event, and what that costs."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.models import Membership
from app.access.permissions import Role
from app.events.catalogue import Resource
from app.events.dispatching import dispatcher
from app.events.models import Event
from app.events.outbox import Origin
from app.identity.models import User
from app.jobs.models import Job
from app.webhooks import lanes
from app.webhooks.following import follow
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint
from tests.builders import make_membership, make_programme, make_team, make_user
from tests.exchange import make_event, make_personal_token, make_webhook_endpoint
from tests.jobs.draining import drain, waiting
from tests.webhooks.receiving import OK, Post, Receiver

URL = "http://127.0.0.1:9/hooks"


def test_a_delivery_and_its_job_are_made_once(post: Post) -> None:
    endpoint, _ = post.endpoint(URL)
    event = post.happen(endpoint)
    post.dispatch()
    (delivery,) = post.deliveries(endpoint)
    assert (delivery.event_id, delivery.replay) == (event.id, 0)
    assert delivery.state is DeliveryState.PENDING
    assert delivery.event_type == "team.created"
    (job,) = post.session.exec(select(Job).where(Job.kind == "webhook.deliver"))
    assert (job.queue, job.lane) == ("webhook", f"ep:{endpoint.id.hex}")
    assert job.args == {"delivery_id": delivery.id.hex}
    assert job.programme_id == str(endpoint.programme_id)


@pytest.mark.parametrize(
    "over",
    [
        {"event_types": ["measure.*"]},
        {"event_types": ["team.updated"]},
        {"not_from": "life"},
        {"state": EndpointState.DISABLED},
        {"scopes": ["measure:read"]},
    ],
)
def test_who_did_not_ask_or_may_not_hears_nothing(post: Post, over: dict[str, Any]) -> None:
    endpoint, _ = post.endpoint(URL, **over)
    post.happen(endpoint, origin=Origin(source="life"))
    assert post.deliveries(endpoint) == []
    assert waiting(post.database, "webhook.deliver") == 0


def test_what_came_from_elsewhere_is_heard(post: Post) -> None:
    endpoint, _ = post.endpoint(URL, not_from="other", event_types=["team.*"])
    post.happen(endpoint, origin=Origin(source="life"))
    post.happen(endpoint)
    assert len(post.deliveries(endpoint)) == 2


def test_the_archived_and_other_programmes_hear_nothing(post: Post) -> None:
    endpoint, _ = post.endpoint(URL)
    archived, _ = post.endpoint(URL, archived_at=post.now)
    post.happen(archived)
    elsewhere = make_programme(post.session)
    make_event(post.session, programme_id=elsewhere.id)
    post.dispatch()
    assert post.deliveries(endpoint) == post.deliveries(archived) == []


def _end_membership(post: Post, endpoint: WebhookEndpoint) -> None:
    statement = select(Membership).where(col(Membership.user_id) == endpoint.owner_id)
    post.session.exec(statement).one().ends_on = post.now.date()


def _disable_user(post: Post, endpoint: WebhookEndpoint) -> None:
    post.session.get_one(User, endpoint.owner_id).disabled_at = post.now


def _revoke_token(post: Post, endpoint: WebhookEndpoint) -> None:
    token = make_personal_token(post.session, user_id=endpoint.owner_id, revoked_at=post.now)
    endpoint.token_id = token.id


def _expire_token(post: Post, endpoint: WebhookEndpoint) -> None:
    """At this very moment: a token does not act at the end of its life."""
    token = make_personal_token(post.session, user_id=endpoint.owner_id, expires_at=post.now)
    endpoint.token_id = token.id


@pytest.mark.parametrize("end", [_end_membership, _disable_user, _revoke_token, _expire_token])
def test_once_the_owner_may_not_nothing_is_made_and_nothing_is_sent(
    post: Post, receiver: Receiver, end: Callable[[Post, WebhookEndpoint], None]
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    end(post, endpoint)
    post.session.commit()
    post.happen(endpoint)
    (made_before,) = post.deliveries(endpoint)
    post.deliver()
    assert receiver.received == []
    (delivery,) = post.deliveries(endpoint)
    assert delivery.id == made_before.id
    assert delivery.state is DeliveryState.CANCELLED
    assert delivery.last_error == "The owner of the endpoint may not read this any more."
    assert delivery.attempts == 0


def test_a_role_in_a_team_alone_hears_nothing_of_its_projects(post: Post) -> None:
    programme = make_programme(post.session)
    lead = make_user(post.session)
    team = make_team(post.session, programme=programme)
    make_membership(post.session, user=lead, role=Role.TEAM_LEAD, team=team)
    endpoint, _ = post.endpoint(URL, programme=programme, owner_id=lead.id)
    post.happen(endpoint, noun=Resource.MEASURE)
    assert post.deliveries(endpoint) == []


def test_a_token_that_still_holds_narrows_to_its_scopes(post: Post) -> None:
    endpoint, _ = post.endpoint(URL, scopes=["webhook:write", "team:read"])
    endpoint.token_id = make_personal_token(post.session, user_id=endpoint.owner_id).id
    post.session.commit()
    post.happen(endpoint)
    assert len(post.deliveries(endpoint)) == 1


def test_deliveries_of_a_paused_or_resting_endpoint_wait(post: Post, receiver: Receiver) -> None:
    paused, _ = post.endpoint(receiver.url, state=EndpointState.PAUSED)
    rests, _ = post.endpoint(receiver.url, open_until=post.now + timedelta(seconds=30), failures=5)
    post.happen(paused)
    post.happen(rests)
    (held,), (resting,) = post.deliveries(paused), post.deliveries(rests)
    assert held.next_at == post.now + lanes.HELD_FOR
    assert resting.next_at == lanes.after_probe(post.now + timedelta(seconds=30))
    assert post.deliver() == []
    receiver.answers(OK)
    post.deliver(after=51)
    assert len(receiver.received) == 1


def test_a_hundred_events_for_twenty_endpoints_cost_few_statements(
    post: Post, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    programme = make_programme(post.session)
    for _ in range(20):
        make_webhook_endpoint(post.session, programme=programme)
    events = [make_event(post.session, programme_id=programme.id) for _ in range(100)]
    counted: list[list[str]] = []

    def heard(session: Session, batch: Sequence[Event]) -> None:
        session.flush()
        with count_queries() as statements:
            follow(session, batch)
        counted.append(statements)

    drain(post.database, [dispatcher([heard])])
    assert [len(statements) for statements in counted] == [4]
    made = post.session.exec(
        select(WebhookDelivery).where(col(WebhookDelivery.event_id).in_([e.id for e in events]))
    ).all()
    assert len(made) == waiting(post.database, "webhook.deliver") == 2_000
