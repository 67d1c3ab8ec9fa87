"""Bulk recording as JSON: counts, modes, atomicity, events, limits."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from app.measures.data_points.batches import DataPointBatch
from app.measures.data_points.planning import plan_batch
from app.measures.data_points.reading import Batch
from app.measures.models import DataPoint, DataType, Measure
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.measures.bodies import bulk, codes, data_of, events_of, refused, series_of
from tests.world import World

Call = Callable[..., Caller]
FIRST = date(2018, 1, 1)


def week(number: int, numerator: Any = 8, **over: Any) -> dict[str, Any]:
    """The item of a week."""
    day = FIRST + timedelta(weeks=number)
    return {"period_start": day.isoformat(), "numerator": numerator, "denominator": 20} | over


def counts(created: int = 0, updated: int = 0, unchanged: int = 0, archived: int = 0) -> Any:
    return {
        "created": created,
        "updated": updated,
        "unchanged": unchanged,
        "archived": archived,
        "excluded": 0,
        "exclusions_ended": 0,
        "dry_run": False,
    }


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project)


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


def live(session: Session, measure: Measure) -> list[tuple[str, str, float | None, int]]:
    """(stratum, period, value, revision) of the live points."""
    session.expire_all()
    statement = (
        select(DataPoint)
        .where(DataPoint.measure_id == measure.id, col(DataPoint.archived_at).is_(None))
        .order_by(col(DataPoint.stratum), col(DataPoint.period_start))
    )
    return [
        (row.stratum, str(row.period_start), row.value, row.revision)
        for row in session.exec(statement)
    ]


def test_create_update_and_leave_alone(
    member: Caller, measure: Measure, session: Session, world: World
) -> None:
    first = bulk(member, measure, [week(0), week(1), week(0, stratum="west")])
    assert first.status_code == 200, first.text
    assert first.json() == counts(created=3)
    second = bulk(member, measure, [week(0), week(1, 9), week(2, None, denominator=None)])
    assert second.json() == counts(created=1, updated=1, unchanged=1)
    assert live(session, measure) == [
        ("", "2018-01-01", 0.4, 1),
        ("", "2018-01-08", 0.45, 2),
        ("", "2018-01-15", None, 1),
        ("west", "2018-01-01", 0.4, 1),
    ]
    assert series_of(member, measure) == (1, 2)
    point = member.ok(f"/measures/{measure.id}/data-points", limit=1)["items"][0]
    assert (point["source"], point["entered_by"]) == ("import", str(world.member.id))


def test_a_checked_batch_is_planned_alike() -> None:
    data = DataPointBatch.model_validate({"items": [week(0), week(1), week(2, 9)]})
    stored = plan_batch(Batch.of(data, data.items), [], DataType.PROPORTION).created
    assert [row["value"] for row in stored] == [0.4, 0.4, 0.45]
    batch = Batch.of(data, data.items)
    plan = plan_batch(batch, [row | {"id": None} for row in stored[:2]], DataType.PROPORTION)
    assert (len(plan.created), plan.unchanged, batch.faults) == (1, 2, [])


def test_one_event_a_batch_keeps_what_was_overwritten(
    member: Caller, measure: Measure, session: Session
) -> None:
    bulk(member, measure, [week(0), week(1, stratum="west")])
    bulk(member, measure, [week(0, 9), week(1, 7, stratum="west"), week(5)])
    events = events_of(session, measure.id)
    assert [event.type for event in events] == ["data_point.recorded"] * 2
    last = events[-1]
    assert (last.resource_id, last.parent_id) == (measure.id, measure.id)
    assert last.changes == {
        "2018-01-01": [{"value": 0.4, "numerator": 8.0}, {"value": 0.45, "numerator": 9}],
        "2018-01-08/west": [{"value": 0.4, "numerator": 8.0}, {"value": 0.35, "numerator": 7}],
    }
    data = data_of(last)
    assert data["url"] == f"/api/v1/measures/{measure.id}/data-points"
    assert (data["created"], data["updated"], data["archived"]) == (1, 2, 0)
    assert (data["from"], data["to"]) == ("2018-01-01", "2018-02-05")
    history = member.ok(f"/measures/{measure.id}/history")["items"]
    assert len(history) == 2


def test_the_same_again_changes_nothing(member: Caller, measure: Measure, session: Session) -> None:
    rows = [week(number) for number in range(5)]
    bulk(member, measure, rows)
    assert bulk(member, measure, rows).json() == counts(unchanged=5)
    assert series_of(member, measure) == (1, 1)
    assert len(events_of(session, measure.id)) == 1
    assert bulk(member, measure, []).json() == counts()


def test_what_a_row_leaves_out_stays(member: Caller, measure: Measure, session: Session) -> None:
    full = week(0, note="Snow", excluded=True, excluded_reason="Closed", status="provisional")
    bulk(member, measure, [full])
    assert bulk(member, measure, [week(0, 9)]).json()["updated"] == 1
    path = f"/measures/{measure.id}/data-points"
    point = member.ok(path)["items"][0]
    assert (point["numerator"], point["note"], point["excluded"]) == (9, "Snow", True)
    assert (point["status"], point["excluded_reason"]) == ("provisional", "Closed")
    assert point["excluded_by"] is not None
    assert bulk(member, measure, [week(0, 9, note=None)]).json()["updated"] == 1
    alone = {"period_start": "2018-01-01", "numerator": 10}
    assert bulk(member, measure, [alone]).json()["updated"] == 1
    point = member.ok(path)["items"][0]
    assert (point["value"], point["note"]) == (0.5, None)
    assert bulk(member, measure, [{"period_start": "2018-01-01"}]).json() == counts(unchanged=1)
    back = {"period_start": "2018-01-01", "excluded": False}
    bulk(member, measure, [back])
    point = member.ok(path)["items"][0]
    assert (point["excluded"], point["excluded_by"], point["excluded_reason"]) == (
        False,
        None,
        None,
    )


def test_a_dry_run_counts_and_writes_nothing(
    member: Caller, measure: Measure, session: Session
) -> None:
    bulk(member, measure, [week(0), week(1)])
    before = live(session, measure)
    trial = bulk(
        member,
        measure,
        [week(0, 9), week(3)],
        dry_run=True,
        mode="replace_range",
        **{"from": "2018-01-01", "to": "2018-03-01"},
    )
    assert trial.json() == counts(created=1, updated=1, archived=1) | {"dry_run": True}
    assert live(session, measure) == before
    assert series_of(member, measure) == (1, 1)
    assert len(events_of(session, measure.id)) == 1
    bad = bulk(member, measure, [week(0, 21)], dry_run=True)
    refused(bad, 422, "numerator_exceeds_denominator", "#/items/0/numerator")


def test_all_faults_at_once_and_nothing_written(
    member: Caller, measure: Measure, session: Session
) -> None:
    make_data_point(session, measure=measure)
    response = bulk(
        member,
        measure,
        [
            week(1),
            week(2, "8"),
            week(3, 21, period_end="2018-01-01"),
            {"numerator": 1, "denominator": 2},
            "not an object",
            week(1),
            week(4, valeu=1),
            week(5, note="9434765919"),
        ],
    )
    refused(response, 422, "validation_failed")
    assert codes(response) == {
        ("#/items/1/numerator", "float_type"),
        ("#/items/2/numerator", "numerator_exceeds_denominator"),
        ("#/items/2/period_end", "period_end_before_start"),
        ("#/items/3/period_start", "missing"),
        ("#/items/4", "model_type"),
        ("#/items/5/period_start", "duplicate_row"),
        ("#/items/6/valeu", "extra_forbidden"),
        ("#/items/7/note", "patient_identifier_suspected"),
    }
    assert "9434765919" not in response.text
    assert len(live(session, measure)) == 1
    assert series_of(member, measure) == (1, 0)


def test_insert_refuses_what_exists(member: Caller, measure: Measure, session: Session) -> None:
    bulk(member, measure, [week(0)])
    response = bulk(member, measure, [week(0, 9), week(1)], mode="insert")
    refused(response, 422, "already_exists", "#/items/0/period_start")
    assert len(live(session, measure)) == 1
    assert bulk(member, measure, [week(1)], mode="insert").json() == counts(created=1)


def test_replace_range_archives_the_rest(
    member: Caller, measure: Measure, session: Session
) -> None:
    bulk(member, measure, [week(number) for number in range(6)] + [week(2, stratum="west")])
    span = {"from": "2018-01-08", "to": "2018-01-22"}
    outside = bulk(member, measure, [week(0), week(2)], mode="replace_range", **span)
    refused(outside, 422, "outside_range", "#/items/0/period_start")
    done = bulk(member, measure, [week(1), week(2, 9)], mode="replace_range", **span)
    assert done.json() == counts(updated=1, unchanged=1, archived=2)
    assert [(row[0], row[1], row[2]) for row in live(session, measure)] == [
        ("", "2018-01-01", 0.4),
        ("", "2018-01-08", 0.4),
        ("", "2018-01-15", 0.45),
        ("", "2018-01-29", 0.4),
        ("", "2018-02-05", 0.4),
    ]
    changes = events_of(session, measure.id)[-1].changes
    assert changes["2018-01-22"][1] is None
    assert changes["2018-01-15/west"][0]["numerator"] == 8.0
    archived = member.ok(f"/measures/{measure.id}/data-points", archived="true")["items"]
    assert len(archived) == 2
    assert bulk(member, measure, [], mode="replace_range", **span).json() == counts(archived=2)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "replace_range"},
        {"mode": "replace_range", "from": "2018-01-01"},
        {"mode": "replace_range", "from": "2018-02-01", "to": "2018-01-01"},
        {"from": "2018-01-01"},
        {"mode": "merge"},
        {"to": 5},
        {"colour": "red"},
    ],
)
def test_options_that_do_not_fit(member: Caller, measure: Measure, options: dict[str, Any]) -> None:
    refused(bulk(member, measure, [week(0)], **options), 422, "validation_failed")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"items": 5}', b"null", b'{"items": [\xff]}'])
def test_bodies_that_are_no_batch(member: Caller, measure: Measure, body: bytes) -> None:
    response = member(
        "POST",
        f"/measures/{measure.id}/data-points/bulk",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code in {400, 422}, response.text
    deep = b'{"items": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    nested = member(
        "POST",
        f"/measures/{measure.id}/data-points/bulk",
        content=deep,
        headers={"Content-Type": "application/json"},
    )
    assert nested.status_code in {400, 422}, nested.text


def test_numbers_too_large_for_a_double(member: Caller, measure: Measure) -> None:
    for text in ("1e999", "1" + "0" * 400, "NaN", "-Infinity"):
        body = f'{{"items": [{{"period_start": "2018-01-01", "numerator": {text}}}]}}'
        response = member(
            "POST",
            f"/measures/{measure.id}/data-points/bulk",
            content=body,
            headers={"Content-Type": "application/json"},
        )
        assert response.status_code in {400, 422}, (text, response.text)


def test_options_of_json_stand_in_the_body(member: Caller, measure: Measure) -> None:
    response = member(
        "POST",
        f"/measures/{measure.id}/data-points/bulk",
        params={"dry_run": "true"},
        json={"items": [week(0)]},
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "dry_run"


def test_more_rows_than_one_transaction_takes(member: Caller, measure: Measure) -> None:
    rows = [{"period_start": "2018-01-01"}] * 5_001
    response = bulk(member, measure, rows)
    refused(response, 422, "too_many_rows")
    assert "split" in response.json()["title"]


def test_a_body_above_the_limit(member: Caller, measure: Measure) -> None:
    rows = [week(number, note="x" * 1_800) for number in range(600)]
    assert bulk(member, measure, rows).json() == counts(created=600)
    large = member(
        "POST",
        f"/measures/{measure.id}/data-points/bulk",
        content=b" " * 5_000_001,
        headers={"Content-Type": "text/csv"},
    )
    refused(large, 413, "body_too_large")


def test_five_thousand_rows(
    member: Caller,
    measure: Measure,
    session: Session,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    rows = [week(number) for number in range(5_000)]
    costs = []
    for numerator, expected in ((8, counts(created=5_000)), (9, counts(updated=5_000))):
        changed = [row | {"numerator": numerator} for row in rows]
        began = time.perf_counter()
        with count_queries() as statements:
            response = bulk(member, measure, changed)
        print(f"5000 rows: {time.perf_counter() - began:.2f} s")  # noqa: T201
        assert response.json() == expected
        costs.append(len(statements))
    with count_queries() as statements:
        bulk(member, measure, [week(6_000)])
    assert costs == [len(statements)] * 2


def test_idempotent(member: Caller, measure: Measure) -> None:
    path = f"/measures/{measure.id}/data-points/bulk"
    first = member.post(path, {"items": [week(0)]}, **{"Idempotency-Key": "load"})
    again = member.post(path, {"items": [week(0)]}, **{"Idempotency-Key": "load"})
    assert again.json() == first.json() == counts(created=1)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = member.post(path, {"items": [week(1)]}, **{"Idempotency-Key": "load"})
    refused(other, 422, "idempotency_key_reused")


ITEMS = st.lists(
    st.builds(week, st.integers(0, 6), st.integers(0, 20), stratum=st.sampled_from(["", "west"])),
    max_size=8,
    unique_by=lambda item: (item["period_start"], item["stratum"]),
)


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(ITEMS, min_size=1, max_size=3))
def test_at_most_one_live_point_a_period(
    call: Call, world: World, session: Session, batches: list[list[dict[str, Any]]]
) -> None:
    measure = make_measure(session, project=world.project)
    member = call(world.member)
    expected: dict[tuple[str, str], float] = {}
    for items in batches:
        answer = bulk(member, measure, items).json()
        assert answer["created"] + answer["updated"] + answer["unchanged"] == len(items)
        expected |= {
            (item["stratum"], item["period_start"]): item["numerator"] / 20 for item in items
        }
        assert bulk(member, measure, items).json() == counts(unchanged=len(items))
    found = live(session, measure)
    assert {(stratum, day): value for stratum, day, value, _ in found} == expected
    assert len(found) == len(expected)
