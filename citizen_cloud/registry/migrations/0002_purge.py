"""Keep orders to purge a module, and the one way to empty its tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registry_0002"
down_revision = "registry_0001"
branch_labels = None
depends_on = ()

ROOMS = [
    "audit",
    "jobs",
    "registry",
    "web",
    "accounts",
    "organisations",
    "approvals",
    "messages",
    "credentials",
    "families",
    "federation",
    "counter",
    "oidc",
    "booking",
    "privacy",
    "procrastinate",
    "public",
]
# Runs as the owner of the tables: a module may have taken the right to delete from the
# application. It empties a module that is in sunset and ordered to be purged, never a room, and
# is called by the owner's own functions only, which ask who agreed.
EMPTY = f"""
CREATE FUNCTION registry.empty_module(module varchar) RETURNS TABLE (name text, gone bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE one record; all_of_it text := '';
BEGIN
    IF empty_module.module = ANY (ARRAY{ROOMS!r}) OR NOT EXISTS (
        SELECT FROM registry.purge p JOIN registry.module m ON m.name = p.module
         WHERE p.module = empty_module.module AND p.state = 'running' AND m.state = 'sunset')
    THEN
        RAISE EXCEPTION 'no order to purge %', empty_module.module
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR one IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = empty_module.module AND c.relkind IN ('r', 'p')
                  AND NOT c.relispartition ORDER BY c.relname
    LOOP
        EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE',
                       empty_module.module, one.relname);
        EXECUTE format('SELECT count(*) FROM %I.%I', empty_module.module, one.relname) INTO gone;
        name := one.relname;
        all_of_it := all_of_it || format(', %I.%I', empty_module.module, one.relname);
        RETURN NEXT;
    END LOOP;
    IF all_of_it <> '' THEN
        EXECUTE 'TRUNCATE ' || substr(all_of_it, 3) || ' RESTART IDENTITY';
    END IF;
END $$
"""  # noqa: S608 - a constant list
SIGNATURE = "registry.empty_module(varchar)"


def upgrade() -> None:
    """Create the table and the function."""
    op.create_table(
        "purge",
        sa.Column("module", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column(
            "ordered_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "state", sa.String(length=16), server_default=sa.text("'ordered'"), nullable=False
        ),
        sa.Column(
            "progress",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('ordered','running','done')", name=op.f("ck_purge_state")),
        sa.CheckConstraint(
            "(state = 'done') = (certificate IS NOT NULL)", name=op.f("ck_purge_certified")
        ),
        sa.CheckConstraint(
            "(state = 'done') = (finished_at IS NOT NULL)", name=op.f("ck_purge_finished")
        ),
        sa.ForeignKeyConstraint(
            ["module"], ["registry.module.name"], name=op.f("fk_purge_module_module")
        ),
        sa.PrimaryKeyConstraint("module", name=op.f("pk_purge")),
        sa.UniqueConstraint("id", name=op.f("uq_purge_id")),
        sa.UniqueConstraint("approval_id", name=op.f("uq_purge_approval_id")),
        schema="registry",
    )
    # -- by hand: up
    # What was ordered stays ordered: there is no way back but a migration.
    op.execute("REVOKE DELETE ON registry.purge FROM citizen_cloud_app")
    op.execute(EMPTY)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    # -- end


def downgrade() -> None:
    """Drop both."""
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.drop_table("purge", schema="registry")
