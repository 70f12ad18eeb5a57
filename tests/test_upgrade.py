"""A database as 0.2.0 left it, with people in it, is brought to the present and goes on."""

from dataclasses import replace
from uuid import UUID

import health_world
import people
import pytest
from alembic import command
from conftest import run_as_superuser, settings_for
from sqlalchemy import create_engine, text

from citizen_cloud import crypto, db, migrations
from citizen_cloud.app import create_app
from citizen_cloud.audit import rules
from citizen_cloud.audit.services import Act, Examination, examine, record, seal
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.services import revoke
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.credentials.verifier import Snapshot, keys_of
from citizen_cloud.db import new_id
from citizen_cloud.embedded.postgres import OWNER_ROLE
from citizen_cloud.portal.state import HOST
from citizen_cloud.registry.discovery import discover

NAME = "t_of_0_2_0"
HEADS_OF_0_2_0 = (
    "accounts_0005",
    "audit_0001",
    "booking_0002",
    "counter_0001",
    "credentials_0001",
    "families_0001",
    "federation_0001",
    "jobs_0001",
    "masks_0001",
    "messages_0001",
    "oidc_0002",
    "organisations_0002",
    "privacy_0001",
    "registry_0001",
    "web_0002",
)
NEWER = ("approvals", "health_code")


@pytest.fixture
def old(cluster, tmp_path):
    """Settings of a database that 0.2.0 migrated."""
    run_as_superuser(cluster, f"CREATE DATABASE {NAME} OWNER {OWNER_ROLE}")
    settings = replace(settings_for(cluster, NAME), sms_log=tmp_path / "sms.log")
    modules = discover().modules
    config = migrations.configuration(modules)
    engine = create_engine(migrations.owner_url(settings))
    with engine.connect() as connection:
        schemas = [name for name in migrations.versions(modules) if name not in NEWER]
        migrations.prepare(connection, tuple(schemas))
        connection.commit()
        config.attributes["connection"] = connection
        for head in HEADS_OF_0_2_0:
            command.upgrade(config, head)
        connection.commit()
        assert connection.scalar(text("SELECT to_regclass('health_code.standing')")) is None
    engine.dispose()
    crypto.configure(settings)
    pool = db.connect(settings)
    yield settings
    pool.dispose()
    run_as_superuser(cluster, f"DROP DATABASE {NAME} WITH (FORCE)")


def voucher():
    """Insert a code as 0.2.0 recorded it; return its id and whose it is."""
    with db.transaction() as session:
        return session.execute(
            text(
                "INSERT INTO credentials.credential "
                "(jti, type, subject_id, kid, issued_at, not_before, expires_at) "
                "VALUES (gen_random_uuid(), 'voucher', uuidv7(), 'c.k1', now(), now(), "
                "now() + interval '1 day') RETURNING jti, subject_id"
            )
        ).one()


def sealed_as_then():
    """Record an act and seal everything so far in the form of 0.2.0."""
    act = Act(
        actor_kind="system",
        actor_id=None,
        action="test.of_then",
        object_type="test",
        object_id=new_id(),
        payload={"said": "那时"},
    )
    with db.transaction() as session:
        record(session, act)
    with db.transaction() as session:
        rows = session.execute(
            text(f"SELECT {rules.COLUMNS}, e.salt FROM audit.entry e ORDER BY e.xid, e.id")
        ).all()
        prev = rules.GENESIS
        for number, row in enumerate(rows, start=1):
            of_entry = rules.first_digest(rules.Told(*row[: rules.WIDTH]), bytes(row.salt))
            after = rules.first_link(prev, number, of_entry, 0)
            session.execute(
                text(
                    "INSERT INTO audit.seal (number, entry_id, digest, prev, hash) "
                    "VALUES (:number, :entry, :digest, :prev, :hash)"
                ),
                {
                    "number": number,
                    "entry": UUID(row[0]),
                    "digest": of_entry,
                    "prev": prev,
                    "hash": after,
                },
            )
            prev = after
        session.execute(
            text(
                "UPDATE audit.watermark "
                "SET sealed_below = pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
            )
        )
    return len(rows)


def is_void(session, jti):
    """Return whether gates are told that a code counts no more."""
    return Snapshot.read(publish(session).text, keys_of(keys.roots_document())).is_void(jti)


def test_what_0_2_0_left_goes_on_after_the_upgrade(old):
    me, code = people.citizen(), voucher()
    count = sealed_as_then()
    migrations.upgrade(old, progress=lambda _: None)
    migrations.check(old)
    app = create_app(old)
    try:
        db.install(app.extensions[HOST].database)
        with db.transaction() as session:
            assert examine(session) == Examination(length=count, redacted=0, findings=[])
        client = app.test_client(use_cookies=False)
        assert client.get("/api/v1/me", headers=me.headers).json["level"] == 2
        health_world.agree(me)
        path = "/api/v1/health-code"
        said = client.post(f"{path}/declarations", headers=me.headers, json=health_world.WELL)
        assert said.status_code == 200, said.text
        assert client.get(f"{path}/code", headers=me.headers).json["colour"] == "green"
        with db.transaction() as session:
            assert not is_void(session, code.jti), "a code of then is as alive as it was"
            assert revoke(session, type="voucher", subject_id=code.subject_id)
            assert is_void(session, code.jti)
        with db.transaction() as session:
            seal(session)
        with db.transaction() as session:
            after = examine(session)
            assert (after.findings, after.length > count) == ([], True)
    finally:
        app.extensions[HOST].database.dispose()
