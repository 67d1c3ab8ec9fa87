"""Small numbers: counts so low that somebody might recognise who is behind them."""

import uuid
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from app.measures.models import RATIO_TYPES, DataPoint, DataType, Measure

# NHS practice below national level: a count from 1 to 7 is suppressed, nought is shown. "Disclosure
# control methodology for Hospital Episode Statistics and Emergency Care Data Set", NHS Digital,
# September 2018; OpenSAFELY redacts up to 7 too.
SMALL_UP_TO = 7


class SmallMeasure(NamedTuple):
    """A measure with points that hold small numbers."""

    measure_id: uuid.UUID
    name: str
    points: int


def _is_small(column: Any) -> sa.ColumnElement[bool]:
    return sa.and_(col(column) > 0, col(column) <= SMALL_UP_TO)


def holds_small_number() -> sa.ColumnElement[bool]:
    """Whether a data point, joined with its measure, counts so few. Times and values count nobody.

    Never null, so it can be selected and negated.
    """
    counted = sa.and_(col(Measure.data_type) == DataType.COUNT, _is_small(DataPoint.value))
    either = sa.or_(_is_small(DataPoint.numerator), _is_small(DataPoint.denominator))
    ratio = sa.and_(col(Measure.data_type).in_(sorted(RATIO_TYPES)), either)
    return sa.func.coalesce(sa.or_(counted, ratio), sa.false())


def find_small_numbers(session: Session, *, project_id: uuid.UUID) -> list[SmallMeasure]:
    """The live measures of a project with small numbers, by one query. The caller has access."""
    statement = (
        sa.select(col(Measure.id), col(Measure.name), sa.func.count())
        .join(DataPoint, col(DataPoint.measure_id) == col(Measure.id))
        .where(
            col(Measure.project_id) == project_id,
            col(Measure.archived_at).is_(None),
            col(DataPoint.archived_at).is_(None),
            holds_small_number(),
        )
        .group_by(col(Measure.id), col(Measure.name), col(Measure.position))
        .order_by(col(Measure.position), col(Measure.id))
    )
    return [SmallMeasure(*row) for row in session.execute(statement)]
