"""The table of checks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "checks",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("report_id", sa.String(71), nullable=False),
        sa.Column("report_sha256", sa.String(64), nullable=False),
        sa.Column("overlaps_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(300), nullable=True),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
    )
    op.create_index(op.f("ix_checks_report_id"), "checks", ["report_id"])
    op.create_index(op.f("ix_checks_made_at"), "checks", ["made_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("checks")
