"""Checks, standings and batches as 0.3.0 left them, brought to the present and back again."""

from dataclasses import replace

import people
import pytest
from alembic import command
from conftest import run_as_superuser, settings_for
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from citizen_cloud import crypto, db, migrations
from citizen_cloud.embedded.postgres import OWNER_ROLE
from citizen_cloud.registry.discovery import discover

NAME = "t_of_0_3_0"
HEADS_OF_0_3_0 = (
    "accounts_0005",
    "approvals_0001",
    "audit_0002",
    "booking_0002",
    "counter_0001",
    "credentials_0003",
    "families_0001",
    "federation_0001",
    "jobs_0001",
    "masks_0001",
    "messages_0001",
    "oidc_0002",
    "organisations_0002",
    "privacy_0002",
    "registry_0002",
    "web_0003",
    "health_code_0005",
)
SCANS = """
    INSERT INTO health_code.scan
           (account_id, scan_id, code_hash, showing_hash, is_proven, outcome, answer_sealed,
            is_offline, device_at, device_outcome)
    SELECT :account_id, n.scan_id, 'c', cast(n.showing AS bytea), n.is_proven, n.outcome, 'a',
           n.ago IS NOT NULL, statement_timestamp() - n.ago,
           CASE WHEN n.ago IS NOT NULL THEN 'valid' END
      FROM (VALUES ('phone', 'x', true, 'valid', NULL::interval),
                   ('again', 'x', true, 'replayed', NULL),
                   ('thin', 'y', false, 'valid', '5 minutes'),
                   ('thin again', 'y', false, 'valid', '-1 day'),
                   ('nothing', NULL, false, 'malformed', NULL))
           AS n(scan_id, showing, is_proven, outcome, ago)
"""
BATCH = """
    WITH s AS (
        INSERT INTO health_code.source (account_id, unit_id, name, algorithm, public_key, kinds,
                                        cap_per_hour, registered_in)
        VALUES (:account_id, :unit_id, '{"zh": "疾控", "en": "CDC"}', 'Ed25519', 'k',
                '{exposure}', 1, uuidv7())
        RETURNING id)
    INSERT INTO health_code.batch (source_id, reference, content_hash, rows_in, accepted, rejected,
                                   report, status, rows_sealed)
    SELECT s.id, w.status, 'h', 1, 1, 0, '{}', w.status, cast(w.sealed AS bytea)
      FROM s, (VALUES ('waiting', 'r'), ('applied', NULL)) AS w(status, sealed)
"""

THIN = """
    INSERT INTO credentials.credential
           (jti, type, subject_id, kid, issued_at, not_before, expires_at)
    SELECT j, 'ht', j, 'c.k1', t, t, t + interval '1 minute'
      FROM (SELECT gen_random_uuid() AS j, date_trunc('second', statement_timestamp()) AS t) n
"""


class Old:
    """A database, and the way up and down."""

    def __init__(self, settings):
        self.settings = settings
        self.engine = create_engine(migrations.owner_url(settings))
        modules = discover().modules
        self.config = migrations.configuration(modules)
        with self.engine.connect() as connection:
            migrations.prepare(connection, tuple(migrations.versions(modules)))
            connection.commit()
        for head in HEADS_OF_0_3_0:
            self.go(command.upgrade, head)

    def go(self, way, revision):
        with self.engine.connect() as connection:
            self.config.attributes["connection"] = connection
            way(self.config, revision)
            connection.commit()

    def rows(self, sql, **values):
        with db.transaction() as session:
            found = session.execute(text(sql), values)
            return [tuple(row) for row in found] if found.returns_rows else []


@pytest.fixture
def old(cluster, tmp_path):
    run_as_superuser(cluster, f"CREATE DATABASE {NAME} OWNER {OWNER_ROLE}")
    settings = replace(settings_for(cluster, NAME), sms_log=tmp_path / "sms.log")
    crypto.configure(settings)
    made = Old(settings)
    pool = db.connect(settings)
    yield made
    pool.dispose()
    made.engine.dispose()
    run_as_superuser(cluster, f"DROP DATABASE {NAME} WITH (FORCE)")


def test_checks_and_batches_of_0_3_0_go_on_after_the_upgrade_and_back(old):
    me = people.citizen()
    old.rows(SCANS, account_id=me.account_id)
    old.rows(BATCH, account_id=me.account_id, unit_id=people.pharmacy())
    old.rows(THIN)
    before = old.rows("SELECT scan_id, is_proven, outcome FROM health_code.scan ORDER BY id")
    migrations.upgrade(old.settings, progress=lambda _: None)
    migrations.check(old.settings)
    types = "SELECT scan_id, type, finding FROM health_code.scan WHERE type IS NOT NULL ORDER BY 1"
    assert old.rows(types) == [("again", "hc", None), ("phone", "hc", None)]
    # A gate's clock that is ahead counts as the instant of the upload.
    assert (
        old.rows(
            "SELECT scan_id FROM health_code.scan WHERE scanned_at <> least(device_at, decided_at)"
        )
        == []
    )
    # Gates that are alone have yet to tell of it.
    assert old.rows("SELECT type FROM credentials.credential") == [("ht",)]
    batches = "SELECT reference, status, rows_sealed FROM health_code.batch ORDER BY 1"
    assert old.rows(batches) == [("applied", "applied", None), ("waiting", "refused", None)]
    again = (
        "INSERT INTO health_code.scan (account_id, scan_id, code_hash, showing_hash, type, "
        "outcome, answer_sealed, finding, finding_id) "
        "SELECT account_id, :id, 'c', 'x', 'hc', 'valid', 'a', cast(:finding AS varchar), "
        "CASE WHEN :finding IS NOT NULL THEN uuidv7() END FROM health_code.scan "
        "WHERE scan_id = 'phone'"
    )
    with pytest.raises(IntegrityError, match="uq_scan_showing"):
        old.rows(again, id="elsewhere", finding=None)
    # Two of one showing, as only the present can tell them apart, do not stop the way back.
    old.rows(again, id="elsewhere", finding="replayed")
    old.go(command.downgrade, "health_code@health_code_0005")
    after = old.rows("SELECT scan_id, is_proven, outcome FROM health_code.scan ORDER BY id")
    assert after == [*before, ("elsewhere", False, "valid")]
    migrations.upgrade(old.settings, progress=lambda _: None)
    migrations.check(old.settings)
