"""Bodies that the tests of PDSA cycles send, and the way from one stage to the next."""

from typing import Any

from tests.calling import Caller

PLAN: dict[str, Any] = {
    "objective": "Find out whether a signing slot shortens the wait",
    "questions": ["Does a slot at eleven clear the requests?"],
    "predictions": [{"text": "Eight of ten will be ready", "because": "they wait for a gap"}],
    "test_scale": "one_clinician",
    "where": "Fictional Surgery",
    "when_start": "2018-03-05",
    "when_end": "2018-03-16",
    "who": ["Reception"],
    "data_plan": {
        "observation": "Requests ready",
        "who": "Reception",
        "how": "Tally",
        "when": "Evenings",
    },
}
NEW: dict[str, Any] = {"title": "Morning slot", "purpose": "test_change", "plan": PLAN}
DO = {"carried_out": "yes", "actual_start": "2018-03-05", "observations": ["Nine of ten."]}


def study_of(cycle: dict[str, Any]) -> dict[str, Any]:
    """A study that confirms every prediction."""
    results = [
        {"prediction_id": prediction["id"], "result": "confirmed"}
        for prediction in cycle["plan"]["predictions"]
    ]
    return {"analysis": "As predicted.", "learning": "The slot works.", "results": results}


ACT = {"decision": "abandon", "rationale": "Too dear.", "no_next_reason": "Nothing to follow."}


STATES = ["planned", "doing", "studying", "acting", "closed"]
STEPS = [("doing", "do"), ("studying", "study"), ("acting", "act"), ("closed", "")]


def carry(caller: Caller, cycle: dict[str, Any], to: str) -> dict[str, Any]:
    """Fill in stage after stage until the cycle is in the state `to`."""
    path = f"/pdsa-cycles/{cycle['id']}"
    for state, stage in STEPS[STATES.index(cycle["state"]) :]:
        if cycle["state"] == to:
            break
        moved = caller.post(f"{path}/transitions", {"to": state})
        assert moved.status_code == 200, moved.text
        cycle = moved.json()
        contents = {"do": DO, "study": study_of(cycle), "act": ACT}
        if stage:
            filled = caller.patch(path, {stage: contents[stage]})
            assert filled.status_code == 200, filled.text
            cycle = filled.json()
    assert cycle["state"] == to
    return cycle
