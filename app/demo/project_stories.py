"""The three projects of the demonstration: one improves, one does not, one is a false dawn."""

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class MeasureStory:
    """A measure and how its weekly data come about (see `synthetic`).

    `levels` maps the first week of each level to the level: a probability, a mean or a rate.
    """

    name: str
    family: str
    data_type: str
    direction: str
    unit: str
    definition: str
    levels: dict[int, float]
    size: int = 0
    spread: float = 0.0
    multiplier: float = 1.0
    target: float | None = None
    chart: str | None = None
    seed: int = 1
    is_headline: bool = False
    numerator: str | None = None
    denominator: str | None = None


@dataclass(frozen=True, slots=True)
class CycleStory:
    """One Plan-Do-Study-Act cycle of a project's ramp."""

    title: str
    objective: str
    question: str
    prediction: str
    because: str
    scale: str
    starts_on: date
    ends_on: date
    observations: str
    learning: str
    result: str
    decision: str
    rationale: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ProjectStory:
    """A team's project."""

    team: str
    title: str
    problem: str
    aim: dict[str, Any]
    measures: tuple[MeasureStory, ...]
    cycles: tuple[CycleStory, ...]
    final_state: str


NORTH = ProjectStory(
    team="North",
    title="Repeat prescriptions ready within 48 hours",
    problem="Four in ten repeat prescriptions take longer than the 48 hours promised.",
    aim={
        "what": "repeat prescriptions ready within 48 hours",
        "for_whom": "patients of the two northern practices",
        "baseline_value": 62,
        "target_value": 85,
        "unit": "%",
        "direction": "increase",
        "by_when": "2018-09-30",
        "change_kind": "absolute",
    },
    measures=(
        MeasureStory(
            name="Ready within 48 hours",
            family="outcome",
            data_type="proportion",
            direction="increase",
            unit="%",
            multiplier=100,
            definition="Sample of the week's repeat requests; ready means signed and sent.",
            numerator="Requests of the sample signed and sent within 48 hours",
            denominator="Requests in the sample",
            levels={0: 0.62, 13: 0.72, 18: 0.86},
            size=60,
            target=85,
            seed=11,
            is_headline=True,
        ),
        MeasureStory(
            name="Requests that came online",
            family="process",
            data_type="proportion",
            direction="increase",
            unit="%",
            multiplier=100,
            definition="All repeat requests of the week, by how they came.",
            numerator="Requests made online",
            denominator="All repeat requests",
            levels={0: 0.35, 14: 0.48, 20: 0.6},
            size=140,
            target=60,
            seed=12,
        ),
        MeasureStory(
            name="Queries from pharmacies",
            family="balancing",
            data_type="count",
            direction="decrease",
            unit="queries",
            definition="Calls and messages about a repeat prescription, counted at reception.",
            levels={0: 9.0},
            seed=13,
        ),
    ),
    cycles=(
        CycleStory(
            title="Morning slot for signing, one doctor",
            objective="Find out whether a fixed signing slot shortens the wait",
            question="Does a slot at eleven clear the morning's requests?",
            prediction="Eight of ten requests of that doctor will be ready the same day",
            because="requests now wait for a gap between patients",
            scale="one_clinician",
            starts_on=date(2018, 3, 5),
            ends_on=date(2018, 3, 16),
            observations="Nine of ten were ready; two urgent visits moved the slot.",
            learning="The slot works if somebody guards it.",
            result="confirmed",
            decision="adapt",
            rationale="Reception will guard the slot; test with all doctors of one practice.",
        ),
        CycleStory(
            title="Guarded slot, one practice",
            objective="See whether the slot holds with four doctors",
            question="Does the guarded slot hold for a month?",
            prediction="Three of four requests will be ready within 48 hours",
            because="reception now protects the slot",
            scale="one_practice",
            starts_on=date(2018, 4, 2),
            ends_on=date(2018, 4, 27),
            observations="Held on 18 of 20 days; online requests were quicker to sort.",
            learning="Online requests arrive complete, so they should be encouraged.",
            result="confirmed",
            decision="expand",
            rationale="Both practices, together with a leaflet about requests online.",
        ),
        CycleStory(
            title="Guarded slot and online requests, both practices",
            objective="Make it the way both practices work",
            question="Do both practices reach 85 per cent?",
            prediction="The weekly share will stay above 80 per cent",
            because="slot and complete requests work together",
            scale="several_practices",
            starts_on=date(2018, 5, 14),
            ends_on=date(2018, 6, 15),
            observations="Every week above 80 per cent.",
            learning="The change holds through half-term with a deputy for the slot.",
            result="confirmed",
            decision="adopt",
            rationale="Written into the practices' rota; the team moves on to hold the gain.",
        ),
    ),
    final_state="sustaining",
)
WEST = ProjectStory(
    team="West",
    title="Fewer missed appointments",
    problem="About one booked appointment in twelve is missed, and the time is lost.",
    aim={
        "what": "missed appointments",
        "for_whom": "patients of the western practices",
        "baseline_value": 8.5,
        "target_value": 5,
        "unit": "%",
        "direction": "decrease",
        "by_when": "2018-09-30",
        "change_kind": "absolute",
    },
    measures=(
        MeasureStory(
            name="Appointments missed",
            family="outcome",
            data_type="proportion",
            direction="decrease",
            unit="%",
            multiplier=100,
            definition="Appointments with a doctor or nurse that were missed without notice.",
            numerator="Appointments missed without notice",
            denominator="Appointments booked",
            levels={0: 0.085},
            size=180,
            target=5,
            seed=24,
            is_headline=True,
        ),
        MeasureStory(
            name="Reminded by text message",
            family="process",
            data_type="proportion",
            direction="increase",
            unit="%",
            multiplier=100,
            definition="Booked appointments for which a reminder was sent the day before.",
            numerator="Appointments with a reminder",
            denominator="Appointments booked",
            levels={0: 0.41, 13: 0.66},
            size=180,
            target=80,
            seed=22,
        ),
        MeasureStory(
            name="Calls to cancel",
            family="balancing",
            data_type="rate",
            direction="neutral",
            unit="per 100 appointments",
            multiplier=100,
            definition="Telephone calls to cancel an appointment, per appointment booked.",
            numerator="Calls to cancel",
            denominator="Appointments booked",
            levels={0: 0.06},
            size=180,
            seed=23,
        ),
    ),
    cycles=(
        CycleStory(
            title="Text reminder the day before, one practice",
            objective="Find out whether a reminder brings more patients",
            question="Does a reminder halve missed appointments?",
            prediction="Fewer than five in a hundred will be missed",
            because="patients say that they forget",
            scale="one_practice",
            starts_on=date(2018, 3, 12),
            ends_on=date(2018, 4, 6),
            observations="Reminders went out; as many appointments were missed as before.",
            learning="Most who miss appointments have no mobile number on file.",
            result="refuted",
            decision="adapt",
            rationale="Ask for the number at every contact, then test again.",
        ),
        CycleStory(
            title="Ask for the number at every contact",
            objective="Reach those who are not reached",
            question="Do complete numbers make the reminder work?",
            prediction="Fewer than six in a hundred will be missed",
            because="the reminder then reaches nearly everybody",
            scale="one_practice",
            starts_on=date(2018, 5, 7),
            ends_on=date(2018, 6, 8),
            observations="Two in three now have a number; missed appointments did not change.",
            learning="Forgetting is not the reason; patients could not get through to cancel.",
            result="refuted",
            decision="abandon",
            rationale="Leave reminders as they are; look at how patients can cancel.",
        ),
    ),
    final_state="testing",
)
SOUTH = ProjectStory(
    team="South",
    title="Shorter waits for a medication review",
    problem="Patients wait more than two weeks for a review of their medicines.",
    aim={
        "what": "the mean wait for a medication review",
        "for_whom": "patients of the southern practices",
        "baseline_value": 16,
        "target_value": 10,
        "unit": "days",
        "direction": "decrease",
        "by_when": "2018-09-30",
        "change_kind": "absolute",
    },
    measures=(
        MeasureStory(
            name="Mean wait for a review",
            family="outcome",
            data_type="continuous",
            direction="decrease",
            unit="days",
            definition="Mean days from request to review, over the reviews of the week.",
            levels={0: 16.0, 14: 10.5, 23: 16.0},
            spread=1.6,
            target=10,
            seed=34,
            is_headline=True,
        ),
        MeasureStory(
            name="Reviews by the pharmacist",
            family="process",
            data_type="count",
            direction="increase",
            unit="reviews",
            definition="Reviews that the visiting pharmacist completed in the week.",
            levels={0: 12.0, 14: 21.0, 23: 12.0},
            seed=32,
        ),
        MeasureStory(
            name="Overtime of the dispensing staff",
            family="balancing",
            data_type="continuous",
            direction="decrease",
            unit="hours",
            definition="Paid overtime of the week, all dispensing staff.",
            levels={0: 6.0},
            spread=1.1,
            seed=33,
        ),
    ),
    cycles=(
        CycleStory(
            title="Second pharmacist on Wednesdays",
            objective="Shorten the wait with a second clinic",
            question="Does one more clinic a week bring the wait below ten days?",
            prediction="The mean wait falls to ten days",
            because="the queue is longer than one clinic can clear",
            scale="one_practice",
            starts_on=date(2018, 3, 19),
            ends_on=date(2018, 5, 11),
            observations="The wait fell to about ten days while the locum was there.",
            learning="It works, but it hangs on one locum.",
            result="confirmed",
            decision="adopt",
            rationale="Adopted; funding for the second clinic to be sought.",
        ),
        CycleStory(
            title="Reviews by telephone",
            objective="Find capacity that does not hang on one person",
            question="Can simple reviews be done by telephone?",
            prediction="Half of the simple reviews can",
            because="they need no examination",
            scale="few_cases",
            starts_on=date(2018, 8, 20),
            ends_on=date(2018, 9, 28),
            observations="",
            learning="",
            result="",
            decision="",
            rationale="",
            is_open=True,
        ),
    ),
    final_state="testing",
)
PROJECTS = (NORTH, WEST, SOUTH)
