"""Bodies that the tests of projects send."""

from typing import Any

from tests.world import World

AIM: dict[str, Any] = {
    "what": "requests ready within 48 hours",
    "for_whom": "patients of two fictional practices",
    "baseline_value": 62,
    "target_value": 85,
    "unit": "%",
    "direction": "increase",
    "by_when": "2018-09-30",
}
BODY: dict[str, Any] = {
    "title": "Repeat prescriptions within 48 hours",
    "problem": "Four in ten wait longer.",
    "area": "North",
    "tags": ["prescribing"],
    "aim": AIM,
}


def new_project(world: World) -> dict[str, Any]:
    """A project of the world's team."""
    return BODY | {"team_id": str(world.team.id)}
