"""The schema's version: what the code wants, what a database has, and how to get there."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

ROOT = Path(__file__).resolve().parents[2] / "migrations"


def config(url: str | None = None) -> Config:
    """Alembic's configuration without its file, so that it works from any directory."""
    settings = Config()
    settings.set_main_option("script_location", str(ROOT))
    if url is not None:
        settings.attributes["url"] = url
    return settings


@cache
def head() -> str:
    """The revision that this code was written for."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    if revision is None:
        raise RuntimeError("there are no migrations")
    return revision


def current(connection: Connection) -> str | None:
    """The revision that a database has; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def is_newer(engine: Engine) -> bool:
    """Whether the database was written by a newer version: its revision is unknown here."""
    with engine.connect() as connection:
        revision = current(connection)
    if revision is None:
        return False
    try:
        ScriptDirectory.from_config(config()).get_revision(revision)
    except CommandError:
        return True
    return False


def upgrade(url: str) -> None:
    """Bring a database to this code's schema."""
    command.upgrade(config(url), "head")
