"""What happens in the demonstration. Modelled on the outline of the Barnet programme of 2017-18.

The outline (eight half-day sessions in nine months, twelve participants and a late joiner, teams by
area) is public; every name, practice, project and number here is invented.
"""

from datetime import date
from typing import NamedTuple

COMMISSIONER = "Barnet CEPN (demonstration)"
PROVIDER = "Central London Community Healthcare NHS Trust (demonstration)"
TITLE = "Barnet quality improvement programme (demonstration)"
STARTS_ON, ENDS_ON = date(2017, 12, 7), date(2018, 9, 30)
AREAS = ("North", "West", "South")
LATE_JOINER_ON = date(2018, 1, 18)
FIRST_WEEK, WEEKS, BASELINE_WEEKS = date(2017, 12, 11), 39, 12
SESSIONS = (
    (date(2017, 12, 7), "Launch: what quality improvement is", "learning"),
    (date(2017, 12, 21), "Aims and measures", "learning"),
    (date(2018, 1, 11), "Understanding the process, collecting a baseline", "mixed"),
    (date(2018, 1, 25), "Drivers, change ideas, planning a first test", "mixed"),
    (date(2018, 3, 22), "Plan-Do-Study-Act: what the first tests taught", "project_work"),
    (date(2018, 5, 17), "Reading charts: signal and noise", "mixed"),
    (date(2018, 7, 12), "Holding the gains", "project_work"),
    (date(2018, 9, 6), "Sharing what was learnt", "celebration"),
)


class Practice(NamedTuple):
    """A fictional employer."""

    name: str
    area: str
    kind: str = "gp_practice"


class Person(NamedTuple):
    """A fictional participant; `team` is an area."""

    given_name: str
    family_name: str
    role: str
    practice: str
    team: str
    is_lead: bool = False
    is_late: bool = False


PRACTICES = (
    Practice("Elmtree Surgery (fictional)", "North"),
    Practice("Larkfield Health Centre (fictional)", "North"),
    Practice("Thistledown Practice (fictional)", "West"),
    Practice("Bluebell Lane Pharmacy (fictional)", "West", "community_pharmacy"),
    Practice("Foxglove Medical Centre (fictional)", "South"),
    Practice("Hollyhock Surgery (fictional)", "South"),
)
PEOPLE = (
    Person("Willow", "Pretend", "gp", "Elmtree Surgery (fictional)", "North", is_lead=True),
    Person(
        "Poppy", "Makebelieve", "practice_nurse", "Larkfield Health Centre (fictional)", "North"
    ),
    Person("Fern", "Fable", "practice_manager", "Elmtree Surgery (fictional)", "North"),
    Person("Basil", "Figment", "practice_manager", "Larkfield Health Centre (fictional)", "North"),
    Person(
        "Clover", "Invented", "practice_manager", "Larkfield Health Centre (fictional)", "North"
    ),
    Person("Rowan", "Storybook", "gp", "Thistledown Practice (fictional)", "West", is_lead=True),
    Person(
        "Alder", "Notional", "community_pharmacist", "Bluebell Lane Pharmacy (fictional)", "West"
    ),
    Person("Sorrel", "Imaginary", "practice_manager", "Thistledown Practice (fictional)", "West"),
    Person("Juniper", "Madeup", "practice_manager", "Thistledown Practice (fictional)", "West"),
    Person("Hazel", "Fairytale", "gp", "Foxglove Medical Centre (fictional)", "South"),
    Person(
        "Bramble", "Pseudonym", "practice_manager", "Foxglove Medical Centre (fictional)", "South"
    ),
    Person(
        "Heather", "Daydream", "practice_manager", "Hollyhock Surgery (fictional)", "South", True
    ),
    Person(
        *("Tansy", "Afterthought", "practice_manager", "Hollyhock Surgery (fictional)", "South"),
        is_late=True,
    ),
)
# Row: participant in the order of PEOPLE; letter a session: present, late, left early, partial,
# apologies, absent, and a dot where the late joiner was not yet there.
REGISTER = (
    "PPPPPPPP",
    "PPPAPPPP",
    "PPPPPEPP",
    "PLPPPPPP",
    "PPAPPPPP",
    "PPPPPPPP",
    "PPPPHPPA",
    "PPPPPAPP",
    "PXPPPPPP",
    "PPPPPPPP",
    "PPPAPPPP",
    "PPPPPPPP",
    "...PPPPP",
)
STATUS_OF_LETTER = {
    "P": "present",
    "L": "late",
    "E": "left_early",
    "H": "partial",
    "A": "apologies",
    "X": "absent",
}
