"""The embedded servers as a healthy installation sees them."""

import os
import socket
import stat
from pathlib import Path

import psycopg
import pytest
from redis import Redis as Client
from redis import ResponseError

from citizen_cloud import embedded
from citizen_cloud.config import load_settings
from citizen_cloud.crypto import configure
from citizen_cloud.db import options
from citizen_cloud.embedded import EngineError, Engines, Postgres
from citizen_cloud.embedded.account import make_folder, socket_folder
from citizen_cloud.embedded.keys import keys
from citizen_cloud.migrations import upgrade

ROLES = """
SELECT rolname, rolcanlogin, rolsuper, rolcreatedb, rolbypassrls, rolinherit FROM pg_roles
WHERE rolname LIKE 'citizen_cloud%' ORDER BY rolname
"""
LISTENING = "0A"


def value(connection: "psycopg.Connection[tuple[object, ...]]", sql: str) -> object:
    """Return the only value of a query."""
    row = connection.execute(sql).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None


def test_both_roles_are_there_and_own_what_they_should(engines: Engines) -> None:
    with psycopg.connect(engines.environment["DATABASE_OWNER_URL"]) as connection:
        assert connection.execute(ROLES).fetchall() == [
            ("citizen_cloud_app", True, False, False, False, False),
            ("citizen_cloud_owner", True, False, False, False, True),
        ]
        owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
        assert value(connection, owner) == "citizen_cloud_owner"
        connection.execute("CREATE SCHEMA room")
        connection.rollback()


def test_the_app_role_can_create_nothing(engines: Engines) -> None:
    url = engines.environment["DATABASE_URL"]
    for sql in ("CREATE SCHEMA x", "CREATE TABLE public.x ()", "CREATE TEMP TABLE x ()"):
        with (
            psycopg.connect(url, options=options("citizen_cloud_app")) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(sql)  # type: ignore[call-overload]


def test_one_url_suffices_because_the_owner_can_become_the_app(engines: Engines) -> None:
    url = engines.environment["DATABASE_OWNER_URL"]
    with psycopg.connect(url, options=options("citizen_cloud_app")) as connection:
        assert value(connection, "SELECT current_user::text") == "citizen_cloud_app"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("jit", "off"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("server_version", "18"),
    ],
)
def test_the_server_is_durable_and_set_up(engines: Engines, setting: str, expected: str) -> None:
    with psycopg.connect(engines.environment["DATABASE_URL"]) as connection:
        assert str(value(connection, f"SHOW {setting}")).startswith(expected)


def test_text_is_sorted_and_folded_as_unicode(engines: Engines) -> None:
    with psycopg.connect(engines.environment["DATABASE_URL"]) as connection:
        assert value(connection, "SELECT upper('é大连') || ('B' < 'a')::text") == "É大连true"


def test_only_unix_sockets_in_private_folders_listen(engines: Engines) -> None:
    postgres, redis = engines.postgres, engines.redis
    assert postgres
    assert postgres.run
    mode = stat.S_IMODE(postgres.run.stat().st_mode)
    assert mode == 0o700
    for server in filter(None, (postgres, redis)):
        assert server.process
        assert not tcp_listeners(server.process.pid)


def tcp_listeners(pid: int) -> set[str]:
    """Return the inodes of TCP sockets that a process listens on."""
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING:
                listening.add(f"socket:[{fields[9]}]")
    held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    return listening & held


def test_redis_keeps_nothing_and_obeys_no_dangerous_command(engines: Engines) -> None:
    if "REDIS_URL" not in engines.environment:
        pytest.skip("no Redis program here")
    client = Client.from_url(engines.environment["REDIS_URL"])
    client.set("x", 1)
    for command in ("CONFIG GET dir", "DEBUG SLEEP 0", "REPLICAOF a 1"):
        with pytest.raises(ResponseError, match="unknown command"):
            client.execute_command(*command.split())
    client.close()


