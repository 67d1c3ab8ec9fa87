"""Engines and sessions: addresses, what a read session refuses, what an error tells."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.kit.database_errors import conflict_of, is_busy
from app.kit.db import Database, make_engine, normalise_url
from app.kit.errors import AlreadyExists, Conflict


@pytest.mark.parametrize(
    ("given_url", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
        ("sqlite:///file.db", "sqlite"),
    ],
)
def test_addresses(given_url: str, driver: str) -> None:
    assert normalise_url(given_url).drivername == driver


@pytest.fixture
def plain(backend: str, new_database_url: Callable[[str, str], str]) -> Database:
    database = Database(new_database_url(backend, "plain"))
    with database.transaction() as session:
        session.execute(sa.text("CREATE TABLE pair (a TEXT, b TEXT NOT NULL, UNIQUE (a, b))"))
    return database


def _execute(database: Database, *statements: str) -> None:
    with database.transaction() as session:
        for statement in statements:
            session.execute(sa.text(statement))


def test_a_read_session_refuses_to_write(plain: Database) -> None:
    with plain.reading() as session, pytest.raises(DBAPIError):
        session.execute(sa.text("INSERT INTO pair VALUES ('1', '2')"))
    plain.dispose()


def test_a_transaction_is_whole(plain: Database) -> None:
    with pytest.raises(DBAPIError):
        _execute(plain, "INSERT INTO pair VALUES ('1', '2')", "SELECT nonsense")
    with plain.reading() as session:
        assert session.execute(sa.text("SELECT count(*) FROM pair")).scalar_one() == 0
    plain.dispose()


def test_a_conflict_names_the_fields_and_no_value(plain: Database) -> None:
    insert = sa.text("INSERT INTO pair VALUES (:a, :b)")
    _execute(plain, "INSERT INTO pair VALUES ('hunter2', 'x')")
    with pytest.raises(IntegrityError) as twice, plain.transaction() as session:
        session.execute(insert, {"a": "hunter2", "b": "x"})
    error = conflict_of(twice.value)
    assert isinstance(error, AlreadyExists)
    assert [fault.pointer for fault in error.errors] == ["#/a", "#/b"]
    assert "hunter2" not in str([fault.as_dict() for fault in error.errors])
    with pytest.raises(IntegrityError) as empty, plain.transaction() as session:
        session.execute(insert, {"a": "hunter2", "b": None})
    assert type(conflict_of(empty.value)) is Conflict
    plain.dispose()


def test_an_error_that_is_logged_holds_no_value(plain: Database) -> None:
    with plain.reading() as session, pytest.raises(DBAPIError) as caught:
        session.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert not is_busy(caught.value)
    plain.dispose()


@pytest.mark.parametrize(
    ("state", "busy"),
    [("55P03", True), ("40P01", True), ("57014", True), ("08006", True), ("42P01", False)],
)
def test_which_states_of_postgresql_pass(state: str, busy: bool) -> None:
    original = type("Fault", (Exception,), {"sqlstate": state})()
    assert is_busy(DBAPIError("SELECT 1", None, original)) is busy


def test_a_database_in_memory_can_be_opened() -> None:
    with make_engine("sqlite://").connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
