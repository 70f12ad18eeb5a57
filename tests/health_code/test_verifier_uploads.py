"""Scans that gates decided alone: the server's word counts, and a repeated upload changes nothing."""

from datetime import timedelta
from uuid import uuid4

import gate_world
import health_world
import people
import pytest
from family_world import Statements, rows, run
from inspector_world import ROOT, check, looks, offline, post, upload
from phone import said_by
from showing_world import credential, ready

from citizen_cloud import clock, db
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.services import snapshots
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Snapshot

NONCE = bytes(range(16))


@pytest.fixture
def gate():
    return post()


def items(client, who, *scans):
    return upload(client, who, *scans)["items"]


def outcomes(client, who, *scans):
    return [(one["outcome"], one["is_conflict"]) for one in items(client, who, *scans)]


def shown_at(phone, jws, ago, **facts):
    at = clock.now() - ago
    return offline(phone.show(jws, at), at=at, **facts)


def issued_earlier(jws, ago):
    """Let a code have been issued earlier, as its record and its text say; return the text."""
    said = said_by(jws)
    moved = {name: said[name] - int(ago.total_seconds()) for name in ("iat", "exp")}
    run(
        "UPDATE credentials.credential SET issued_at = issued_at - :ago, "
        "not_before = not_before - :ago, expires_at = expires_at - :ago WHERE jti = :jti",
        ago=ago,
        jti=gate_world.jti_of(jws),
    )
    kid = keys.names()[0]
    return gate_world.code("hc", kid=kid, key=keys.private_key(kid), said=said | moved)


def test_a_good_scan_stays_good_and_the_person_sees_it(client, gate):
    me, phone = ready(client)
    jws = issued_earlier(credential(client, me, phone), timedelta(hours=2))
    scan = shown_at(phone, jws, timedelta(hours=1), place_id=gate.place_id)
    answer = upload(client, gate.someone, scan)
    assert answer == {
        "items": [
            {
                "scan_id": scan["scan_id"],
                "outcome": "valid",
                "device_outcome": "valid",
                "is_conflict": False,
                "replayed": False,
                "problem": None,
            }
        ],
        "conflicts": 0,
    }
    assert looks(me.person_id) == [("health_code.verify", "consent", ["health"])]
    ((kept, said),) = rows("SELECT device_at::text, device_outcome FROM health_code.scan")
    assert (kept[:16], said) == (scan["scanned_at"][:16].replace("T", " "), "valid")


def test_an_upload_that_is_repeated_changes_nothing(client, gate):
    me, phone = ready(client)
    scans = [
        shown_at(phone, credential(client, me, phone), timedelta(seconds=1)),
        offline("CC1:ABC", said="malformed"),
    ]
    first = items(client, gate.someone, *scans)
    again = items(client, gate.someone, *reversed(scans))
    assert again == [{**one, "replayed": True} for one in reversed(first)]
    assert rows("SELECT count(*) FROM health_code.scan") == [(2,)]
    assert len(looks(me.person_id)) == 1


def test_what_was_revoked_before_the_scan_is_a_conflict_and_what_was_after_is_not(client, gate):
    me, phone = ready(client)
    jws = issued_earlier(credential(client, me, phone), timedelta(hours=3))
    early = shown_at(phone, jws, timedelta(hours=2))
    late = shown_at(phone, jws, timedelta(minutes=30))
    run(
        "UPDATE credentials.credential SET revoked_at = statement_timestamp() - interval '1 hour' "
        "WHERE jti = :jti",
        jti=gate_world.jti_of(jws),
    )
    answer = upload(client, gate.someone, early, late)
    assert [(one["outcome"], one["is_conflict"]) for one in answer["items"]] == [
        ("valid", False),
        ("revoked", True),
    ]
    assert answer["conflicts"] == 1
    assert rows("SELECT outcome FROM health_code.scan WHERE is_conflict") == [("revoked",)]


def test_a_gate_that_refused_is_no_conflict(client, gate):
    me, phone = ready(client)
    jws = credential(client, me, phone)
    run("UPDATE credentials.credential SET revoked_at = issued_at - interval '1 minute'")
    scan = shown_at(phone, jws, timedelta(seconds=1), said="revoked")
    assert outcomes(client, gate.someone, scan) == [("revoked", False)]


def test_one_showing_at_two_gates_is_found_at_the_second_upload(client, gate):
    """Offline nothing but a nonce helps against it; here it is seen, and kept."""
    me, phone = ready(client)
    jws = credential(client, me, phone)
    code = phone.show(jws, clock.now())
    assert outcomes(client, gate.someone, offline(code), offline(code)) == [
        ("valid", False),
        ("replayed", True),
    ]
    assert outcomes(client, post().someone, offline(code)) == [("replayed", True)]


