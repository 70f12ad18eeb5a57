import json
import os
import random
import time
from uuid import uuid4

import pytest
import tampering
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from citizen_cloud import db, migrations
from citizen_cloud.audit import rules, services
from citizen_cloud.audit.services import Act, examine, note_head, order_of, record, seal

PROVE = "PROVE" in os.environ
TAMPERINGS = 1_000 if PROVE else 40
EVENTS = 1_000_000 if PROVE else 10_000
MINUTE_S = 60
# The machine that runs the suite may be busy with other tests.
ALLOWED_S = MINUTE_S if PROVE else 10


def act(number):
    return Act(
        actor_kind=("staff", "admin", "system")[number % 3],
        actor_id=uuid4() if number % 3 else None,
        action=("health_code.assigned", "module.off", "masks.redeem")[number % 3],
        object_type="colour",
        object_id=uuid4(),
        payload={"n": number, "person_id": str(uuid4()), "words": "试验 ü 𠮷"},
    )


def grow(count, start=0):
    """Write acts in transactions of several and seal them; keep a head."""
    for first in range(start, start + count, 7):
        with db.transaction() as session:
            for number in range(first, min(first + 7, start + count)):
                record(session, act(number))
    with db.transaction() as session:
        seal(session)
    with db.transaction() as session:
        note_head(session)


def erase(database, numbers):
    """Erase by order, as the owner of the tables may."""
    with database.owner() as owner, Session(owner) as session:
        entries = session.scalars(
            text("SELECT entry_id FROM audit.seal WHERE number = ANY(:n)"), {"n": numbers}
        ).all()
        order = order_of(session, entries=entries, ground="PIPL 47")
        if order is None:
            return 0
        return session.scalar(
            text("SELECT audit.redact(:e, 'system', NULL, sha256(''), cast(:p AS jsonb))"),
            {"e": order.entries, "p": json.dumps(order.payload)},
        )


def examined(**options):
    with db.transaction() as session:
        return examine(session, **options)


@pytest.fixture
def chain(fresh_database):
    """A chain of some hundred links, some of them erased by order, with heads."""
    for start in range(0, 240, 60):
        grow(60, start)
    erase(fresh_database, [20, 21, 22, 57, 101])
    erase(fresh_database, [150])
    grow(30, 240)
    found = examined()
    assert (found.findings, found.redacted, found.length) == ([], 6, 272)
    return fresh_database


@pytest.mark.timeout(1200)
def test_every_tampering_is_found_and_located(chain, record_property):
    base = int(os.environ.get("PROVE_SEED", "1"))
    engine = create_engine(migrations.owner_url(chain.settings))
    missed = []
    for turn in range(TAMPERINGS):
        seed = base * 1_000_003 + turn
        rng = random.Random(seed)
        way = tampering.WAYS[turn % len(tampering.WAYS)]
        with engine.connect() as connection, Session(connection) as session:
            number = rng.choice(_plain(connection))
            orders, erased = _orders(connection)
            touched = way(tampering.Chain(connection), rng, number)
            found = examine(session).findings
            session.rollback()
        if touched.numbers & orders:
            # Without its order an erasure is one more finding, and rightly so.
            touched.numbers |= erased
        strange = [str(one) for one in found if not touched.explains(one)]
        if not found or strange:
            missed.append((seed, way.__name__, number, strange))
    engine.dispose()
    record_property("trials", TAMPERINGS)
    record_property("facts", f"{len(tampering.WAYS)} ways, seeds {base * 1_000_003} and following")
    assert missed == [], "\n".join(map(str, missed))


def _plain(connection):
    """Return the numbers of links that are neither erased nor an order to erase."""
    return (
        connection.execute(
            text(
                "SELECT s.number FROM audit.seal s JOIN audit.entry e ON e.id = s.entry_id "
                "WHERE e.salt IS NOT NULL AND e.action <> 'audit.redacted' ORDER BY s.number"
            )
        )
        .scalars()
        .all()
    )


def _orders(connection):
    """Return the numbers of orders to erase, and of what they erased."""
    rows = connection.execute(
        text(
            "SELECT s.number, e.salt IS NULL AS is_erased FROM audit.seal s "
            "JOIN audit.entry e ON e.id = s.entry_id "
            "WHERE e.salt IS NULL OR e.action = 'audit.redacted'"
        )
    ).all()
    return {r.number for r in rows if not r.is_erased}, {r.number for r in rows if r.is_erased}


def tamper(database, sql, **values):
    with database.owner() as owner:
        owner.execute(text(sql), values)


def test_without_heads_a_cut_end_is_not_seen_and_with_those_kept_outside_it_is(chain):
    kept = {}
    with db.transaction() as session:
        kept = dict(services.known_heads(session))
    tamper(
        chain,
        "DELETE FROM audit.entry e USING audit.seal s WHERE s.entry_id = e.id AND s.number > 260",
    )
    tamper(chain, "DELETE FROM audit.seal WHERE number > 260")
    tamper(chain, "DELETE FROM audit.head WHERE number > 260")
    assert examined().findings == []
    (finding,) = examined(heads=kept).findings
    assert (finding.kind, finding.number, finding.until) == ("truncated", 261, 272)


def test_a_finding_says_number_entry_kind_and_when(chain):
    tamper(
        chain,
        "UPDATE audit.entry SET action = 'x' WHERE id = "
        "(SELECT entry_id FROM audit.seal WHERE number = 9)",
    )
    (finding,) = examined().findings
    with db.transaction() as session:
        row = session.execute(text("SELECT * FROM audit.seal WHERE number = 9")).one()
    assert (finding.number, finding.kind) == (9, "edited")
    assert (finding.entry_id, finding.at) == (row.entry_id, row.sealed_at)
    assert str(finding) == f"no. 9: edited (entry {row.entry_id}, sealed {row.sealed_at:%F %T} UTC)"


