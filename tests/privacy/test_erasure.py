"""After an erasure nothing tells who it was: no table, no file, no log. The certificate says so."""

import json
from dataclasses import replace

import canary
import people
import pytest
from click.testing import CliRunner
from joserfc import jws
from joserfc.jwk import OKPKey
from sqlalchemy import text
from structlog.testing import capture_logs

from citizen_cloud import db
from citizen_cloud.audit.contribution import seal_entries
from citizen_cloud.audit.services import verify
from citizen_cloud.booking.auditor import differences
from citizen_cloud.cli import privacy as cli
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.compact import unpack
from citizen_cloud.credentials.statements import StatementInvalid
from citizen_cloud.privacy import jobs, owners
from citizen_cloud.privacy.services import erasure
from citizen_cloud.privacy.services.certificates import read_certificate


def scalar(sql, **facts):
    with db.transaction() as session:
        return session.scalar(text(sql), facts)


def test_the_search_finds_the_canary_before_it_is_erased(me):
    """The control: sealed and plain, in tables and in the file of texts."""
    places = canary.found(me.values)
    assert {
        "accounts.person.name_sealed",
        "accounts.person.document_sealed",
        "accounts.account.phone_sealed",
        "accounts.device.name_sealed",
        "counter.case.asked_sealed",
        "counter.case.evidence_sealed",
        "families.link.evidence_sealed",
        "families.link.name_sealed",
        "federation.attempt.secret_sealed",
        "federation.identity.subject_sealed",
        "booking.booking.cancel_reason",
        "booking.booking.request_key",
        "privacy.export.bundle_sealed",
    } <= places
    assert me.phone in me.sms.read_text()


def test_nothing_in_any_table_file_or_log_tells_who_it_was(me, capfd):
    me.code()
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
    # One code is still on its way when the account is closed.
    me.send("POST", "/auth/otp", {"phone": me.phone}, status=202, headers={})
    with capture_logs() as lines:
        canary.close(me)
    assert canary.found(me.values) == set()
    assert me.phone not in me.sms.read_text()
    said = capfd.readouterr()
    # Before names are blanked by the log itself.
    assert not [value for value in me.values if value in f"{lines}{said.err}{said.out}"]


def test_no_row_leads_from_a_phone_or_a_document_to_what_is_left(me):
    rings = canary.crypto.current()
    blind = [
        rings.lookup("phone", "+86" + me.phone),
        *rings.lookups_of("document:resident_id", me.number),
    ]
    key = rings.person_key("resident_id", me.number)
    assert {"accounts.account", "accounts.person", "families.link"} <= _holding([*blind, key])
    canary.close(me)
    # Only what keeps a second quota away.
    assert _holding([*blind, key]) == {"booking.booking", "booking.allowance"}


def _holding(values):
    return {
        table.fullname
        for table, row in canary.every_row()
        for value in row.values()
        if isinstance(value, bytes) and value in values
    }


def test_places_ahead_are_free_again_and_their_code_is_dead(client, me):
    ahead, redeemed = me.bookings["ahead"], me.bookings["redeemed"]
    canary.close(me)
    taken = "SELECT taken FROM booking.slot WHERE id = :id"
    assert scalar(taken, id=ahead["slot"]["id"]) == 0
    assert scalar(taken, id=redeemed["slot"]["id"]) == 2
    status = "SELECT status FROM booking.booking WHERE id = :id"
    assert scalar(status, id=ahead["id"]) == "cancelled"
    assert scalar(status, id=redeemed["id"]) == "fulfilled"
    people.begin_window(ahead["slot"]["id"])
    shown = client.post(
        "/api/v1/masks/staff/redemptions",
        json={"code": me.code_shown},
        headers=me.clerk.headers,
    )
    assert (shown.status_code, shown.json["code"]) == (409, "credential_revoked")
    assert list(_differences()) == []


def _differences():
    with db.statement() as connection:
        return differences(connection)


