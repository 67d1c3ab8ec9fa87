"""Runs the migrations: one chain for both databases, in batch mode so that SQLite can alter."""

from alembic import context
from sqlmodel import UTCDateTime

from app.kit.db import make_engine
from app.settings import Settings
from app.tables import metadata


def run() -> None:
    """Migrate the database of the caller's URL, of an open connection, or of the settings."""
    attributes = context.config.attributes
    if (connection := attributes.get("connection")) is not None:
        _migrate(connection)
        return
    engine = make_engine(attributes.get("url") or Settings().database_url)
    with engine.connect() as connection:
        _migrate(connection)
    engine.dispose()


def _plain(kind: str, item: object, _context: object) -> str | bool:
    """Types of other libraries as plain SQL ones: a migration imports SQLAlchemy only."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _migrate(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]
        target_metadata=metadata,
        render_as_batch=True,
        render_item=_plain,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
