"""Keep the heads that were published, and the one way to erase an entry."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0002"
down_revision = "audit_0001"
branch_labels = None
depends_on = ()

# Runs as the owner of the tables: who may call it may erase, never change, and not in silence.
REDACT = """
CREATE FUNCTION audit.redact(
    entries uuid[], actor_kind varchar, actor_id uuid, salt bytea, payload jsonb
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE erased bigint;
BEGIN
    IF coalesce(payload ->> 'ground', '') = '' OR octet_length(salt) < 16 THEN
        RAISE EXCEPTION 'an erasure needs a ground' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE audit.entry e SET salt = NULL, payload = NULL
     WHERE e.id = ANY(entries) AND e.action <> 'audit.redacted'
       AND EXISTS (SELECT FROM audit.seal s WHERE s.entry_id = e.id);
    GET DIAGNOSTICS erased = ROW_COUNT;
    INSERT INTO audit.entry (actor_kind, actor_id, action, object_type, salt, payload)
    VALUES (redact.actor_kind, redact.actor_id, 'audit.redacted', 'audit', redact.salt,
            redact.payload);
    RETURN erased;
END $$
"""
SIGNATURE = "audit.redact(uuid[], varchar, uuid, bytea, jsonb)"


def upgrade() -> None:
    """Create the table and the function."""
    op.create_table(
        "head",
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("day_on", "number", name=op.f("pk_head")),
        schema="audit",
    )
    # -- by hand: up
    op.execute("REVOKE UPDATE, DELETE ON audit.head FROM citizen_cloud_app")
    op.execute(REDACT)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO citizen_cloud_app")
    # -- end


def downgrade() -> None:
    """Drop both."""
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.drop_table("head", schema="audit")
