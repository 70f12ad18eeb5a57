"""After a key was revoked: every living code anew, once each, whatever stops it in the middle."""

import os
import signal
import subprocess
import sys

from click.testing import CliRunner
from live import environment
from reissue_world import VOUCHERS, revoke, run
from sqlalchemy import text

from citizen_cloud import crypto
from citizen_cloud.cli import credentials as reissue_cli
from citizen_cloud.cli import keys as keys_cli

LIVING = """
    SELECT type, subject_id FROM credentials.credential
     WHERE revoked_at IS NULL AND kid = '{kid}' ORDER BY type, jti
"""


def test_everything_is_issued_anew_once_although_it_is_killed_in_the_middle(town):
    revoke()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "citizen_cloud.cli", "credentials", "reissue", "--batch", "2"],
        env={**environment(town.settings), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [process.stdout.readline() for _ in range(4)]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert lines[0].startswith(f"{VOUCHERS + 2} living codes of c.k1")
    assert lines[-1].startswith(f"6 of {VOUCHERS + 2}")
    before = len(town.rows(LIVING.format(kid="c.k2")))
    assert 6 <= before < VOUCHERS + 2
    output = run(reissue_cli.command, "reissue", "--kid", "c.k1", "--batch", "7")
    assert output.endswith(f"{VOUCHERS + 2 - before} codes issued anew, none left\n")
    living = town.rows(LIVING.format(kid="c.k2"))
    assert len(living) == VOUCHERS + 2
    assert {row.subject_id for row in living} >= {*town.subjects, town.someone.person_id}
    assert town.rows(LIVING.format(kid="c.k1")) == []
    told = town.rows("SELECT payload FROM jobs.outbox WHERE event = 'credentials.reissued'")
    assert len(told) == len({row.payload["subject_id"] for row in told}) == VOUCHERS + 2
    assert "0 codes issued anew" in run(reissue_cli.command, "reissue")


def test_the_phone_goes_on_with_its_show_key_and_a_suspended_paper_stays_suspended(town):
    revoke()
    run(reissue_cli.command, "reissue")
    with town.fresh.database.transaction() as session:
        again = town.show(session)
        row = session.execute(
            text(
                "SELECT suspended_at, jti, kid FROM credentials.credential "
                "WHERE type = 'hp' AND revoked_at IS NULL"
            )
        ).one()
        name = session.scalars(
            text("SELECT name_sealed FROM credentials.credential WHERE jti = :jti"),
            {"jti": row.jti},
        ).one()
    assert again.jti != town.held.jti
    assert again.expires_at == town.held.expires_at
    assert (row.suspended_at is not None, row.kid) == (True, "c.k2")
    place = f"credentials.credential:name:{row.jti}"
    assert crypto.current().open(name, place=place) == "王*"


def test_the_operator_is_told_what_is_left_and_what_is_wrong(town):
    refused = CliRunner().invoke(reissue_cli.command, ["reissue"])
    assert (refused.exit_code, "no key of codes is revoked" in refused.output) == (1, True)
    unknown = CliRunner().invoke(keys_cli.command, ["revoke", "c.k9", "--reason", "lost"])
    assert (unknown.exit_code, "c.k1" in unknown.output) == (1, True)
    assert f"{VOUCHERS + 2} living codes to issue anew" in revoke()
    assert "was revoked before" in revoke()
    run(keys_cli.command, "revoke", "c.k2", "--reason", "lost")
    stuck = CliRunner().invoke(reissue_cli.command, ["reissue"])
    assert (stuck.exit_code, "no key is left that signs" in stuck.output) == (1, True)
    wrong = CliRunner().invoke(reissue_cli.command, ["reissue", "--kid", "c.k3"])
    assert "c.k3 is not revoked" in wrong.output
