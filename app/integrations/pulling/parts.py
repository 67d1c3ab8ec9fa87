"""Keeps the parts of a received project as they are on the other server: made, changed, archived.

No rule of ours is asked that a person would be asked; only what the tables need holds.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlmodel import Session, select

from app.access import records
from app.access.actor import Actor
from app.events.catalogue import Resource, Verb
from app.integrations.pulling.comparison import Compared, batch_of
from app.integrations.pulling.mapping import Known
from app.kit.patching import storable
from app.measures.actions import touch_project_series, touch_series
from app.measures.charts import check_chart
from app.measures.data_points.bulk import keep_data_points
from app.measures.models import Annotation, Measure, Phase, PhaseStatus
from app.measures.schemas import Collection
from app.pdsa.models import PDSACycle
from app.projects.models import Project
from app.sharing.shared.schemas import SharedCycle, SharedMeasure, SharedPhase, SharedProject

Ids = Mapping[uuid.UUID, uuid.UUID]  # ours by theirs
Stated = Mapping[uuid.UUID, dict[str, Any]]  # the columns of a row, by its id over there
_LIVE = {"archived_at": None, "archived_by": None}
_APART = frozenset({"id", "phases", "annotations", "data_points", "collection"})


class Unique(NamedTuple):
    """The columns of a unique index, and what a row holds while others take their new values.

    Else two rows could not change places.
    """

    names: tuple[str, ...] = ()
    meanwhile: Mapping[str, Any] = MappingProxyType({})


NOTHING = Unique()
_MEASURE = Unique(("code", "is_headline"), {"code": None, "is_headline": False})
_PHASE = Unique(("starts_on",), {"status": PhaseStatus.REVOKED})


class Unfit(Exception):
    """The document contradicts what is stored here; the sentence says how, without its texts."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """One storing of one project, in one transaction, as one actor."""

    session: Session
    actor: Actor
    known: Known
    project: Project
    now: datetime

    def keep(
        self, noun: Resource, entity: Any, stated: Stated, unique: Unique = NOTHING
    ) -> tuple[Ids, list[Any]]:
        """The rows as stated, others archived; ours by theirs, and the rows that it changed."""
        ids = self.known.ids_of(noun, stated)
        rows = self._rows(entity)
        if set(ids.values()) - self.known.new - rows.keys():
            raise Unfit(f"A {noun} of it stands for one of another project here.")
        kept = set(ids.values())
        changed = self._archive(noun, [row for row in rows.values() if row.id not in kept])
        self._free(unique, [(rows[ids[item]], stated[item]) for item in ids if ids[item] in rows])
        for theirs, values in stated.items():
            ours = ids[theirs]
            if ours in rows:
                changed += self._change(noun, rows[ours], values)
            else:
                changed.append(self._make(noun, entity, ours, values))
        return ids, changed

    def _rows(self, entity: Any) -> dict[uuid.UUID, Any]:
        statement = select(entity).where(entity.project_id == self.project.id)
        return {row.id: row for row in self.session.exec(statement)}

    def _by(self, noun: Resource, row: Any) -> dict[str, Any]:
        about = {"measure_id": row.measure_id} if hasattr(row, "measure_id") else None
        return {"actor": self.actor, "noun": noun, "row": row, "now": self.now, "data": about}

    def _make(self, noun: Resource, entity: Any, ours: uuid.UUID, values: dict[str, Any]) -> Any:
        of = {"programme_id": self.project.programme_id, "project_id": self.project.id}
        return records.keep_new(self.session, **self._by(noun, entity(id=ours, **of, **values)))

    def _change(self, noun: Resource, row: Any, values: dict[str, Any]) -> list[Any]:
        before = row.revision
        verb = Verb.UPDATED if row.archived_at is None else Verb.RESTORED
        by = self._by(noun, row) | {"verb": verb, "values": values | _LIVE}
        if verb is Verb.UPDATED and "state" in values and values["state"] != row.state:
            by |= {"verb": Verb.STATE_CHANGED, "data": {"from": row.state, "to": values["state"]}}
        records.keep_changes(self.session, **by)
        return [row] if row.revision != before else []

    def _archive(self, noun: Resource, rows: Iterable[Any]) -> list[Any]:
        gone = [row for row in rows if row.archived_at is None]
        for row in gone:
            values = {"archived_at": self.now, "archived_by": self.actor.user_id}
            by = self._by(noun, row) | {"verb": Verb.ARCHIVED, "values": values}
            records.keep_changes(self.session, **by)
        return gone

    def _free(self, unique: Unique, pairs: Iterable[tuple[Any, dict[str, Any]]]) -> None:
        for row, values in pairs:
            if any(getattr(row, name) != values[name] for name in unique.names):
                for name, placeholder in unique.meanwhile.items():
                    setattr(row, name, placeholder)
        self.session.flush()


def keep_parts(keeping: Keeping, document: SharedProject, compared: Compared) -> None:
    """Cycles, measures, what is marked on their charts, and their data."""
    stated = {cycle.id: _cycle_values(keeping, cycle) for cycle in document.pdsa_cycles}
    cycles, changed = keeping.keep(Resource.PDSA_CYCLE, PDSACycle, stated)
    measures, moved = _keep_measures(keeping, document.measures)
    moved |= _keep_marks(keeping, document.measures, measures, cycles)
    _keep_points(keeping, compared, measures)
    session, now = keeping.session, keeping.now
    if changed:  # every chart of the project prints when a cycle began
        touch_project_series(session, project_id=keeping.project.id, now=now)
    else:
        for measure_id in sorted(moved):
            touch_series(session, session.get_one(Measure, measure_id), now=now)


def _cycle_values(keeping: Keeping, cycle: SharedCycle) -> dict[str, Any]:
    columns = ("cycle_no", "title", "purpose", "state", "started_at", "studied_at", "closed_at")
    plain = cycle.model_dump(mode="json")
    plan = {
        "objective": plain["objective"],
        "when_start": plain["planned_start"],
        "when_end": plain["planned_end"],
    }
    return {name: getattr(cycle, name) for name in columns} | {
        # A ramp is no row, so its identifier here is made of theirs.
        "ramp_id": uuid.uuid5(keeping.project.id, cycle.ramp_id.hex),
        "plan": plan,
        "do": {name: plain[name] for name in ("carried_out", "actual_start")},
        "study": {"learning": plain["learning"]},
        "act": {name: plain[name] for name in ("decision", "effective_on")},
    }


def _measure_values(measure: SharedMeasure) -> dict[str, Any]:
    check_chart(measure.chart, measure.data_type)
    values = {
        name: storable(getattr(measure, name))
        for name in SharedMeasure.model_fields
        if name not in _APART
    }
    stated = measure.collection and measure.collection.model_dump()
    return values | {"collection": storable(Collection.model_validate(stated)) if stated else None}


def _keep_measures(
    keeping: Keeping, measures: Iterable[SharedMeasure]
) -> tuple[Ids, set[uuid.UUID]]:
    stated = {measure.id: _measure_values(measure) for measure in measures}
    ids, changed = keeping.keep(Resource.MEASURE, Measure, stated, _MEASURE)
    return ids, {row.id for row in changed}


def _named(cycles: Ids, theirs: Iterable[uuid.UUID]) -> list[str]:
    return [str(cycles[identifier]) for identifier in theirs if identifier in cycles]


def _phase_values(phase: SharedPhase, measure_id: uuid.UUID, cycles: Ids) -> dict[str, Any]:
    return phase.model_dump(exclude={"id"}) | {
        "measure_id": measure_id,
        "status": PhaseStatus.APPROVED,
        "pdsa_cycle_ids": _named(cycles, phase.pdsa_cycle_ids),
    }


def _keep_marks(
    keeping: Keeping, measures: Iterable[SharedMeasure], ids: Ids, cycles: Ids
) -> set[uuid.UUID]:
    """Phases and annotations; the measures whose charts print them otherwise now."""
    phases, annotations = {}, {}
    for measure in measures:
        ours = ids[measure.id]
        for phase in measure.phases:
            phases[phase.id] = _phase_values(phase, ours, cycles)
        for item in measure.annotations:
            named = {"pdsa_cycle_ids": _named(cycles, item.pdsa_cycle_ids), "measure_id": ours}
            annotations[item.id] = item.model_dump(exclude={"id"}) | named
    _, changed = keeping.keep(Resource.PHASE, Phase, phases, _PHASE)
    _, also = keeping.keep(Resource.ANNOTATION, Annotation, annotations)
    return {row.measure_id for row in (*changed, *also)}


def _keep_points(keeping: Keeping, compared: Compared, ids: Ids) -> None:
    session, actor, now = keeping.session, keeping.actor, keeping.now
    for theirs, points in compared.items():
        row = session.get_one(Measure, ids[theirs])
        if row.series_revision != points.series_revision:
            batch = batch_of(points.items)
            keep_data_points(session, actor=actor, measure=row, batch=batch, now=now)
