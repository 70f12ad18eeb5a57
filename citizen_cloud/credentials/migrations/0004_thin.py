"""Keep no record of thin codes: their id says what a row would."""

from alembic import op

revision = "credentials_0004"
down_revision = "credentials_0003"
branch_labels = None
depends_on = None

INDEX = "ix_credential_short"


def upgrade() -> None:
    """Forget the records there are; each was over in a minute."""
    op.execute("DELETE FROM credentials.credential WHERE type = 'ht'")
    _index("type = 'hc'")


def downgrade() -> None:
    """Index them again."""
    _index("type IN ('hc', 'ht')")


def _index(where: str) -> None:
    op.drop_index(INDEX, "credential", schema="credentials")
    op.create_index(
        INDEX, "credential", ["expires_at"], schema="credentials", postgresql_where=where
    )
