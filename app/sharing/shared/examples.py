"""Examples of the catalogue and its document, as the OpenAPI document shows them."""

from typing import Any

_PROJECT = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05"
_RELEASE = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"
_MEASURE = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d07"
_CYCLE = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d08"
_AIM: dict[str, Any] = {
    "what": "repeat prescriptions ready within 48 hours",
    "for_whom": "patients of the two northern practices",
    "baseline_value": 62,
    "target_value": 85,
    "unit": "%",
    "direction": "increase",
    "by_when": "2018-09-30",
    "measure_id": _MEASURE,
    "change_kind": "percentage_points",
}
_STATEMENT = (
    "increase repeat prescriptions ready within 48 hours from 62 to 85 % for patients of the two "
    "northern practices by 2018-09-30"
)
_SHOWN: dict[str, Any] = {
    "title": "Repeat prescriptions ready within 48 hours",
    "aim_statement": _STATEMENT,
    "area": "North",
    "tags": ["prescribing"],
    "state": "sustaining",
    "team": "North team",
    "programme": {"title": None, "provider": "Community trust (fictional)"},
}
LISTED: dict[str, Any] = {
    "project_id": _PROJECT,
    "release_id": _RELEASE,
    **_SHOWN,
    "audience": "public",
    "license": "CC-BY-4.0",
    "released_at": "2018-09-30T09:00:00Z",
    "url": f"/api/v1/shared/projects/{_PROJECT}",
}
DOCUMENT: dict[str, Any] = {
    "id": _PROJECT,
    **_SHOWN,
    "problem": "Four in ten repeat prescriptions wait longer than patients are told.",
    "rationale": "Requests now wait for a gap between patients.",
    "scope_in": "Repeat prescriptions of both practices",
    "scope_out": "Acute prescriptions",
    "aim": _AIM,
    "start_on": "2018-01-08",
    "patient_involvement": "consulted",
    "paused_from": None,
    "stop_reason": None,
    "learning": None,
    "measures": [
        {
            "id": _MEASURE,
            "code": "ready-48h",
            "name": "Prescriptions ready within 48 hours",
            "family": "outcome",
            "data_type": "proportion",
            "operational_definition": "Repeat requests of the week, Monday to Sunday.",
            "numerator_definition": "Requests ready within 48 hours",
            "denominator_definition": "All repeat requests",
            "definition_version": 1,
            "unit": "%",
            "multiplier": 100,
            "direction": "increase",
            "targets": [{"from": None, "value": 85}],
            "collection": {
                "frequency": "weekly",
                "subgroup": None,
                "sample_size": None,
                "source_system": "Appointment system",
                "starts_on": "2018-01-08",
                "ends_on": None,
            },
            "chart": None,
            "rule_set": "mdc",
            "baseline_points": 12,
            "is_headline": True,
            "position": 0,
            "phases": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d09",
                    "starts_on": "2018-05-14",
                    "label": "Guarded slot in both practices",
                    "reason": "change_adopted",
                    "reason_text": None,
                    "baseline_points": 12,
                    "pdsa_cycle_ids": [_CYCLE],
                }
            ],
            "annotations": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d0a",
                    "happened_on": "2018-03-05",
                    "kind": "change",
                    "text": "First morning with a guarded slot",
                    "explains": [],
                    "pdsa_cycle_ids": [],
                }
            ],
            "data_points": [
                {
                    "period_start": "2018-01-08",
                    "period_end": "2018-01-14",
                    "stratum": "",
                    "value": None,
                    "numerator": 41,
                    "denominator": 60,
                    "status": "final",
                    "excluded": False,
                    "excluded_reason": None,
                    "note": None,
                    "is_suppressed": False,
                }
            ],
        }
    ],
    "pdsa_cycles": [
        {
            "id": _CYCLE,
            "ramp_id": _CYCLE,
            "cycle_no": 1,
            "title": "Morning slot for signing, one doctor",
            "purpose": "test_change",
            "state": "closed",
            "objective": "Find out whether a fixed signing slot shortens the wait",
            "planned_start": "2018-03-05",
            "planned_end": "2018-03-16",
            "carried_out": "yes",
            "actual_start": "2018-03-05",
            "learning": "A guarded slot clears the morning's requests.",
            "decision": "adopt",
            "effective_on": "2018-05-14",
            "started_at": "2018-03-05T12:00:00Z",
            "studied_at": "2018-03-19T12:00:00Z",
            "closed_at": "2018-03-19T12:00:00Z",
        }
    ],
    "is_complete": True,
    "provenance": {
        "source": "https://qi.example.org",
        "project_id": _PROJECT,
        "release_id": _RELEASE,
        "audience": "public",
        "license": "CC-BY-4.0",
        "released_at": "2018-09-30T09:00:00Z",
        "revision": "213-9f86d081884c",
        "small_numbers": "left_out",
    },
}
