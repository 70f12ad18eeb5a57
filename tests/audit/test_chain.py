import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.audit import rules, services
from citizen_cloud.audit.services import Act, record, seal, verify


def act(number=0):
    return Act(
        actor_kind="admin",
        actor_id=uuid4(),
        action="module.off",
        object_type="module",
        object_id=uuid4(),
        payload={"n": number, "reason": "试验"},
    )


def write(count, start=0):
    with db.transaction() as session:
        for number in range(count):
            record(session, act(start + number))


def sealed():
    with db.transaction() as session:
        return seal(session)


def findings():
    with db.transaction() as session:
        return verify(session)


def test_entries_are_chained_without_gaps(fresh_database):
    write(30)
    assert sealed() == 30
    write(5)
    assert sealed() == 5
    assert sealed() == 0
    assert findings() == []


def test_small_batches_seal_each_entry_once(fresh_database):
    for start in range(20):
        write(3, start)
    total = 0
    for _ in range(40):
        with db.transaction() as session:
            total += seal(session, most=7)
    assert total == 60
    assert findings() == []


def test_an_entry_of_a_transaction_still_running_is_sealed_after_it(fresh_database):
    with fresh_database.database.transaction() as slow:
        record(slow, act(1))
        slow.flush()
        write(4)
        # The slow transaction is older: nothing behind it may be sealed before it is over.
        assert sealed() == 0
    assert sealed() == 5
    assert findings() == []


