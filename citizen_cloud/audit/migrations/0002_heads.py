"""Keep the heads that were published, the one way to erase an entry, and the chain itself."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0002"
down_revision = "audit_0001"
branch_labels = None
depends_on = ()

# Runs as the owner of the tables, for the owner and for functions of his: they say for whom.
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

# What the application says of an act. Its id, transaction and time are the database's own.
SAID = "actor_kind, actor_id, action, object_type, object_id, organisation_id, salt, payload"

# Everybody but the owner adds true links only: the next number, on the last hash, of an entry as
# it stands, whose transaction is over. What the owner does, the published heads tell.
IS_OWNER = "pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER')"
HOLD_CHAIN = f"""
CREATE FUNCTION audit.hold_the_chain() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last record;
    true_digest bytea;
BEGIN
    IF {IS_OWNER} THEN RETURN NEW; END IF;
    SELECT s.number, s.hash INTO last FROM audit.seal s ORDER BY s.number DESC LIMIT 1;
    SELECT sha256(coalesce(e.salt, ''::bytea) || convert_to('[' || concat_ws(',',
               to_json(e.id::text), e.xid, (extract(epoch FROM e.at) * 1000000)::bigint,
               to_json(e.actor_kind), coalesce(to_json(e.actor_id::text)::text, 'null'),
               to_json(e.action), to_json(e.object_type),
               coalesce(to_json(e.object_id::text)::text, 'null'),
               coalesce(to_json(e.organisation_id::text)::text, 'null'),
               coalesce(to_json(e.payload::text)::text, 'null')) || ']', 'UTF8'))
      INTO true_digest FROM audit.entry e WHERE e.id = NEW.entry_id;
    IF NEW.number IS DISTINCT FROM coalesce(last.number, 0) + 1
       OR NEW.prev IS DISTINCT FROM
          coalesce(last.hash, sha256('citizen-cloud audit chain'::bytea))
       OR NEW.digest IS DISTINCT FROM true_digest
       OR NEW.hash IS DISTINCT FROM sha256(NEW.prev || int8send(NEW.number) || NEW.digest
          || int8send((extract(epoch FROM NEW.sealed_at) * 1000000)::bigint))
       OR NEW.sealed_at NOT BETWEEN transaction_timestamp() AND clock_timestamp()
    THEN
        RAISE EXCEPTION 'no link of the chain' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""  # noqa: S608 - constants
# The mark rises with the links. It falls only where it lies above every transaction there ever
# was: then the database came from another cluster, whose numbers were higher.
HOLD_MARK = f"""
CREATE FUNCTION audit.hold_the_mark() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seen pg_snapshot := pg_current_snapshot();
    has_moved boolean := OLD.sealed_below > pg_snapshot_xmax(seen)::text::bigint;
BEGIN
    IF {IS_OWNER} THEN RETURN NEW; END IF;
    IF NEW.id <> OLD.id OR NEW.sealed_below > pg_snapshot_xmin(seen)::text::bigint
       OR (NEW.sealed_below < OLD.sealed_below AND NOT has_moved)
       OR EXISTS (
           SELECT FROM audit.entry e
            WHERE e.xid >= OLD.sealed_below AND (has_moved OR e.xid < NEW.sealed_below)
              AND NOT EXISTS (SELECT FROM audit.seal s WHERE s.entry_id = e.id))
    THEN
        RAISE EXCEPTION 'the mark passes over what is not sealed, or falls back'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""  # noqa: S608
HOLD_HEADS = f"""
CREATE FUNCTION audit.hold_the_heads() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT {IS_OWNER} AND NOT EXISTS (
        SELECT FROM audit.seal s WHERE (s.number, s.hash, s.sealed_at)
                                     = (NEW.number, NEW.hash, NEW.sealed_at))
    THEN
        RAISE EXCEPTION 'no link has this number and hash' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGERS = {
    "hold_the_chain": "BEFORE INSERT ON audit.seal",
    "hold_the_mark": "BEFORE UPDATE ON audit.watermark",
    "hold_the_heads": "BEFORE INSERT ON audit.head",
}


def upgrade() -> None:
    """Create the table, the functions and what holds the chain."""
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
    op.execute("REVOKE INSERT ON audit.entry FROM citizen_cloud_app")
    op.execute(f"GRANT INSERT ({SAID}) ON audit.entry TO citizen_cloud_app")
    for function in (HOLD_CHAIN, HOLD_MARK, HOLD_HEADS):
        op.execute(function)
    for name, when in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION audit.{name}()")
    # -- end


def downgrade() -> None:
    """Drop all of it."""
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.drop_table("head", schema="audit")
    for name, when in TRIGGERS.items():
        if not when.endswith("audit.head"):
            op.execute(f"DROP TRIGGER {name} ON {when.rpartition(' ')[2]}")
        op.execute(f"DROP FUNCTION audit.{name}()")
    op.execute("GRANT INSERT ON audit.entry TO citizen_cloud_app")
