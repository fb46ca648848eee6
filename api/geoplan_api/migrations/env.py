"""What Alembic runs around the migrations.

The store hands over a connection that has begun an immediate transaction. For a developer's ``alembic revision
--autogenerate`` a database is named by ``sqlalchemy.url``.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

import geoplan_api.jobs.table  # noqa: F401 - its table belongs to the metadata
from geoplan_api.store import Base


def run_migrations() -> None:
    """Run what is asked for on the connection given, else on one of our own."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    with create_engine(context.config.get_main_option("sqlalchemy.url") or "sqlite://").begin() as own:
        _run(own)


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic loads this file; anybody else only imports it
    run_migrations()
