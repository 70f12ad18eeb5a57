"""What verifiers are told: one signed snapshot, and keys that count no more."""

import secrets
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from citizen_cloud.credentials import compact, keys, queries, services, statements, verifier
from citizen_cloud.credentials.jobs import publish_snapshot
from citizen_cloud.credentials.refusals import CredentialRevoked
from citizen_cloud.credentials.services import snapshots
from citizen_cloud.credentials.services.revoking import KeyUnknown, revoke_key
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.credentials.verifier import Snapshot, SnapshotInvalid, reading
from citizen_cloud.db import new_id
from citizen_cloud.errors import Unavailable

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SNAPSHOT, ROOTS = "/.well-known/credential-snapshot.jwt", "/.well-known/credential-roots.json"
KEYS = "/.well-known/credential-keys.json"


def held(session, *, holder_id=None, kind="hc", now=NOW):
    show_key = b"\x02" + secrets.token_bytes(32)
    return services.issue_held(
        session,
        type=kind,
        holder_id=holder_id or new_id(),
        colour="green",
        expires_at=None,
        now=now,
        name="王*" if kind == "hp" else None,
        show_key=show_key if kind == "hc" else None,
    )


def voucher(session, subject_id, now=NOW):
    times = {"not_before": NOW, "expires_at": NOW + timedelta(hours=4)}
    return services.issue(session, type="voucher", subject_id=subject_id, now=now, **times)


def verify(session, code):
    return services.verify(session, code=code.text, type="voucher", now=NOW)


def read(published):
    return Snapshot.read(published.text, keys.roots())


def revoke(session, kid="c.k1", reason="compromised"):
    return revoke_key(session, kid=kid, reason=reason, by="tester", now=NOW)


def kid_of(code):
    return reading.header_of(compact.unpack(code.text))["kid"]


def test_a_snapshot_lists_what_is_revoked_or_suspended_and_not_over(session):
    child = new_id()
    good, ended, paper, old = (
        held(session),
        held(session, holder_id=child),
        held(session, kind="hp"),
        held(session, now=NOW - timedelta(days=2)),
    )
    services.revoke_held(session, holders=[child], types=["hc"], now=NOW)
    session.execute(
        text("UPDATE credentials.credential SET suspended_at = :now WHERE jti = :jti"),
        {"jti": paper.jti, "now": NOW},
    )
    session.execute(
        text("UPDATE credentials.credential SET revoked_at = :now WHERE jti = :jti"),
        {"jti": old.jti, "now": NOW},
    )
    snapshot = read(publish(session, now=NOW))
    said = [snapshot.is_void(code.jti) for code in (good, ended, paper, old)]
    assert said == [False, True, True, False]
    assert (snapshot.issued_at, snapshot.fresh_until) == (NOW, NOW + timedelta(minutes=10))
    assert snapshot.keys.keys() == {"c.k1"}


def test_a_lifted_paper_is_not_void_any_more(session):
    holder_id = new_id()
    paper = held(session, kind="hp", holder_id=holder_id)
    facts = {"holders": [holder_id], "types": ["hp"], "now": NOW}
    services.suspend_held(session, colour="red", **facts)
    assert read(publish(session, now=NOW)).is_void(paper.jti)
    services.lift_held(session, colour="green", **facts)
    assert not read(publish(session, now=NOW)).is_void(paper.jti)


def test_numbers_rise_within_a_second_and_above_those_of_an_older_backup(session):
    first, second = publish(session, now=NOW), publish(session, now=NOW)
    assert second.number == first.number + 1
    session.execute(text("DELETE FROM credentials.snapshot"))
    assert publish(session, now=NOW + timedelta(minutes=1)).number > second.number


def test_only_the_last_snapshots_are_kept(session):
    for _ in range(6):
        last = publish(session, now=NOW)
    numbers = session.scalars(text("SELECT number FROM credentials.snapshot ORDER BY 1")).all()
    assert numbers[-1] == last.number
    assert len(numbers) <= 4


def test_publishers_at_once_give_each_a_number_of_its_own(fresh_database):
    numbers = []

    def work():
        with fresh_database.database.transaction() as session:
            numbers.append(publish(session).number)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 6


def test_keys_of_trust_sign_no_code_and_keys_of_codes_no_snapshot(session, ring):
    made = publish(session, now=NOW)
    with pytest.raises(SnapshotInvalid):
        Snapshot.read(made.text, keys.public_keys())
    assert not set(keys.roots()) & set(keys.public_keys())
    ring.trust("k2", "k1")
    assert Snapshot.read(publish(session, now=NOW).text, keys.roots()).number > made.number
    assert Snapshot.read(made.text, keys.roots()).number == made.number


def test_a_revoked_key_is_refused_at_once_and_the_next_fetch_brings_another_code(session, ring):
    subject_id = new_id()
    code = voucher(session, subject_id)
    ring.codes("k1", "k2")
    assert revoke(session)
    with pytest.raises(CredentialRevoked):
        verify(session, code)
    anew = voucher(session, subject_id, now=NOW + timedelta(seconds=1))
    assert (kid_of(code), kid_of(anew)) == ("c.k1", "c.k2")
    assert (
        services.verify(
            session, code=anew.text, type="voucher", now=NOW + timedelta(seconds=1)
        ).subject_id
        == subject_id
    )


