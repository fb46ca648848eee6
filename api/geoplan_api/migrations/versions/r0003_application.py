"""What a report says of the application requirements, so that a list of checks need not open every report."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; of checks that were made before it is not known."""
    op.add_column("checks", sa.Column("application", sa.String(20), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("checks", "application")