def test_two_sealers_never_fork_the_chain(fresh_database):
    write(200)
    done = []
    threads = [threading.Thread(target=lambda: done.append(sealed())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed()
    assert findings() == []
    with db.statement() as connection:
        assert connection.scalar(text("SELECT count(*), max(number) FROM audit.seal")) == 200


def test_an_act_is_written_with_the_business_or_not_at_all(fresh_database):
    with pytest.raises(RuntimeError), db.transaction() as session:
        record(session, act())
        raise RuntimeError
    with db.statement() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit.entry")) == 0


def _refused(sql, match):
    with pytest.raises(Exception, match=match), db.transaction() as session:
        session.execute(text(sql))


ENTRY = "INSERT INTO audit.entry (actor_kind, action, object_type, salt, payload{more}) "
VALUES = "VALUES ('admin', 'module.off', 'module', sha256(''), '{{}}', {made})"


@pytest.mark.parametrize(
    ("column", "made"),
    [
        ("id", "'01900000-0000-7000-8000-000000000000'"),
        ("xid", "1"),
        ("at", "now() - interval '1 year'"),
    ],
)
def test_the_application_cannot_say_when_it_acted(fresh_database, column, made):
    write(1)
    _refused(ENTRY.format(more=f", {column}") + VALUES.format(made=made), "permission denied")


def true_link(session):
    """Return the link that the sealer would make now."""
    row = session.execute(
        text(
            f"SELECT {rules.COLUMNS}, e.salt, statement_timestamp() AS sealed_at, "
            "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS us "
            "FROM audit.entry e ORDER BY e.id DESC LIMIT 1"
        )
    ).one()
    head = services.present_head(session)
    return {
        "number": head.number + 1,
        "entry_id": row.id,
        "digest": rules.digest(row[: rules.WIDTH], row.salt),
        "prev": head.hash,
        "sealed_at": row.sealed_at,
        "us": row.us,
    }


def put(session, made):
    made["hash"] = rules.link(made["prev"], made["number"], made["digest"], made.pop("us"))
    session.execute(
        text(
            "INSERT INTO audit.seal (number, entry_id, digest, prev, hash, sealed_at) "
            "VALUES (:number, :entry_id, :digest, :prev, :hash, :sealed_at)"
        ),
        made,
    )


@pytest.mark.parametrize(
    "lie",
    [
        {"number": 1000},
        {"digest": rules.GENESIS},
        {"prev": rules.GENESIS},
        {"entry_id": uuid4()},
        {"sealed_at": datetime(2020, 3, 1, tzinfo=UTC), "us": 1_583_020_800_000_000},
    ],
)
def test_the_application_adds_no_link_that_is_not_true(fresh_database, lie):
    write(3)
    sealed()
    write(1, 3)
    with pytest.raises(Exception, match="no link of the chain"), db.transaction() as session:
        put(session, true_link(session) | lie)
    with db.transaction() as session:
        put(session, true_link(session))
    assert sealed() == 0
    assert findings() == []


def test_whatever_an_act_says_the_database_and_the_program_hash_it_alike(fresh_database):
    words = ['"', "\\", "\b\f\n\r\t\x01\x1f\x7f", "𠮷 ü \u2028", "</script>", "{}", "'"]
    with db.transaction() as session:
        for word in words:
            record(session, replace(act(), payload={word: [word, None, 1.50, True]}))
            record(session, replace(act(), action=word, actor_id=None, object_id=None))
    assert sealed() == 2 * len(words)
    assert findings() == []


def test_the_mark_passes_over_nothing_and_never_falls_back(fresh_database):
    write(3)
    sealed()
    write(1)
    move = "UPDATE audit.watermark SET sealed_below = "
    for to in ("0", "sealed_below - 1", "sealed_below + 1000000"):
        _refused(move + to, "the mark passes over")
    _refused(move + "pg_snapshot_xmin(pg_current_snapshot())::text::bigint", "the mark passes over")
    assert sealed() == 1


def test_a_head_that_no_link_has_is_not_kept(fresh_database):
    write(3)
    sealed()
    head = "INSERT INTO audit.head (day_on, number, hash, sealed_at) SELECT current_date, {}, {}, "
    rest = "sealed_at FROM audit.seal WHERE number = 3"
    for number, made in (("number + 1000", "hash"), ("number", "sha256(hash)")):
        _refused(head.format(number, made) + rest, "no link has this")


def test_an_entry_without_salt_ends_no_sealing(fresh_database):
    with db.transaction() as session:
        session.execute(
            text("INSERT INTO audit.entry (actor_kind, action, object_type) VALUES ('x', 'y', 'z')")
        )
    write(2)
    assert sealed() == 3
    assert [(one.number, one.kind) for one in findings()] == [(1, "erased_without_order")]


def test_a_database_restored_into_another_cluster_goes_on_sealing(fresh_database):
    with fresh_database.owner() as owner:
        # Sealed there, with the numbers that cluster was at.
        owner.execute(text("ALTER TABLE audit.entry ALTER xid SET DEFAULT 1000000000"))
    write(5)
    with fresh_database.owner() as owner:
        owner.execute(text("UPDATE audit.watermark SET sealed_below = 1000000000"))
        rows = "SELECT count(*) FROM audit.entry"
        assert owner.scalar(text(rows)) == 5
    # The restored dump: five that waited there, then three of here.
    with fresh_database.owner() as owner:
        owner.execute(
            text(
                "ALTER TABLE audit.entry ALTER xid SET DEFAULT (pg_current_xact_id()::text::bigint)"
            )
        )
    write(3)
    assert sealed() == 8
    for turn in range(3):
        assert findings() == [], turn
        write(1)
        # The act of the move, then what is written since.
        assert sealed() == (2 if turn == 0 else 1)
    assert findings() == []
    with db.statement() as connection:
        told = connection.scalars(
            text("SELECT payload ->> 'sealed_below' FROM audit.entry WHERE action = 'audit.moved'")
        ).all()
    assert told == ["1000000000"]


def test_a_move_seals_nothing_that_was_put_in_before_it(fresh_database):
    write(5)
    sealed()
    with fresh_database.owner() as owner:
        owner.execute(
            text(
                "INSERT INTO audit.entry (xid, at, actor_kind, action, object_type, salt, payload) "
                "VALUES (5, now() - interval '1 day', 'admin', 'x', 'y', sha256(''), '{}')"
            )
        )
        owner.execute(text("UPDATE audit.watermark SET sealed_below = 1000000000"))
    sealed()
    sealed()
    assert [one.kind for one in findings()] == ["inserted"]


@pytest.mark.parametrize(
    "said",
    [
        {"ranges": [[1, 10**30]], "rest": ""},
        {"ranges": [[1, 2]], "rest": "x"},
        {"ranges": "x", "rest": []},
        [[[]]],
    ],
)
def test_no_act_ends_the_verifying(fresh_database, said):
    write(3)
    with db.transaction() as session:
        record(session, replace(act(), action="audit.redacted", payload={}))
    with db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO audit.entry (actor_kind, action, object_type, salt, payload) "
                "VALUES ('x', 'audit.redacted', 'y', sha256(''), cast(:said AS jsonb))"
            ),
            {"said": json.dumps(said)},
        )
    sealed()
    assert findings() == []