def test_what_a_thief_signs_with_a_revoked_key_is_refused_and_still_an_alarm(session):
    code = voucher(session, new_id())
    session.execute(text("DELETE FROM credentials.credential"))
    revoke(session)
    with structlog.testing.capture_logs() as logs, pytest.raises(CredentialRevoked):
        verify(session, code)
    assert [entry["event"] for entry in logs] == ["signed_but_not_issued"]


def test_where_every_key_is_revoked_nothing_is_signed(session):
    subject_id = new_id()
    voucher(session, subject_id)
    revoke(session)
    with pytest.raises(Unavailable):
        voucher(session, subject_id)
    with pytest.raises(Unavailable):
        voucher(session, new_id())


def test_a_revocation_is_published_with_it_and_written_down(session, ring):
    ended = held(session)
    services.revoke_held(session, holders=[new_id()], types=["hc"], now=NOW)
    ring.codes("k1", "k2")
    revoke(session)
    row = session.execute(queries._NEWEST, {"held": -1}).mappings().one()
    snapshot = read(queries.Published(**row))
    assert snapshot.keys.keys() == {"c.k2"}
    assert snapshot.revoked_keys["c.k1"].reason == "compromised"
    # The revocation says it of all of them; the list holds none of them.
    assert not snapshot.is_void(ended.jti)
    assert snapshot.void == b""
    acts = text("SELECT payload FROM audit.entry WHERE action = 'credentials.key_revoked'")
    assert session.scalars(acts).all() == [{"kid": "c.k1", "reason": "compromised", "by": "tester"}]


def test_a_revocation_happens_once_and_never_to_a_key_nobody_knows(session):
    assert revoke(session)
    assert not revoke(session, reason="lost")
    for kid in ("k1", "c.k9", "t.k1"):
        with pytest.raises(KeyUnknown):
            revoke(session, kid)


def test_the_doors_serve_the_snapshot_and_the_keys_that_count(client, session, ring):
    publish_snapshot(NOW)
    answer = client.get(SNAPSHOT)
    assert (answer.status_code, answer.mimetype) == (200, "application/jwt")
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    roots = verifier.keys_of(client.get(ROOTS).json)
    assert Snapshot.read(answer.text, roots).revoked_keys == {}
    again = client.get(SNAPSHOT, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    ring.codes("k1", "k2")
    revoke_key(session, kid="c.k1", reason="lost", by="tester")
    queries.forget()
    assert [key["kid"] for key in client.get(KEYS).json["keys"]] == ["c.k2"]
    assert Snapshot.read(client.get(SNAPSHOT).text, roots).revoked_keys.keys() == {"c.k1"}


def test_a_warm_process_asks_the_database_nothing(client, session):
    publish_snapshot(NOW)
    client.get(SNAPSHOT)
    seen = []
    event.listen(session.connection(), "before_cursor_execute", lambda *a: seen.append(a[2]))
    for path in (SNAPSHOT, KEYS, ROOTS):
        assert client.get(path).status_code == 200
    assert seen == []


def test_what_was_kept_is_served_while_the_database_is_away(session):
    clock = [0.0]
    kept = queries.Kept(monotonic=lambda: clock[0])

    @contextmanager
    def opening():
        yield session

    @contextmanager
    def away():
        raise OperationalError("connect", {}, Exception("gone"))
        yield

    made = publish(session, now=NOW)
    assert kept.get(opening).snapshot.number == made.number
    newer = publish(session, now=NOW)
    assert kept.get(opening).snapshot.number == made.number
    clock[0] += queries.KEEP_S
    assert kept.get(away).snapshot.number == made.number
    clock[0] += queries.KEEP_S
    assert kept.get(opening).snapshot.number == newer.number
    with pytest.raises(OperationalError):
        queries.Kept().get(away)


def test_a_revoked_key_signs_no_certificate_either(session, ring):
    ring.codes("k1", "k2")
    revoke(session)
    signed = statements.sign({"a": 1}, type="test", revoked=services.revoked_keys(session))
    assert reading.header_of(signed)["kid"] == "c.k2"
    revoke(session, "c.k2")
    with pytest.raises(Unavailable):
        statements.sign({"a": 1}, type="test", revoked=services.revoked_keys(session))


def test_a_new_installation_publishes_its_first_snapshot_when_it_is_asked(client, session):
    session.execute(text("DELETE FROM credentials.snapshot"))
    first = client.get(SNAPSHOT)
    assert first.status_code == 200
    assert Snapshot.read(first.text, keys.roots()).revoked_keys == {}
    # One is enough, also for whoever asks before this process knows of it.
    queries.forget()
    assert client.get(SNAPSHOT).text == first.text
    assert session.scalar(text("SELECT count(*) FROM credentials.snapshot")) == 1


def test_operators_hear_of_a_snapshot_before_gates_cannot_read_it(session, monkeypatch):
    monkeypatch.setattr(snapshots, "LARGE", 1)
    child = new_id()
    for _ in range(2):
        held(session, holder_id=child)
    services.revoke_held(session, holders=[child], types=["hc"], now=NOW)
    with structlog.testing.capture_logs() as seen:
        publish(session, now=NOW)
    assert [(one["event"], one["void_codes"]) for one in seen] == [("snapshot_is_large", 2)]
