"""How evenly people are spread over teams: pure arithmetic on who is in which team now."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.participants.models import CLINICAL, ProfessionalRole

# Each team should hold both: one who prescribes and one who runs the practice.
WANTED_ROLES = (ProfessionalRole.GP, ProfessionalRole.PRACTICE_MANAGER)


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """What the metrics need of a team."""

    team_id: uuid.UUID
    name: str
    area: str | None


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the metrics need of a live member."""

    team_id: uuid.UUID
    role: ProfessionalRole
    organisation_id: uuid.UUID
    area: str | None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _clinicians(members: Sequence[MemberFacts], *, clinical: bool) -> int:
    return sum(CLINICAL[member.role] is clinical for member in members)


def _in_area(team: TeamFacts, members: Sequence[MemberFacts]) -> int:
    # An area that is not known matches nothing: it must not make a team look local.
    return sum(team.area is not None and member.area == team.area for member in members)


def _line(team: TeamFacts, members: Sequence[MemberFacts]) -> dict[str, Any]:
    present = {member.role for member in members}
    practices = Counter(member.organisation_id for member in members)
    clinicians = _clinicians(members, clinical=True)
    return {
        "team_id": team.team_id,
        "name": team.name,
        "area": team.area,
        "member_count": len(members),
        "clinician_count": clinicians,
        "non_clinician_count": _clinicians(members, clinical=False),
        "clinician_share": _share(clinicians, len(members)),
        "role_coverage": sum(role in present for role in WANTED_ROLES) / len(WANTED_ROLES),
        "practice_concentration": _share(max(practices.values(), default=0), len(members)),
        "area_match": _share(_in_area(team, members), len(members)),
    }


def measure_balance(teams: Sequence[TeamFacts], members: Sequence[MemberFacts]) -> dict[str, Any]:
    """The metrics of an allocation. An empty team counts for size and role coverage only."""
    by_team: dict[uuid.UUID, list[MemberFacts]] = defaultdict(list)
    for member in members:
        by_team[member.team_id].append(member)
    lines = [_line(team, by_team[team.team_id]) for team in teams]
    sizes = [line["member_count"] for line in lines]
    clinicians = _clinicians(members, clinical=True)
    overall = _share(clinicians, len(members))
    shares = [line["clinician_share"] for line in lines if line["clinician_share"] is not None]
    concentrations = [line["practice_concentration"] for line in lines if line["member_count"] > 0]
    return {
        "team_count": len(teams),
        "assigned_count": len(members),
        "clinician_count": clinicians,
        "non_clinician_count": _clinicians(members, clinical=False),
        "size_spread": max(sizes) - min(sizes) if sizes else None,
        "clinician_share_dev": max(
            (abs(share - overall) for share in shares if overall is not None), default=None
        ),
        "role_coverage": (
            sum(line["role_coverage"] for line in lines) / len(lines) if lines else None
        ),
        "practice_concentration": max(concentrations, default=None),
        "area_match": _share(
            sum(_in_area(team, by_team[team.team_id]) for team in teams), len(members)
        ),
        "teams": lines,
    }
