"""A bundle holds every row about a person; a table without a row of the canary fails too."""

import json

import canary
import pytest
from personal_tables import covered_tables
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.db import Base
from citizen_cloud.manifest import Subject
from citizen_cloud.portal.state import HOST
from citizen_cloud.privacy import owners
from citizen_cloud.privacy.services import exports

# What only staff have; the clerk who served the canary has it.
STAFFS = {"organisations.membership"}.union(*(getattr(p, "STAFFS", ()) for p in canary.parts))
# Keys by which a row is found and which tell its person nothing.
HIDDEN = {("booking.allowance", "person_key"), ("accounts.otp_day", "allowance")}.union(
    *(getattr(p, "HIDDEN", ()) for p in canary.parts)
)


def bundle(client, me):
    me.send("POST", "/me/export", status=202)
    canary.privacy_jobs.build_exports(None)
    latest = me.send("GET", "/me/exports").json["items"][0]
    answer = me.send("GET", f"/me/exports/{latest['id']}")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json


def keys_of(account_id, person_id=None):
    """Return everything by which rows of somebody can be told, as text."""
    rings = crypto.current()
    with db.transaction() as session:
        asked = {"a": account_id, "p": person_id}
        devices = session.scalars(
            text("SELECT id FROM accounts.device WHERE account_id = :a"), asked
        )
        bookings = session.scalars(
            text("SELECT id FROM booking.booking WHERE person_id = :p"), asked
        )
        binary = session.execute(
            text(
                "SELECT a.phone_index, p.person_key FROM accounts.account a "
                "LEFT JOIN accounts.person p ON p.id = a.person_id WHERE a.id = :a"
            ),
            asked,
        ).one()
        notes = session.scalars(
            text("SELECT dedupe_key FROM messages.message WHERE account_id = :a"), asked
        )
        found = [account_id, person_id, *devices, *bookings, *notes]
        allowances = [rings.lookup("otp.device", str(each)) for each in found[2:]]
    return {str(each) for each in found if each} | {
        bytes(each).hex() for each in (*binary, *allowances) if each
    }


def rows_of(table, keys):
    """Return the rows of a table that one of the keys leads to."""
    with db.transaction() as session:
        rows = session.execute(Base.metadata.tables[table].select()).mappings().all()
    return [row for row in rows if any(key in written(row) for key in keys)]


def written(row):
    return " ".join(
        bytes(value).hex()
        if isinstance(value, bytes | memoryview)
        else json.dumps(value, default=str)
        for value in row.values()
    )


def missing(table, row, shown):
    """Return the parts of a row's primary key that the bundle does not show."""
    columns = Base.metadata.tables[table].primary_key.columns
    values = {
        column.name: row[column.name] for column in columns if (table, column.name) not in HIDDEN
    }
    texts = {
        name: bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
        for name, value in values.items()
    }
    return [name for name, value in texts.items() if value not in shown]


def test_the_bundle_holds_every_row_of_every_covered_table(client, shared_app, me):
    host = shared_app.extensions[HOST]
    mine = json.dumps(bundle(client, me)["data"], ensure_ascii=False)
    # The bundle itself came after the rows it holds.
    clerks = json.dumps(clerk_data(me), ensure_ascii=False, default=str)
    faults = []
    for table in sorted(covered_tables((*host.contributions, *host.modules.values()))):
        is_staffs = table in STAFFS
        who = (me.clerk.account_id,) if is_staffs else (me.account_id, me.person_id)
        rows = rows_before_bundle(table, keys_of(*who))
        if not rows:
            faults.append(f"the canary has no row in {table}")
        shown = clerks if is_staffs else mine
        faults += [f"{table} {row}: {gone}" for row in rows if (gone := missing(table, row, shown))]
    assert faults == []


def rows_before_bundle(table, keys):
    """Leave out what the making of this bundle wrote: its message, its news, its audit entries."""
    with db.transaction() as session:
        asked_at = session.scalar(text("SELECT max(requested_at) FROM privacy.export"))
    times = ("requested_at", "created_at", "at")
    return [
        row
        for row in rows_of(table, keys)
        if table == "privacy.export" or not any(row.get(t) and row[t] > asked_at for t in times)
    ]


def clerk_data(me):
    with db.transaction() as session:
        subject = Subject(account_id=me.clerk.account_id)
        return {o.name: o.data.export(session, subject) for o in owners.current().owners}