def test_who_comes_back_is_somebody_new_without_a_second_quota(client, me):
    before = me.account_id, me.person_id
    campaign = scalar("SELECT campaign_id FROM masks.offer LIMIT 1")
    canary.close(me)
    me.device = {}
    me.sign_in()
    me.prove()
    assert not {me.account_id, me.person_id} & set(before)
    assert me.send("GET", "/me/bookings").json["items"] == []
    assert me.send("GET", "/me/data-access").json["items"] == []
    offer = people.offer(campaign_id=campaign, organisation_id=me.outlet, day=5)
    # Two were collected of nine: eight are one too many.
    refused = me.send(
        "POST", f"/masks/offers/{offer}/bookings", {"quantity": 8}, key="again-1", status=409
    )
    assert (refused.json["code"], refused.json["used"]) == ("limit_reached", 2)
    me.send("POST", f"/masks/offers/{offer}/bookings", {"quantity": 7}, key="again-2", status=201)


def test_old_tokens_open_nothing_and_the_phone_starts_anew(client, me):
    canary.close(me)
    me.send("GET", "/me", status=401)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_the_certificate_names_what_went_and_what_stays_and_nobody(client, me):
    asked = canary.close(me)
    answer = canary.certificate(client, asked)
    assert (answer.status_code, answer.json["status"]) == (200, "closed")
    signed = answer.json["certificate"]
    key_set = client.get("/.well-known/credential-keys.json").json
    # Another library than the one that signed.
    key = OKPKey.import_key(key_set["keys"][0])
    opened = jws.deserialize_compact(signed, key, algorithms=["EdDSA"])
    assert opened.headers() == {
        "alg": "EdDSA",
        "kid": key_set["keys"][0]["kid"],
        "typ": "erasure-certificate+jwt",
    }
    claims = json.loads(opened.payload)
    assert claims["jti"] == asked["id"]
    rows = {part["owner"]: part["rows"] for part in claims["erased"]}
    assert rows.keys() == {owner.name for owner in owners.current().owners}
    for owner in ("accounts", "booking", "masks", "messages", "privacy", "web"):
        assert rows[owner] > 0, owner
    assert claims["bookings_released"] == 1
    assert {part["owner"] for part in claims["kept"]} >= {"accounts", "audit", "booking", "masks"}
    for value in (*me.values, me.account_id, me.person_id):
        assert value not in json.dumps(claims, ensure_ascii=False)


def test_a_wrong_secret_and_an_unknown_closure_look_the_same(client, me):
    asked = canary.close(me)
    wrong = canary.certificate(client, {**asked, "secret": "x" * 43})
    absent = canary.certificate(client, {**asked, "id": me.account_id})
    assert wrong.status_code == absent.status_code == 404
    assert wrong.json["code"] == absent.json["code"] == "not_found"
    assert scalar("SELECT count(*) FROM privacy.closure WHERE account_id IS NULL") == 1


def test_a_certificate_is_kept_for_three_years(client, me):
    asked = canary.close(me)
    with db.transaction() as session:
        moved = "UPDATE privacy.closure SET ended_at = ended_at - cast(:by AS interval)"
        session.execute(text(moved), {"by": "1094 days"})
    jobs.forget_old(None)
    assert canary.certificate(client, asked).status_code == 200
    with db.transaction() as session:
        session.execute(text(moved), {"by": "2 days"})
    jobs.forget_old(None)
    assert canary.certificate(client, asked).status_code == 404


@pytest.fixture
def files(client, me, tmp_path):
    signed = canary.certificate(client, canary.close(me)).json["certificate"]
    key_set = tmp_path / "keys.json"
    key_set.write_bytes(client.get("/.well-known/credential-keys.json").data)
    file = tmp_path / "certificate.jws"
    file.write_text(signed + "\n")
    return file, key_set


def verified(file, key_set):
    return CliRunner().invoke(
        cli.command, ["verify-certificate", str(file), "--keys", str(key_set)]
    )


def test_the_command_verifies_a_certificate_with_nothing_but_the_key_set(files):
    done = verified(*files)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["iss"] == "citizen-cloud"


