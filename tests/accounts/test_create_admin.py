"""The command that lets the first administrator in."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from citizen_cloud.cli import accounts as cli


@pytest.fixture
def run(fresh_database, monkeypatch):
    monkeypatch.setattr(cli, "settings_of_run", lambda: fresh_database.settings)
    return lambda *arguments: CliRunner().invoke(cli.command, ["create-admin", *arguments])


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
