"""Index each showing once: what a phone signed has an index of its own already."""

import sqlalchemy as sa
from alembic import op

revision = "health_code_0007"
down_revision = "health_code_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the rest."""
    _index(sa.text("NOT is_proven AND outcome = 'valid'"))


def downgrade() -> None:
    """Index all again."""
    _index(None)


def _index(where: sa.TextClause | None) -> None:
    op.drop_index("ix_scan_showing", "scan", schema="health_code")
    op.create_index(
        "ix_scan_showing", "scan", ["showing_hash"], schema="health_code", postgresql_where=where
    )