@pytest.mark.parametrize(
    "tampered",
    [
        lambda text: text[:60] + ("A" if text[60] != "A" else "B") + text[61:],
        lambda text: "e30." + text.split(".", 1)[1],
        lambda _: "not a certificate",
        lambda text: text.rsplit(".", 1)[0] + ".",
    ],
)
def test_the_command_refuses_what_was_tampered_with(files, tampered):
    file, key_set = files
    file.write_text(tampered(file.read_text().strip()))
    done = verified(file, key_set)
    assert (done.exit_code, done.output.startswith("not genuine")) == (1, True), done.output


def test_the_command_refuses_another_key_set(files):
    file, key_set = files
    key_set.write_text('{"keys": []}')
    assert verified(file, key_set).exit_code == 1


def test_a_code_is_no_certificate(client, me):
    with pytest.raises(StatementInvalid, match="another type"):
        read_certificate(unpack(me.code_shown), keys=keys.public_keys())


def _begun(me):
    """Return a closure whose account is shut and waits for its erasure."""
    asked = me.send("POST", "/me/closure", status=202).json
    canary.pass_time(asked["id"])
    assert jobs.carry_out_closures(None) == 0
    return asked


def test_a_crash_between_the_steps_costs_a_minute_and_nothing_else(me, monkeypatch):
    asked = _begun(me)
    canary.pass_time(asked["id"])
    with monkeypatch.context() as broken:
        broken.setattr(erasure, "certificate", lambda *_, **__: 1 / 0)
        assert jobs.carry_out_closures(None) == 0
    # The places are free, and nothing is erased yet: all of it or none.
    assert scalar("SELECT status FROM privacy.closure WHERE id = :id", id=asked["id"]) == "closing"
    assert "accounts.person.name_sealed" in canary.found(me.values)
    assert jobs.carry_out_closures(None) == 1
    canary.work()
    assert canary.found(me.values) == set()
    assert jobs.carry_out_closures(None) == 0


def test_whoever_was_let_in_before_has_finished_when_the_erasure_begins(me):
    """The account is shut first, and rests longer than any request."""
    _begun(me)
    me.send("GET", "/me", status=401)
    challenge, code = me.code()
    body = {"grant_type": "otp", "challenge_id": challenge, "code": code}
    assert me.send("POST", "/auth/token", body, headers={}, status=403).json["code"] == (
        "account_suspended"
    )
    assert jobs.carry_out_closures(None) == 0
    assert scalar("SELECT count(*) FROM privacy.closure WHERE status = 'closed'") == 0


def test_a_booking_that_came_in_late_is_given_back_before_anything_is_erased(me):
    asked = _begun(me)
    canary.pass_time(asked["id"])
    with db.transaction() as session:
        found = owners.current()
        assert not erasure.finish(session, closure_id=asked["id"], owners=found)
    assert jobs.carry_out_closures(None) == 1


def test_whoever_finds_rows_by_what_the_accounts_hold_is_erased_before_them():
    names = [owner.name for owner in owners.current().owners]
    accounts = names.index("accounts")
    for above in ("organisations", "messages", "families", "federation", "counter", "oidc"):
        assert names.index(above) > accounts, above
    assert names.index("masks") > names.index("booking") > accounts


def test_nobody_is_erased_while_a_service_stands_aside(me, monkeypatch):
    asked = _begun(me)
    canary.pass_time(asked["id"])
    without = replace(owners.current(), absent={"masks": "ImportError"})
    with monkeypatch.context() as aside:
        aside.setattr(owners, "current", lambda: without)
        assert jobs.carry_out_closures(None) == 0
    assert jobs.carry_out_closures(None) == 1


def test_the_audit_chain_is_whole_after_an_erasure_and_names_nobody(me):
    seal_entries(None)
    canary.close(me)
    seal_entries(None)
    with db.transaction() as session:
        assert verify(session) == []
    acts = scalar("SELECT count(*) FROM audit.entry WHERE action = 'privacy.erased'")
    assert acts == 1


def test_news_that_comes_after_an_erasure_reaches_nobody(me):
    canary.close(me)
    assert (
        scalar("SELECT count(*) FROM messages.message WHERE account_id = :a", a=me.account_id) == 0
    )
    cancelled = "SELECT outcome FROM jobs.outbox WHERE event = 'booking.cancelled' ORDER BY id DESC"
    assert scalar(cancelled) == "delivered"
