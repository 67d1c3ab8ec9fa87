"""Remembers the signals of measures, and tells of those that came and went."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from app import spc
from app.analytics.detections.matching import Sight, compare, sights_of
from app.analytics.detections.models import DetectedSignal, SignalWatch
from app.analytics.drawing import judge_each
from app.analytics.queries import assemble_many
from app.events import outbox
from app.events.catalogue import Resource, Verb, address_of
from app.kit.upsert import insert_for
from app.measures.models import Measure
from app.projects.queries import find_sources

_REFRESHED = ("signal_id", "rule_set", "meaning", "starts_on", "ends_on", "completed_on")
_TOLD = ("signal_id", "rule", "rule_set", "direction", "meaning")
_DAYS = ("starts_on", "ends_on", "completed_on")


class _Subject(NamedTuple):
    """A measure as it was read, the revision of the row that its events bear, and the server that

    its project came from, if it is not ours.
    """

    row: Any
    revision: int
    source: str | None


def detect_signals(session: Session, *, measures: Iterable[uuid.UUID], now: datetime) -> None:
    """Compare what the charts of live measures show with what is remembered; tell the difference.

    A fixed number of statements draws all of them. A chart that cannot be drawn says nothing:
    whatever was told of it stands until it can.
    """
    revisions = _live(session, measures)
    watches = _lock(session, list(revisions))
    stored = assemble_many(session, list(watches))
    judged = judge_each((item.series, item.settings) for _, item in stored)
    remembered = _remembered(session, list(watches))
    sources = find_sources(session, {row.project_id for row, _ in stored})
    for (row, _), chart in zip(stored, judged, strict=True):
        watch = watches[row.measure_id]
        is_behind = (watch.series_revision or 0) > row.series_revision
        if is_behind or isinstance(chart, spc.SpcError):
            continue
        subject = _Subject(row, revisions[row.measure_id], sources.get(row.project_id))
        is_first_look_at_old_data = watch.series_revision is None
        _keep(
            session,
            subject,
            remembered[row.measure_id],
            sights_of(chart),
            now=now,
            tells=not is_first_look_at_old_data,
        )
        watch.series_revision, watch.looked_at = row.series_revision, now


def _live(session: Session, measures: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The measures that are not archived, each with its revision."""
    statement = select(Measure.id, Measure.revision).where(
        col(Measure.id).in_(list(measures)), col(Measure.archived_at).is_(None)
    )
    return dict(session.exec(statement).all())


def _lock(session: Session, measures: Sequence[uuid.UUID]) -> dict[uuid.UUID, SignalWatch]:
    """The rows that make computations of one measure wait for each other, made where absent.

    In the order of their keys, lest two workers wait for each other. What is read after this is
    never older than what the one before saw.
    """
    if not measures:
        return {}
    table = SignalWatch.__table__  # type: ignore[attr-defined]
    connection = session.connection()
    connection.execute(
        insert_for(connection, table).on_conflict_do_nothing(),
        [{"measure_id": measure_id, "series_revision": 0} for measure_id in sorted(measures)],
    )
    statement = (
        select(SignalWatch)
        .where(col(SignalWatch.measure_id).in_(measures))
        .order_by(col(SignalWatch.measure_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {watch.measure_id: watch for watch in session.exec(statement)}


def _remembered(
    session: Session, measures: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[DetectedSignal]]:
    """The signals that stand, by measure."""
    statement = select(DetectedSignal).where(
        col(DetectedSignal.measure_id).in_(measures), col(DetectedSignal.retracted_at).is_(None)
    )
    found: dict[uuid.UUID, list[DetectedSignal]] = defaultdict(list)
    for signal in session.exec(statement):
        found[signal.measure_id].append(signal)
    return found


def _keep(
    session: Session,
    subject: _Subject,
    remembered: Sequence[DetectedSignal],
    sights: Sequence[Sight],
    *,
    now: datetime,
    tells: bool,
) -> None:
    """Refresh what is still there, add what is new, end what is gone."""
    difference = compare(remembered, sights)
    for signal, sight in difference.kept:
        for name in _REFRESHED:
            setattr(signal, name, getattr(sight, name))
    added = [_new_signal(subject.row, sight, now) for sight in difference.new]
    session.add_all(added)
    for signal in difference.gone:
        signal.retracted_at = now
    session.flush()
    if tells:
        for verb, signals in (
            (Verb.SIGNAL_RETRACTED, difference.gone),
            (Verb.SIGNAL_DETECTED, added),
        ):
            for signal in signals:
                _record(session, subject, signal, verb, now)


def _new_signal(row: Any, sight: Sight, now: datetime) -> DetectedSignal:
    return DetectedSignal(
        measure_id=row.measure_id,
        programme_id=row.owner_programme_id,
        series_revision=row.series_revision,
        detected_at=now,
        **sight._asdict(),
    )


def _record(
    session: Session, subject: _Subject, signal: DetectedSignal, verb: Verb, now: datetime
) -> None:
    """The event, in the transaction of the row that it tells of: both are there once, or neither.

    Nobody caused it alone and it comes from no other system, so whoever sent the data hears of it.
    Only the server that a whole project came from draws the same chart and need not be told.
    """
    row = subject.row
    outbox.record(
        session,
        noun=Resource.MEASURE,
        verb=verb,
        resource_id=row.measure_id,
        revision=subject.revision,
        programme_id=row.owner_programme_id,
        project_id=row.project_id,
        origin=outbox.Origin(source=subject.source),
        now=now,
        data={
            "measure_id": row.measure_id,
            "project_id": row.project_id,
            "detection_id": signal.id,
            **{name: getattr(signal, name) for name in (*_TOLD, *_DAYS)},
            "series_revision": row.series_revision,
            "chart_url": f"{address_of(Resource.MEASURE, row.measure_id)}/spc",
        },
    )