def test_the_check_notices_an_owner_that_forgets_a_table(client, me):
    """The control: without its part the rows are missed."""
    data = bundle(client, me)["data"]
    del data["masks"]
    shown = json.dumps(data)
    (row, *_) = rows_of("masks.redemption", keys_of(me.account_id, me.person_id))
    assert missing("masks.redemption", row, shown) == ["id"]


def test_the_bundle_is_opened_for_its_owner_and_says_what_each_part_is(client, me):
    found = bundle(client, me)
    person = found["data"]["accounts"]["persons"][0]
    assert (person["name"], person["document_number"]) == (canary.NAME, me.number)
    assert found["data"]["accounts"]["accounts"][0]["phone"] == "+86" + me.phone
    assert {part["owner"] for part in found["manifest"]} == set(found["data"])
    for part in found["manifest"]:
        assert part["purpose"]["zh"]
        assert part["legal_basis"]["en"]
        assert part["retention_days"] > 0
    assert found["not_included"] == []


def test_a_service_that_stands_aside_is_named_in_the_bundle(me, monkeypatch):
    present = owners.current()
    without = owners.Owners(
        owners=tuple(o for o in present.owners if o.name != "masks"),
        absent={"masks": "ImportError"},
    )
    monkeypatch.setattr(owners, "current", lambda: without)
    me.send("POST", "/me/export", status=202)
    canary.privacy_jobs.build_exports(None)
    latest = me.send("GET", "/me/exports").json["items"][0]
    found = me.send("GET", f"/me/exports/{latest['id']}").json
    assert found["not_included"] == [{"owner": "masks", "reason": "unavailable"}]
    assert "masks" not in found["data"]


def test_the_bundle_lies_sealed_and_is_gone_after_its_week(me):
    latest = me.send("GET", "/me/exports").json["items"][0]
    with db.transaction() as session:
        stored = session.scalar(text("SELECT bundle_sealed FROM privacy.export"))
        assert canary.NAME.encode() not in bytes(stored)
        session.execute(text("UPDATE privacy.export SET expires_at = statement_timestamp()"))
    me.send("GET", f"/me/exports/{latest['id']}", status=404)
    assert me.send("GET", "/me/exports").json["items"] == []
    assert canary.privacy_jobs.forget_old(None) == 1


def test_who_finds_an_unlocked_phone_reads_no_document_from_the_bundle(me):
    latest = me.send("GET", "/me/exports").json["items"][0]
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.device SET proven_at = now() - interval '6 min'"))
    answer = me.send("GET", f"/me/exports/{latest['id']}", status=401)
    assert answer.json["actions"][0]["action"] == "prove_real_name"


def test_one_bundle_at_a_time_and_not_before_it_is_made(me):
    first = me.send("POST", "/me/export", status=202)
    assert me.send("POST", "/me/export", status=409).json["code"] == "export_in_progress"
    waiting = me.send("GET", first.headers["Location"].removeprefix("/api/v1"), status=409)
    assert waiting.json["code"] == "export_not_ready"


@pytest.mark.parametrize(("method", "path"), [("POST", "/me/export"), ("POST", "/me/closure")])
def test_an_old_sign_in_has_to_show_its_factors_again(me, method, path):
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.sign_in SET proved_at = proved_at - interval '1 hour'")
        )
    refused = me.send(method, path, status=401)
    assert (refused.json["code"], refused.json["max_age_s"]) == ("step_up_required", 300)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/me/export"), ("GET", "/me/exports"), ("POST", "/me/closure")]
)
def test_the_next_holder_of_the_phone_takes_nothing_and_closes_nothing(me, method, path):
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.device SET proven_at = NULL"))
    refused = me.send(method, path, status=401)
    assert (refused.json["code"], refused.json["required_level"]) == ("step_up_required", 2)


def test_a_bundle_that_cannot_be_made_keeps_no_other_waiting(me, monkeypatch):
    real = exports.build
    me.send("POST", "/me/export", status=202)
    with db.transaction() as session:
        other = exports.request_export(session, account_id=me.clerk.account_id, kind="staff")

    def build(session, *, export_id, **facts):
        if export_id != other["id"]:
            raise ValueError
        return real(session, export_id=export_id, **facts)

    monkeypatch.setattr(exports, "build", build)
    assert canary.privacy_jobs.build_exports(None) == 1
