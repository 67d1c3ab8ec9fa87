"""A platform creates a project, a measure and its data by three messages, then corrects one."""

from datetime import date, timedelta

from sqlmodel import Session, col, select

from app.events.models import Event
from tests.calling import Caller
from tests.integrations.sending import Platform, measure, points, project
from tests.world import World


def test_the_story(platform: Platform, facilitator: Caller, world: World, session: Session) -> None:
    start = date(2018, 1, 1)
    weeks = [
        {"date": (start + timedelta(weeks=week)).isoformat(), "n": 40 + week, "d": 80}
        for week in range(24)
    ]
    for message in (project(), measure(), points(*weeks)):
        response = platform.send(message)
        assert response.status_code == 202
        assert response.json()["outcome"] == "applied", response.text
    made = facilitator.ok("/projects", external_ref="lifeqi:7")["items"]
    assert [item["title"] for item in made] == ["Same-day access"]
    assert made[0]["tags"] == ["from-lifeqi"]
    found = facilitator.ok(f"/projects/{made[0]['id']}/measures", external_ref="lifeqi:70")
    measure_id = found["items"][0]["id"]
    assert found["items"][0]["family"] == "outcome"
    stored = facilitator.ok(f"/measures/{measure_id}/data-points", limit=100)["items"]
    assert [point["numerator"] for point in stored] == list(range(40, 64))

    corrected = platform.send(points({"date": "2018-01-08", "n": 55, "d": 80}))
    assert corrected.json()["outcome"] == "applied"
    assert platform.outcome(points(*weeks[2:])) == ("unchanged", None)
    stored = facilitator.ok(f"/measures/{measure_id}/data-points", limit=100)["items"]
    assert stored[1]["numerator"] == 55
    assert stored[1]["revision"] == 2
    assert len(facilitator.ok(f"/measures/{measure_id}/spc")["points"]) == 24

    log = facilitator.ok(f"{platform.path}/events")["items"]
    assert [line["outcome"] for line in log] == ["unchanged", *["applied"] * 4]
    assert [line["subject"] for line in log] == ["70", "70", "70", "70", "7"]
    assert log[2]["detail"] == "24 created, 0 changed, 0 unchanged."
    events = session.exec(
        select(Event).where(
            col(Event.type).in_(
                ["project.created", "measure.created", "data_point.recorded", "project.updated"]
            )
        )
    ).all()
    assert len(events) == 5
    assert {event.origin for event in events} == {"lifeqi"}
    assert {event.actor_id for event in events} == {world.facilitator.id}
    assert all('"origin":"lifeqi"' in event.payload for event in events)