def test_a_legal_erasure_reads_redacted_and_leaves_nothing_of_the_payload(chain):
    with db.transaction() as session:
        rows = session.execute(
            text("SELECT salt, payload FROM audit.entry WHERE salt IS NULL OR payload IS NULL")
        ).all()
    assert rows == [(None, None)] * 6
    assert erase(chain, [20, 21]) == 0
    assert examined().redacted == 6


def test_an_erasure_before_its_order_is_sealed_is_no_finding(chain):
    assert erase(chain, [3, 4, 9]) == 3
    found = examined()
    assert (found.findings, found.redacted) == ([], 9)


def test_what_is_not_sealed_yet_is_not_erased(chain):
    with db.transaction() as session:
        record(session, act(1))
    with pytest.raises(services.NotSealedYet), db.transaction() as session:
        entries = session.scalars(
            text(
                "SELECT e.id FROM audit.entry e LEFT JOIN audit.seal s ON s.entry_id = e.id "
                "WHERE s.number IS NULL"
            )
        ).all()
        order_of(session, entries=entries, ground="PIPL 47")


def test_the_application_can_erase_only_by_an_order_and_change_nothing(chain):
    refused = (
        ("UPDATE audit.entry SET salt = NULL, payload = NULL", "permission denied"),
        ("UPDATE audit.head SET hash = ''", "permission denied"),
        ("DELETE FROM audit.head", "permission denied"),
        ("SELECT audit.redact(ARRAY[uuidv7()], 'x', NULL, sha256(''), '{}')", "permission denied"),
    )
    for sql, why in refused:
        with pytest.raises(Exception, match=why), db.transaction() as session:
            session.execute(text(sql))
    with chain.owner() as owner, pytest.raises(Exception, match="needs a ground"):
        owner.execute(text("SELECT audit.redact(ARRAY[uuidv7()], 'x', NULL, sha256(''), '{}')"))
    # An order that does not name what it erases stands there, and covers nothing.
    with chain.owner() as owner:
        owner.execute(
            text(
                "SELECT audit.redact(ARRAY(SELECT entry_id FROM audit.seal WHERE number = 5), 'x', "
                'NULL, sha256(\'\'), \'{"ground": "mine", "ranges": [[6, 6]], "rest": ""}\')'
            )
        )
    (finding,) = examined().findings
    assert (finding.number, finding.kind) == (5, "erased_without_order")


def test_links_of_the_first_format_still_verify(fresh_database):
    grow(12)
    with fresh_database.owner() as owner:
        prev = rules.GENESIS
        for number in range(1, 11):
            row = owner.execute(
                text(
                    f"SELECT {rules.COLUMNS}, e.salt FROM audit.entry e JOIN audit.seal s "
                    "ON s.entry_id = e.id WHERE s.number = :n"
                ),
                {"n": number},
            ).one()
            made = rules.first_digest(rules.Told(*row[: rules.WIDTH]), row.salt)
            after = rules.first_link(prev, number, made, 0)
            owner.execute(
                text("UPDATE audit.seal SET digest = :d, prev = :p, hash = :h WHERE number = :n"),
                {"d": made, "p": prev, "h": after, "n": number},
            )
            prev = after
        owner.execute(text("DELETE FROM audit.seal WHERE number > 10"))
        owner.execute(text("DELETE FROM audit.head"))
        owner.execute(
            text(
                "UPDATE audit.watermark SET sealed_below = "
                "(SELECT max(e.xid) FROM audit.entry e JOIN audit.seal s "
                "ON s.entry_id = e.id)"
            )
        )
        owner.execute(
            text(
                "DELETE FROM audit.entry e WHERE NOT EXISTS "
                "(SELECT FROM audit.seal s WHERE s.entry_id = e.id)"
            )
        )
        owner.execute(text("UPDATE audit.watermark SET sealed_below = sealed_below + 1"))
    grow(5, 12)
    assert examined().findings == []
    tamper(
        fresh_database,
        "UPDATE audit.entry SET action = 'x' WHERE id = "
        "(SELECT entry_id FROM audit.seal WHERE number = 4)",
    )
    assert [(one.number, one.kind) for one in examined().findings] == [(4, "edited")]


@pytest.mark.timeout(1200)
def test_a_million_events_verify_in_a_minute(fresh_database, record_property):
    with fresh_database.owner() as owner:
        owner.execute(
            text(
                "INSERT INTO audit.entry (actor_kind, actor_id, action, object_type, object_id, "
                "salt, payload) SELECT 'citizen', uuidv7(), 'booking.booked', 'booking', "
                "uuidv7(), substr(sha256(n::text::bytea), 1, 16), "
                "jsonb_build_object('person_id', uuidv7(), 'n', n) "
                "FROM generate_series(1, :n) n"
            ),
            {"n": EVENTS},
        )
        # The bulk is one transaction, and the sealer takes whole ones: give each its own number.
        owner.execute(text("UPDATE audit.entry SET xid = 100 + (payload ->> 'n')::bigint / 1000"))
        owner.execute(text("UPDATE audit.watermark SET sealed_below = 0"))
    total = 0
    began = time.perf_counter()
    while total < EVENTS:
        with db.transaction() as session:
            total += seal(session, most=20_000)
    sealing = time.perf_counter() - began
    began = time.perf_counter()
    found = examined()
    took = time.perf_counter() - began
    record_property("trials", EVENTS)
    record_property("facts", f"{took:.1f} s to verify, {sealing:.1f} s to seal")
    assert found.length == EVENTS
    assert [f for f in found.findings if f.kind != "watermark"] == []
    assert took < ALLOWED_S
