"""What the participant tests share: a body, and enrolling somebody over HTTP."""

from itertools import count
from typing import Any

from sqlmodel import Session

from app.programmes.models import Programme
from tests.builders import make_organisation
from tests.calling import Caller

_number = count(1)


def participant_body(session: Session, **over: Any) -> dict[str, Any]:
    """A GP who joins at the launch."""
    number = next(_number)
    if "organisation_id" not in over:
        over["organisation_id"] = str(make_organisation(session).id)
    return {
        "given_name": "Edda",
        "family_name": f"Fabel{number}",
        "email": f"edda{number}@example.org",
        "role": "gp",
        "joined_on": "2017-12-07",
        **over,
    }


def enrol(caller: Caller, session: Session, programme: Programme, **over: Any) -> dict[str, Any]:
    """Enrol somebody; the participant."""
    path = f"/programmes/{programme.id}/participants"
    return caller.create(path, participant_body(session, **over))
