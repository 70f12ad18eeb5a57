"""The command that lets the first administrator in."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from citizen_cloud.accounts.services import resets
from citizen_cloud.cli import accounts as cli


@pytest.fixture
def invoke(fresh_database, monkeypatch):
    monkeypatch.setattr(cli, "settings_of_run", lambda: fresh_database.settings)
    return lambda *arguments: CliRunner().invoke(cli.command, arguments)


@pytest.fixture
def run(invoke):
    return lambda *arguments: invoke("create-admin", *arguments)


def test_a_fresh_installation_has_no_account(fresh_database):
    with fresh_database.owner() as connection:
        assert connection.scalar(text("SELECT count(*) FROM accounts.account")) == 0


def test_the_command_prints_a_password_once_and_grants_the_role(fresh_database, run):
    done = run("--username", "first.admin")
    assert done.exit_code == 0, done.output
    (password,) = done.output.splitlines()
    assert len(password) >= 20
    with fresh_database.owner() as connection:
        kind, role = connection.execute(
            text(
                "SELECT a.kind, m.role FROM accounts.account a "
                "JOIN organisations.membership m ON m.account_id = a.id"
            )
        ).one()
        stored = str(connection.execute(text("SELECT to_jsonb(a) FROM accounts.account a")).all())
    assert (kind, role) == ("admin", "admin")
    assert password not in stored


def test_a_taken_or_odd_name_is_refused_in_a_sentence(run):
    assert run("--username", "first.admin").exit_code == 0
    again = run("--username", "first.admin")
    assert again.exit_code == 1
    assert "taken" in again.output
    assert run("--username", "First Admin").exit_code == 2


def test_an_auditor_comes_from_the_machines_owner_too(fresh_database, invoke):
    done = invoke("create-auditor", "--username", "first.auditor")
    assert done.exit_code == 0, done.output
    with fresh_database.owner() as connection:
        kind, role = connection.execute(
            text(
                "SELECT a.kind, m.role FROM accounts.account a "
                "JOIN organisations.membership m ON m.account_id = a.id"
            )
        ).one()
    assert (kind, role) == ("staff", "auditor")


def test_the_machines_owner_lets_the_only_administrator_in_again(fresh_database, run, invoke):
    run("--username", "first.admin")
    done = invoke("reset", "--username", "first.admin")
    assert done.exit_code == 0, done.output
    (code,) = done.output.splitlines()
    with fresh_database.owner() as connection:
        stored = connection.execute(text("SELECT password_hash FROM accounts.account")).scalar_one()
        actors = connection.execute(
            text("SELECT actor_kind FROM audit.entry WHERE action = 'accounts.reset'")
        ).scalars()
        assert list(actors) == ["operator"]
    assert stored is None
    with fresh_database.database.transaction() as session:
        resets.use_reset(session, code=code, password_hash="new")  # noqa: S106 - no password
        assert session.scalar(text("SELECT password_hash FROM accounts.account")) == "new"
    assert invoke("reset", "--username", "nobody.here").exit_code == 1
