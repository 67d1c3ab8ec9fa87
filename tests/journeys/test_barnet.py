"""The Barnet programme of 2017-18, played over HTTP only: from the contract to a signalled shift.

Invitations are left aside; every person and number is invented.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from app.main import OpenQI
from tests.calling import Caller
from tests.world import World

LAUNCH = date(2017, 12, 7)
AREAS = ["North", "West", "South"]
# 3 GPs, 8 practice managers, 1 pharmacist, 1 nurse; the last of them joins late.
PEOPLE = [
    ("gp", "North"),
    ("practice_nurse", "North"),
    ("practice_manager", "North"),
    ("practice_manager", "North"),
    ("practice_manager", "North"),
    ("gp", "West"),
    ("community_pharmacist", "West"),
    ("practice_manager", "West"),
    ("practice_manager", "West"),
    ("gp", "South"),
    ("practice_manager", "South"),
    ("practice_manager", "South"),
    ("practice_manager", "South"),
]
SESSION_DAYS = [
    *(LAUNCH + timedelta(weeks=week) for week in (0, 2, 5, 7)),
    *(date(2018, 3, 22), date(2018, 5, 17), date(2018, 7, 12), date(2018, 9, 6)),
]


def _steps(caller: Caller, path: str, *states: str, **more: Any) -> None:
    for state in states:
        response = caller.post(f"{path}/transitions", {"to": state, **more})
        assert response.status_code == 200, f"{state}: {response.text}"


def _organisation(admin: Caller, name: str, kind: str, area: str | None = None) -> str:
    body = {"name": name, "kind": kind, "area": area}
    identifier: str = admin.create("/organisations", body)["id"]
    return identifier


def _programme(admin: Caller) -> dict[str, Any]:
    return admin.create(
        "/programmes",
        {
            "title": "Barnet (fictional people)",
            "commissioner_org_id": _organisation(admin, "CEPN", "cepn_or_training_hub"),
            "provider_org_id": _organisation(admin, "Community trust", "nhs_trust"),
            "starts_on": LAUNCH.isoformat(),
            "ends_on": "2018-09-30",
            "areas": AREAS,
            "capacity": 15,
        },
    )


def _participant(
    admin: Caller, programme: str, number: int, practices: dict[str, str], joined_on: date
) -> dict[str, Any]:
    role, area = PEOPLE[number]
    return admin.create(
        f"/programmes/{programme}/participants",
        {
            "given_name": "Pat",
            "family_name": f"Fictional{number:02}",
            "email": f"pat{number}@example.org",
            "role": role,
            "organisation_id": practices[area],
            "joined_on": joined_on.isoformat(),
        },
    )


def _session(admin: Caller, programme: str, number: int, day: date) -> dict[str, Any]:
    return admin.create(
        f"/programmes/{programme}/sessions",
        {
            "number": number,
            "title": f"Half-day {number}",
            "starts_at": f"{day}T13:30:00Z",
            "ends_at": f"{day}T17:00:00Z",
        },
    )


def _cycle(lead: Caller, project: str) -> None:
    cycle = lead.create(
        f"/projects/{project}/pdsa-cycles",
        {
            "title": "A guarded signing slot",
            "purpose": "test_change",
            "plan": {
                "objective": "Shorten the wait",
                "questions": ["Does the slot clear the morning's requests?"],
                "predictions": [
                    {
                        "text": "Eight of ten are ready the same day",
                        "confidence": 0.7,
                        "because": "requests wait for a gap between patients",
                    }
                ],
                "test_scale": "one_clinician",
                "where": "One practice",
                "when_start": "2018-03-05",
                "when_end": "2018-03-16",
                "who": ["The team's doctor"],
                "data_plan": {
                    "observation": "Share ready the same day",
                    "who": "Reception",
                    "how": "Tally",
                    "when": "Daily",
                },
            },
        },
    )
    path = f"/pdsa-cycles/{cycle['id']}"
    blocked = lead.post(f"{path}/transitions", {"to": "closed"})
    assert blocked.status_code == 409
    assert blocked.json()["code"] == "invalid_state_transition"
    assert "doing" in blocked.json()["allowed"]
    _steps(lead, path, "doing")
    gate = lead.post(f"{path}/transitions", {"to": "studying"})
    assert gate.status_code == 409
    assert gate.json()["code"] == "pdsa_stage_gate"
    done = {"carried_out": "yes", "actual_start": "2018-03-05", "observations": ["Nine of ten"]}
    assert lead.patch(path, {"do": done}).status_code == 200
    locked = lead.patch(path, {"plan": {"predictions": []}})
    assert locked.status_code == 409
    assert locked.json()["code"] == "prediction_locked"
    _steps(lead, path, "studying")
    prediction = lead.ok(path)["plan"]["predictions"][0]
    study = {
        "analysis": "Nine of ten were ready.",
        "results": [{"prediction_id": prediction["id"], "result": "confirmed"}],
        "learning": "The slot needs a guard.",
    }
    assert lead.patch(path, {"study": study}).status_code == 200
    _steps(lead, path, "acting")
    act = {
        "decision": "adopt",
        "rationale": "It works.",
        "no_next_reason": "Adopted as it is.",
        "effective_on": "2018-03-19",
    }
    assert lead.patch(path, {"act": act}).status_code == 200
    _steps(lead, path, "closed")
    history = lead.ok(f"{path}/history")["items"]
    assert history[0]["type"] == "pdsa_cycle.state_changed"


def _points(weeks: int) -> list[dict[str, Any]]:
    """Twelve weeks around 60 per cent, then a shift to about 85 per cent."""
    return [
        {
            "period_start": (date(2017, 12, 11) + timedelta(weeks=week)).isoformat(),
            "numerator": (29 + week * 3 % 4 if week < 12 else 42 + week * 3 % 4),
            "denominator": 50,
        }
        for week in range(weeks)
    ]


@pytest.fixture
def admin(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.admin)


def test_the_story(app: OpenQI, admin: Caller) -> None:
    programme = _programme(admin)
    path = f"/programmes/{programme['id']}"
    _steps(admin, path, "recruiting")
    practices = {
        area: _organisation(admin, f"{area} Surgery", "gp_practice", area) for area in AREAS
    }

    sessions = [
        _session(admin, programme["id"], number, day)
        for number, day in enumerate(SESSION_DAYS, start=1)
    ]
    assert admin.ok(path)["first_session_on"] == "2017-12-07"
    people = [
        _participant(admin, programme["id"], number, practices, LAUNCH) for number in range(12)
    ]
    assert {person["entry"] for person in people} == {"launch"}

    blocked = admin.post(f"{path}/transitions", {"to": "launched"})
    assert blocked.status_code == 409, blocked.text
    assert blocked.json()["code"] == "transition_blocked"
    teams = {
        area: admin.create(f"{path}/teams", {"name": f"{area} Barnet", "area": area})["id"]
        for area in AREAS
    }
    for person, (_, area) in zip(people, PEOPLE, strict=False):
        body = {"participant_id": person["id"], "starts_on": LAUNCH.isoformat()}
        admin.create(f"/teams/{teams[area]}/members", body | {"is_lead": person is people[0]})
    _steps(admin, path, "launched", "running")

    late = _participant(admin, programme["id"], 12, practices, date(2018, 1, 18))
    assert late["entry"] == "late"
    body = {"participant_id": late["id"], "starts_on": "2018-01-18"}
    admin.create(f"/teams/{teams['South']}/members", body)
    balance = admin.ok(f"{path}/teams/balance")
    assert balance["size_spread"] == 1

    _hold_sessions(admin, sessions, [person["id"] for person in people], late["id"])
    _check_attendance(admin, path, late["id"])
    measure = _run_project(admin, path, teams["North"])
    _check_series(admin, measure)
    _check_dashboard(admin, path)


def _hold_sessions(
    admin: Caller, sessions: list[dict[str, Any]], launched: list[str], late: str
) -> None:
    for number, session in enumerate(sessions):
        path = f"/sessions/{session['id']}"
        _steps(admin, path, "confirmed", "held")
        register = [{"participant_id": person, "status": "present"} for person in launched]
        if number < 3:
            derived = {"participant_id": late, "status": "absent"}
            refused = admin.put(
                f"{path}/attendance", {"items": [*register, derived]}, **{"If-Match": "*"}
            )
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["code"] == "attendance_not_applicable"
        else:
            status = "present" if number < 7 else "apologies"
            register.append({"participant_id": late, "status": status})
        kept = admin.put(f"{path}/attendance", {"items": register}, **{"If-Match": "*"})
        assert kept.status_code == 200, kept.text


def _check_attendance(admin: Caller, path: str, late: str) -> None:
    attendance = admin.ok(f"{path}/attendance")
    rates = {line["participant_id"]: line for line in attendance["items"]}
    assert len(rates) == 13
    # Three of the eight sessions were held before the late joiner came; four of five attended.
    assert rates[late]["rate"] == pytest.approx(4 / 5)
    assert {line["rate"] for key, line in rates.items() if key != late} == {1.0}


def _run_project(admin: Caller, path: str, team: str) -> str:
    aim = {
        "what": "prescriptions ready within 48 hours",
        "for_whom": "patients of two practices",
        "baseline_value": 60,
        "target_value": 85,
        "unit": "%",
        "direction": "increase",
        "by_when": "2018-09-30",
    }
    project = admin.create(
        f"{path}/projects",
        {"team_id": team, "title": "Prescriptions", "problem": "They wait.", "aim": aim},
    )
    project_path = f"/projects/{project['id']}"
    common = {"operational_definition": "Counted weekly at reception", "direction": "increase"}
    collection = {"frequency": "weekly", "collector": "Reception", "starts_on": "2017-12-11"}
    outcome = admin.create(
        f"{project_path}/measures",
        {
            "name": "Ready within 48 hours",
            "family": "outcome",
            "data_type": "proportion",
            "unit": "%",
            "multiplier": 100,
            "baseline_points": 12,
            "is_headline": True,
            "targets": [{"from": None, "value": 80}],
            "numerator_definition": "Ready",
            "denominator_definition": "Requested",
            "collection": collection,
            **common,
        },
    )
    for family in ("process", "balancing"):
        admin.create(
            f"{project_path}/measures",
            {"name": family, "family": family, "data_type": "count", **common},
        )
    admin.patch(project_path, {"aim": {"measure_id": outcome["id"]}})
    _steps(admin, project_path, "chartered", "approved", "baseline")
    bulk = f"/measures/{outcome['id']}/data-points/bulk"
    rehearsal = admin.post(bulk, {"mode": "upsert", "dry_run": True, "items": _points(24)})
    assert rehearsal.json()["created"] == 24, rehearsal.text
    kept = admin.post(bulk, {"mode": "upsert", "items": _points(24)})
    assert kept.json()["created"] == 24, kept.text
    _cycle(admin, project["id"])
    _steps(admin, project_path, "testing", "implementing", "sustaining", "completed")
    identifier: str = outcome["id"]
    return identifier


def _check_series(admin: Caller, measure: str) -> None:
    response = admin.get(f"/measures/{measure}/spc")
    chart = response.json()
    assert len(chart["points"]) == 24
    assert chart["variation"] == "improvement_high"
    shift = next(signal for signal in chart["signals"] if signal["rule"] == "shift")
    assert (shift["meaning"], shift["start"]) == ("improvement", 12)
    headers = {"If-None-Match": response.headers["ETag"]}
    assert admin("GET", f"/measures/{measure}/spc", headers=headers).status_code == 304


def _check_dashboard(admin: Caller, path: str) -> None:
    line = admin.ok(f"{path}/spc")["items"][0]
    assert line["variation"] == "improvement_high"
    assert line["latest"]["x"] == "2018-05-21"
