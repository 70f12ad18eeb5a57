"""Let a purge erase what the booking room's acts for that module were about."""

from alembic import op

revision = "privacy_0003"
down_revision = "privacy_0002"
branch_labels = None
depends_on = ()

# Acts that go with a module although a room wrote them.
OWN = "e.action::text ^@ ANY(ARRAY['credentials.device_'] || (redact_acts.module || '.'))"
# A room that serves all modules says in each act for which one; a blank act says nothing.
BOOKED = """(e.action::text ^@ 'booking.'
                     AND coalesce(e.payload ->> 'module' = redact_acts.module, false))"""


def _redact(whose: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION privacy.redact_acts(module varchar, entries uuid[], salt bytea, payload jsonb)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE approval uuid := privacy.agreed_purge(redact_acts.module);
BEGIN
    IF EXISTS (
        SELECT FROM audit.entry e LEFT JOIN audit.seal s ON s.entry_id = e.id
         WHERE e.id = ANY(entries)
           AND NOT (({whose})
                AND EXISTS (SELECT FROM jsonb_array_elements(redact_acts.payload -> 'ranges') r
                             WHERE s.number BETWEEN (r ->> 0)::bigint AND (r ->> 1)::bigint)))
    THEN
        RAISE EXCEPTION 'no order to erase acts of others than %', redact_acts.module
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN audit.redact(entries, 'system', NULL, redact_acts.salt, redact_acts.payload
        || jsonb_build_object('module', redact_acts.module, 'approval', approval));
END $$
"""  # noqa: S608 - one of two constants


def upgrade() -> None:
    """Widen the function."""
    op.execute(_redact(f"{OWN} OR {BOOKED}"))


def downgrade() -> None:
    """Narrow it again."""
    op.execute(_redact(OWN))