def test_the_environment_makes_settings_with_usable_keys(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in engines.environment.items():
        monkeypatch.setenv(name, text)
    settings = load_settings()
    crypto = configure(settings)
    assert settings.environment == "embedded"
    assert crypto.open(crypto.seal("大连", place="a:b:c"), place="a:b:c") == "大连"


def test_a_migrated_installation_knows_nobody(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No default account, hence no default password: the owner of the machine makes the first."""
    for name, content in engines.environment.items():
        monkeypatch.setenv(name, content)
    upgrade(load_settings(), progress=lambda _: None)
    with psycopg.connect(engines.environment["DATABASE_OWNER_URL"]) as connection:
        for table in ("account", "person", "device", "sign_in", "reset"):
            assert value(connection, f"SELECT count(*) FROM accounts.{table}") == 0
        for table in ("membership", "invitation"):
            assert value(connection, f"SELECT count(*) FROM organisations.{table}") == 0


def test_keys_are_private_different_and_drawn_once(tmp_path: Path) -> None:
    first = keys(tmp_path)
    texts = {Path(file).read_text() for file in first.values()}
    assert len(texts) == len(first) == 6
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for file in first.values():
        assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
    assert keys(tmp_path) == first
    assert {Path(file).read_text() for file in first.values()} == texts


def test_a_lost_key_is_never_replaced(tmp_path: Path) -> None:
    Path(keys(tmp_path)["CITIZEN_CLOUD_FIELD_KEYS_FILE"]).unlink()
    with pytest.raises(EngineError, match=r"field_keys\.key is missing"):
        keys(tmp_path)


def test_given_servers_are_used_and_none_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/x")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example")
    with embedded.engines(tmp_path / "var") as environment:
        assert not {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"} & set(environment)
    assert not (tmp_path / "var" / "engines").exists()


def test_given_keys_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/x")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example")
    monkeypatch.setenv("CITIZEN_CLOUD_TOKEN_KEYS_FILE", "/elsewhere")
    with embedded.engines(tmp_path / "var") as environment:
        assert "CITIZEN_CLOUD_TOKEN_KEYS_FILE" not in environment
        assert "CITIZEN_CLOUD_FIELD_KEYS_FILE" in environment


def test_without_a_redis_program_the_rest_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("citizen_cloud.embedded.redis.redis_program", lambda: None)
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/x")
    told: list[str] = []
    with embedded.engines(folder / "var", tell=told.append) as environment:
        assert "REDIS_URL" not in environment
    assert told == ["no Redis here: limits and caches stay in each process"]


def test_a_long_path_gets_a_short_private_socket_folder(engines: Engines, folder: Path) -> None:
    assert engines.postgres
    account = embedded.account_for(engines.postgres.cluster)
    home = make_folder(folder / ("long" * 30))
    run = socket_folder(home, account)
    try:
        assert len(os.fsencode(run)) < 60
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
        run.chmod(0o755)
        with pytest.raises(EngineError, match="not a private folder"):
            socket_folder(home, account)
    finally:
        run.rmdir()


def test_stopping_immediately_loses_nothing_committed(folder: Path) -> None:
    postgres = Postgres(folder / "pg")
    with postgres:
        with psycopg.connect(postgres.url(role="citizen_cloud_owner")) as connection:
            connection.execute("CREATE SCHEMA s")
            connection.execute("CREATE TABLE s.t AS SELECT 1 AS one")
        postgres.stop("immediate")
        assert not postgres.is_running
        postgres.start()
        with psycopg.connect(postgres.url(role="citizen_cloud_owner")) as connection:
            assert value(connection, "SELECT one FROM s.t") == 1


def test_erasing_touches_only_what_an_installation_made(tmp_path: Path) -> None:
    keys(embedded.make_folder(tmp_path / "var"))
    mine = tmp_path / "var" / "mine.txt"
    mine.touch()
    embedded.erase(tmp_path / "var")
    assert mine.exists()
    assert not (tmp_path / "var" / "keys").exists()


def test_the_port_of_the_callers_environment_is_not_followed(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PGPORT", str(other.getsockname()[1]))
        monkeypatch.setenv("PGHOST", "127.0.0.1")
        psycopg.connect(engines.environment["DATABASE_URL"]).close()
