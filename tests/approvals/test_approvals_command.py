"""The machine's owner appoints the first approvers."""

from dataclasses import replace

import people
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.cli import approvals as cli


@pytest.fixture
def run(fresh_database, monkeypatch):
    monkeypatch.setattr(cli, "settings_of_run", lambda: fresh_database.settings)
    return lambda *arguments: CliRunner().invoke(cli.command, arguments)


def username(someone):
    with db.transaction() as session:
        return session.scalar(
            text("SELECT username FROM accounts.account WHERE id = :id"), {"id": someone.account_id}
        )


def test_the_first_approvers_come_from_the_machine(fresh_database, run):
    hall = people.hall("卫健委")
    someone = people.staff(hall)
    name = username(someone)
    assert "two authorities" in run("list").stderr
    unbound = run("appoint", "--username", name, "--unit", str(hall))
    assert unbound.exit_code == 1
    assert "stands for nobody" in unbound.output
    people.bind(someone)
    done = run("appoint", "--username", name, "--unit", str(hall))
    assert done.exit_code == 0, done.output
    listed = run("list")
    assert name in listed.stdout
    assert "stands" in listed.stdout
    with fresh_database.owner() as connection:
        acts = connection.execute(
            text("SELECT actor_kind FROM audit.entry WHERE action = 'approvals.appoint'")
        )
        assert acts.scalars().all() == ["operator"]
    assert run("end", "--username", name).exit_code == 0
    assert run("end", "--username", name).exit_code == 1
    assert name not in run("list").stdout


def test_whoever_does_not_fit_is_refused_in_a_sentence(run):
    hall, pharmacy = people.hall(), people.pharmacy()
    clerk, admin = username(people.staff(pharmacy)), username(people.admin())
    for name, unit in ((clerk, pharmacy), (clerk, hall), (admin, hall)):
        done = run("appoint", "--username", name, "--unit", str(unit))
        assert done.exit_code == 1
        assert "no active staff" in done.output
    nobody = run("appoint", "--username", "nobody.here", "--unit", str(hall))
    assert nobody.exit_code == 1
    assert "no nobody.here" in nobody.output


def test_an_appointment_that_counts_no_more_is_shown_as_such(fresh_database, run):
    hall = people.hall()
    someone = people.somebody(people.staff(hall))
    run("appoint", "--username", username(someone), "--unit", str(hall))
    with fresh_database.owner() as connection:
        connection.execute(text("UPDATE accounts.account SET status = 'suspended'"))
    assert "VOID" in run("list").stdout


def test_nobody_but_the_owner_of_the_tables_appoints(fresh_database, run, monkeypatch):
    """What a stolen role of the application, or its URL, is worth."""
    hall = people.hall()
    name = username(people.somebody(people.staff(hall)))
    poor = replace(fresh_database.settings, database_owner_url=fresh_database.settings.database_url)
    monkeypatch.setattr(cli, "settings_of_run", lambda: poor)
    done = run("appoint", "--username", name, "--unit", str(hall))
    assert done.exit_code == 1
    assert "DATABASE_OWNER_URL" in done.output
    assert name not in run("list").stdout
