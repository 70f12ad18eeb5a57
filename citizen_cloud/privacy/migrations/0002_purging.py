"""What carries out the end of a module: by order of two people, who cannot be left out."""

from alembic import op

revision = "privacy_0002"
down_revision = "privacy_0001"
branch_labels = None
depends_on = ("approvals_0001", "audit_0002", "registry_0002")

# Acts that go with a module although a room wrote them.
SHARED = ["credentials.device_"]
# The rules of the approvals room hold in the database itself: no proposal is applied with fewer
# approvals than it needs, and what it is about stays as it was. So a stolen role of the
# application, which writes orders and states as it likes, still lacks two people.
AGREED = """
CREATE FUNCTION privacy.agreed_purge(module varchar) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE approval uuid;
BEGIN
    SELECT a.id INTO approval
      FROM registry.purge p
      JOIN registry.module m ON m.name = p.module
      JOIN approvals.proposal a ON a.id = p.approval_id
     WHERE p.module = agreed_purge.module AND p.state = 'running' AND m.state = 'sunset'
       AND a.kind = 'privacy.purge_module' AND a.status = 'applied'
       AND a.summary ->> 'module' = agreed_purge.module;
    IF approval IS NULL THEN
        RAISE EXCEPTION 'no order to purge %', agreed_purge.module
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN approval;
END $$
"""
EMPTY = """
CREATE FUNCTION privacy.empty_module(module varchar) RETURNS TABLE (name text, gone bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM privacy.agreed_purge(empty_module.module);
    RETURN QUERY SELECT e.name, e.gone FROM registry.empty_module(empty_module.module) e;
END $$
"""
# Only the module's own acts, and only those that the order names.
REDACT = f"""
CREATE FUNCTION privacy.redact_acts(module varchar, entries uuid[], salt bytea, payload jsonb)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE approval uuid := privacy.agreed_purge(redact_acts.module);
BEGIN
    IF EXISTS (
        SELECT FROM audit.entry e LEFT JOIN audit.seal s ON s.entry_id = e.id
         WHERE e.id = ANY(entries)
           AND NOT (e.action::text ^@ ANY(ARRAY{SHARED!r} || (redact_acts.module || '.'))
                AND EXISTS (SELECT FROM jsonb_array_elements(redact_acts.payload -> 'ranges') r
                             WHERE s.number BETWEEN (r ->> 0)::bigint AND (r ->> 1)::bigint)))
    THEN
        RAISE EXCEPTION 'no order to erase acts of others than %', redact_acts.module
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN audit.redact(entries, 'system', NULL, redact_acts.salt, redact_acts.payload
        || jsonb_build_object('module', redact_acts.module, 'approval', approval));
END $$
"""  # noqa: S608 - a constant list
OPEN = (
    "privacy.empty_module(varchar)",
    "privacy.redact_acts(varchar, uuid[], bytea, jsonb)",
)
CLOSED = "privacy.agreed_purge(varchar)"


def upgrade() -> None:
    """Create the functions."""
    for function in (AGREED, EMPTY, REDACT):
        op.execute(function)
    for signature in (*OPEN, CLOSED):
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    for signature in OPEN:
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO citizen_cloud_app")


def downgrade() -> None:
    """Drop them: what is left has no way to empty a module or to erase an act."""
    for signature in (*OPEN, CLOSED):
        op.execute(f"DROP FUNCTION {signature}")