def test_a_scan_that_was_answered_online_is_no_second_one(client, gate):
    me, phone = ready(client)
    code = phone.show(credential(client, me, phone), clock.now())
    assert check(client, gate.someone, code, scan_id="s-1")["outcome"] == "valid"
    (said,) = items(client, gate.someone, offline(code, scan_id="s-1"))
    assert (said["outcome"], said["replayed"]) == ("valid", True)


def test_a_row_with_a_problem_holds_no_other_up(client, gate):
    code = offline("CC1:ABC", scan_id="mine")
    other = post()
    said = items(
        client,
        gate.someone,
        code,
        offline("CC1:DEF", scan_id="mine"),
        offline("CC1:ABC", scan_id="mine"),
        offline("CC1:ABC", place_id=other.place_id),
        offline("CC1:ABC", place_id=uuid4()),
        offline("CC1:ABC", at=clock.now() - timedelta(days=22)),
        offline("CC1:XYZ"),
    )
    assert [one["problem"] for one in said] == [
        None, "scan_id_reused", None, "not_found", "not_found", "too_old", None,
    ]  # fmt: skip
    assert [one["replayed"] for one in said[:3]] == [False, False, True]
    assert rows("SELECT count(*) FROM health_code.scan") == [(2,)]
    assert items(client, gate.someone, offline("CC1:DEF", scan_id="mine"))[0]["problem"] == (
        "scan_id_reused"
    )


def test_a_gates_clock_from_the_future_prolongs_nothing(client, gate):
    me, phone = ready(client)
    jws = credential(client, me, phone)
    ahead = clock.now() + timedelta(minutes=10)
    scan = offline(phone.show(jws, ahead), at=ahead)
    assert outcomes(client, gate.someone, scan) == [("stale_proof", True)]


def test_the_nonce_and_the_place_of_the_gate_count_later_as_well(client, gate):
    me, phone = ready(client)
    strict = gate.place(needs_nonce=True, accepts_paper=False)
    jws, now = credential(client, me, phone), clock.now()
    bound = phone.show(jws, now, nonce=NONCE, place_id=strict)
    assert outcomes(
        client,
        gate.someone,
        offline(bound, place_id=strict),
        offline(bound, place_id=gate.place_id, nonce=NONCE),
        offline(bound, place_id=strict, nonce=NONCE),
    ) == [("wrong_nonce", True), ("wrong_venue", True), ("valid", False)]


def test_a_record_that_was_forgotten_raises_no_false_alarm(client, gate):
    kid = keys.names()[0]
    at = clock.now() - timedelta(days=5)
    me, phone = ready(client)
    jws = gate_world.code(
        "hc",
        kid=kid,
        key=keys.private_key(kid),
        iat=at - timedelta(hours=1),
        k=phone.fresh_key()["show_key"],
    )
    scan = offline(phone.show(jws, at), at=at)
    assert outcomes(client, gate.someone, scan) == [("not_found", True)]
    assert rows(
        "SELECT count(*) FROM audit.entry WHERE action = 'health_code.signed_but_not_issued'"
    ) == [(0,)]
    assert me.person_id is not None


def of_another_key():
    return gate_world.paper(kid="c.k9", key=gate_world.SECOND_KEY)


def test_five_hundred_scans_cost_as_many_statements_as_one(client, gate, database):
    me, phone = ready(client)
    one = shown_at(phone, credential(client, me, phone), timedelta(seconds=1))
    with Statements(database.connection) as few:
        assert outcomes(client, gate.someone, one) == [("valid", False)]
    many = [offline(of_another_key(), said="unknown_issuer") for _ in range(499)]
    many.append(shown_at(phone, credential(client, me, phone), timedelta(seconds=1)))
    with Statements(database.connection) as seen:
        assert len(outcomes(client, gate.someone, *many)) == 500
    assert len(seen) == len(few), seen
    body = {"scans": [*many, one]}
    assert client.post(f"{ROOT}/batch", headers=gate.someone.headers, json=body).status_code == 422


@pytest.mark.parametrize("who", [people.citizen, people.auditor, people.admin])
def test_nobody_but_inspectors_uploads(client, who):
    body = {"scans": [offline("CC1:ABC")]}
    answer = client.post(f"{ROOT}/batch", headers=who().headers, json=body)
    assert answer.status_code == 403


def test_a_gate_that_went_by_the_published_snapshot_says_what_the_server_says(client, gate):
    """The two verifiers side by side, on what the doors give out."""
    me, phone = ready(client, "yellow")
    jws = credential(client, me, phone)
    with db.transaction() as session:
        text = snapshots.publish(session).text
    alone = OfflineVerifier(Snapshot.read(text, keys.roots()), Gate())
    now = clock.now()
    verdict = alone.check(phone.show(jws, now), now=now)
    said = check(client, gate.someone, phone.show(jws, now))
    assert (verdict.outcome, verdict.colour) == (said["outcome"], said["colour"])
    health_world.say(health_world.reported(me.person_id))
    assert check(client, gate.someone, phone.show(jws, now))["outcome"] == "revoked"
