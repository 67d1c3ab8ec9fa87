"""A random walk of everything that can change what the charts of a programme say."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.calling import Caller

FIRST, WEEKS = date(2018, 1, 1), 26
RULE_SETS = ("anhoej", "mdc", "limits_only")


class Walk:
    """Writes at random, as somebody who may; `done` counts what was not refused."""

    def __init__(self, caller: Caller, programme: Any, projects: list[Any], seed: int) -> None:
        self.caller, self.programme = caller, programme
        self.projects = [str(project.id) for project in projects]
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.steps: list[Callable[[], Any]] = [
            *[self.record_points] * 10,
            *[self.correct_point] * 3,
            self.exclude_point,
            self.archive_point,
            self.restore_point,
            self.change_measure,
            self.rescale_measure,
            self.choose_headline,
            self.archive_measure,
            *[self.restore_measure] * 3,
            *[self.begin_phase] * 2,
            self.revoke_phase,
            self.change_aim,
            self.change_programme,
            self.archive_project,
        ]

    def step(self) -> None:
        """One write; a refusal is no fault, a 500 is."""
        step = self.random.choice(self.steps)
        response = step()
        if response is not None:
            assert response.status_code < 500, (step.__name__, response.text)
            self.done[step.__name__] += response.status_code < 300

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.caller.ok(path, limit=200, **params)["items"]
        return found

    def pick(self, items: list[Any]) -> Any:
        return self.random.choice(items) if items else None

    def measure(self, archived: str = "false") -> Any:
        project = self.pick(self.projects)
        return self.pick(self.items(f"/projects/{project}/measures", archived=archived))

    def point(self, archived: str = "false") -> Any:
        measure = self.measure()
        if measure is None:
            return None
        return self.pick(self.items(f"/measures/{measure['id']}/data-points", archived=archived))

    def day(self) -> str:
        return (FIRST + timedelta(weeks=self.random.randrange(WEEKS))).isoformat()

    def record_points(self) -> Any:
        if (measure := self.measure()) is None:
            return None
        first, level = self.random.randrange(WEEKS), self.random.choice([0, 7, 14])
        weeks = range(first, min(WEEKS, first + self.random.randrange(1, 16)))  # a run, to signal
        items = [
            {
                "period_start": (FIRST + timedelta(weeks=week)).isoformat(),
                "numerator": level + self.random.randrange(7),
                "denominator": 20,
            }
            for week in weeks
        ]
        mode = self.random.choice(["upsert", "replace_range"])
        span = {"from": items[0]["period_start"], "to": items[-1]["period_start"]}
        body = {"mode": mode, "items": items} | (span if mode == "replace_range" else {})
        return self.caller.post(f"/measures/{measure['id']}/data-points/bulk", body)

    def correct_point(self) -> Any:
        if (point := self.point()) is None:
            return None
        change: dict[str, Any] = self.random.choice(
            [{"numerator": self.random.randrange(21)}, {"denominator": 0, "numerator": 0}]
        )
        return self.caller.patch(f"/data-points/{point['id']}", change)

    def exclude_point(self) -> Any:
        if (point := self.point()) is None:
            return None
        reason = None if point["excluded"] else "Flood"
        change = {"excluded": reason is not None, "excluded_reason": reason}
        return self.caller.patch(f"/data-points/{point['id']}", change)

    def archive_point(self) -> Any:
        point = self.point()
        return point and self.caller.delete(f"/data-points/{point['id']}")

    def restore_point(self) -> Any:
        point = self.point(archived="true")
        return point and self.caller.post(f"/data-points/{point['id']}/restore")

    def change_measure(self) -> Any:
        if (measure := self.measure()) is None:
            return None
        change = self.random.choice(
            [
                {"targets": [{"from": None, "value": self.random.randrange(100)}]},
                {"targets": [{"from": self.day(), "value": self.random.randrange(100)}]},
                {"targets": []},
                {"rule_set": self.random.choice([None, *RULE_SETS])},
                {"chart": self.random.choice([None, "p", "run", "i"])},
                {"baseline_points": self.random.choice([None, 3, 12])},
                {"direction": self.random.choice(["increase", "decrease", "neutral"])},
                {"name": f"Name {self.random.random()}"},
            ]
        )
        return self.caller.patch(f"/measures/{measure['id']}", change)

    def rescale_measure(self) -> Any:
        if (measure := self.measure()) is None:
            return None
        change = {
            "multiplier": self.random.choice([1, 100, 1000]),
            "definition_change_reason": "Another unit",
        }
        return self.caller.patch(f"/measures/{measure['id']}", change)

    def choose_headline(self) -> Any:
        measure = self.measure()
        change = {"is_headline": self.random.choice([True, True, False]), "position": 3}
        return measure and self.caller.patch(f"/measures/{measure['id']}", change)

    def archive_measure(self) -> Any:
        measure = self.measure()
        return measure and self.caller.delete(f"/measures/{measure['id']}")

    def restore_measure(self) -> Any:
        measure = self.measure(archived="true")
        return measure and self.caller.post(f"/measures/{measure['id']}/restore")

    def begin_phase(self) -> Any:
        if (measure := self.measure()) is None:
            return None
        reason = self.random.choice(["change_adopted", "environment", "definition_change"])
        body = {"starts_on": self.day(), "reason": reason, "baseline_points": None}
        return self.caller.post(f"/measures/{measure['id']}/phases", body)

    def revoke_phase(self) -> Any:
        if (measure := self.measure()) is None:
            return None
        phase = self.pick(self.items(f"/measures/{measure['id']}/phases"))
        return phase and self.caller.delete(f"/phases/{phase['id']}")

    def change_aim(self) -> Any:
        project, measure = self.pick(self.projects), self.measure()
        aim = {
            "target_value": self.random.randrange(100),
            "baseline_value": None,
            "direction": self.random.choice(["increase", "decrease", "maintain"]),
        }
        if measure is not None and measure["family"] == "outcome":
            project, aim["measure_id"] = measure["project_id"], measure["id"]
        return self.caller.patch(f"/projects/{project}", {"aim": aim})

    def change_programme(self) -> Any:
        change = {"rule_set": self.random.choice([None, *RULE_SETS])}
        return self.caller.patch(f"/programmes/{self.programme.id}", change)

    def archive_project(self) -> Any:
        """Out, and mostly in again at once: nothing else can be done to it meanwhile."""
        project = self.pick(self.projects)
        gone = self.caller.delete(f"/projects/{project}")
        again = self.random.random() < 0.9
        return self.caller.post(f"/projects/{project}/restore") if again else gone
