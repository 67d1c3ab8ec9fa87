"""A prepared SELECT answers what SQLAlchemy answers, and leaves errors and listeners to it."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col

from app.kit.db import Database
from app.kit.prepared import Prepared
from app.measures.models import DataType, Measure
from app.programmes.models import Programme
from tests.builders import make_measure

STATEMENT = (
    sa.select(
        Measure.id,
        Measure.data_type,
        Measure.targets,
        Measure.multiplier,
        Measure.is_headline,
        Measure.series_changed_at,
        Measure.collection,
        col(Measure.chart),
        col(Programme.title).label("programme"),
    )  # type: ignore[call-overload]
    .join(Programme, col(Programme.id) == col(Measure.programme_id))
    .where(col(Measure.data_type) == DataType.PROPORTION)
    .where(col(Measure.id) == sa.bindparam("measure_id", type_=sa.Uuid))
)


@pytest.fixture
def measure(session: Session) -> Measure:
    made = make_measure(
        session,
        data_type=DataType.PROPORTION,
        targets=[{"from": None, "value": 90.0}],
        multiplier=100.0,
    )
    session.flush()
    return made


def test_rows_are_those_of_sqlalchemy(database: Database, measure: Measure) -> None:
    prepared, parameters = Prepared(STATEMENT), {"measure_id": measure.id}
    with database.connect() as connection:
        expected = connection.execute(STATEMENT, parameters).all()
        for _ in range(2):  # the first run learns the conversions
            found = prepared.all(connection, parameters)
            assert [tuple(row) for row in found] == [tuple(row) for row in expected]
    assert len(found) == 1
    assert found[0].id == measure.id
    assert found[0].data_type is DataType.PROPORTION
    assert found[0].series_changed_at.tzinfo is not None
    assert found[0].programme == expected[0].programme
    assert prepared.all(connection, {"measure_id": uuid.uuid4()}) == []


def test_listeners_hear_of_it(
    database: Database,
    measure: Measure,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    with database.connect() as connection, count_queries() as statements:
        assert len(Prepared(STATEMENT).all(connection, {"measure_id": measure.id})) == 1
    assert len(statements) == 1


def test_a_driver_error_is_sqlalchemys(database_url: str) -> None:
    """Its errors are known to the rest of the house, and it drops a connection that is dead."""
    nowhere = sa.table("nowhere", sa.column("id", sa.Uuid))
    database = Database(database_url)
    with database.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="nowhere"):
        Prepared(sa.select(nowhere.c.id)).all(connection, {})
    database.dispose()
