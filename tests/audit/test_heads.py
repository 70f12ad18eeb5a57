import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.audit.services import Act, note_head, record, seal
from citizen_cloud.cli.audit import command
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.statements import StatementInvalid
from citizen_cloud.portal import heads
from citizen_cloud.portal.jobs import publish_head

PATH = "/api/v1/open/audit/heads"


def grow(count=3):
    for _ in range(count):
        with db.transaction() as session:
            record(
                session,
                Act(
                    actor_kind="admin",
                    actor_id=None,
                    action="module.off",
                    object_type="module",
                    object_id=None,
                ),
            )
    with db.transaction() as session:
        seal(session)


@pytest.fixture
def chain(shared_app, fresh_database, tmp_path):
    file = tmp_path / "heads"
    heads.configure(replace(fresh_database.settings, audit_heads_file=file))
    yield fresh_database, file
    heads.configure(fresh_database.settings)


def test_an_empty_chain_has_no_head(shared_app, chain):
    assert shared_app.test_client().get(PATH).json == {"items": [], "next_cursor": None}
    assert publish_head(None) == 0


def test_the_present_head_stands_first_and_each_day_keeps_its_last(shared_app, chain):
    database, file = chain
    for day in (3, 2, 1):
        for _ in range(2):
            grow()
            assert publish_head(None) == 1
        with database.owner() as owner:
            owner.execute(
                text(
                    "UPDATE audit.head SET day_on = day_on - cast(:d AS int) WHERE day_on >= "
                    "(statement_timestamp() AT TIME ZONE 'Asia/Shanghai')::date"
                ),
                {"d": day},
            )
    grow()
    client = shared_app.test_client()
    items = client.get(PATH).json["items"]
    assert [item["number"] for item in items] == [21, 18, 12, 6]
    seen, query = [], "?limit=1"
    while query:
        answer = client.get(PATH + query).json
        seen += answer["items"]
        query = answer["next_cursor"] and f"?limit=1&cursor={answer['next_cursor']}"
    assert seen == items
    known = keys.public_keys()
    signed = heads.read([json.dumps({"items": items})], keys=known)
    assert {number: said.hex() for number, said in signed.items()} == {
        item["number"]: item["hash"] for item in items
    }
    kept = heads.read(file.read_text().splitlines(keepends=True), keys=known)
    assert sorted(kept) == [3, 6, 9, 12, 15, 18]


def test_a_head_that_was_changed_is_no_head_of_ours(chain):
    grow()
    publish_head(None)
    _, file = chain
    header, claims, signature = file.read_text().strip().split(".")
    for forged in (f"{header}.{claims[:-4]}AAAA.{signature}", "not.a.jws", "{}"):
        with pytest.raises(StatementInvalid):
            heads.read([forged], keys=keys.public_keys())


def run(database, monkeypatch, *arguments):
    monkeypatch.setattr("citizen_cloud.cli.audit.settings", lambda: database.settings)
    return CliRunner().invoke(command, arguments)


def test_the_command_publishes_verifies_and_names_what_the_heads_show(chain, monkeypatch):
    database, _ = chain
    file = database.settings.sms_log.with_name("kept")
    database = replace(database, settings=replace(database.settings, audit_heads_file=file))
    grow(9)
    assert run(database, monkeypatch, "publish").output.startswith("9 ")
    answer = run(database, monkeypatch, "verify", "--heads", str(file), "--progress")
    assert (answer.exit_code, answer.output) == (0, "9 links verified, 0 redacted, 0 findings\n")
    with database.owner() as owner:
        owner.execute(text("DELETE FROM audit.head"))
        owner.execute(
            text(
                "DELETE FROM audit.entry WHERE id IN "
                "(SELECT entry_id FROM audit.seal WHERE number > 6)"
            )
        )
        owner.execute(text("DELETE FROM audit.seal WHERE number > 6"))
    assert run(database, monkeypatch, "verify").exit_code == 0
    answer = run(database, monkeypatch, "verify", "--heads", str(file))
    assert answer.exit_code == 1
    assert answer.output.startswith("no. 7 to 9: truncated")
    file.write_text("nothing")
    assert run(database, monkeypatch, "verify", "--heads", str(file)).exit_code == 1


def test_what_is_no_statement_of_a_head_is_not_taken_for_one(chain):
    grow()
    with db.transaction() as session:
        head = note_head(session)
    other = heads.statements.sign({"number": head.number, "hash": ""}, type="another")
    with pytest.raises(StatementInvalid):
        heads.read([other], keys=keys.public_keys())
