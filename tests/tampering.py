"""Ways to tamper with a sealed chain, each telling which rows it touched."""

import json
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy import text

from citizen_cloud.audit.rules import COLUMNS, WIDTH, digest, link


@dataclass
class Touched:
    """The rows that were tampered with: numbers of seals, ids of entries."""

    numbers: set = field(default_factory=set)
    entries: set = field(default_factory=set)

    def explains(self, finding):
        """Return whether a finding names what was touched, or a stretch that begins with it."""
        low = finding.number if finding.since is None else finding.since
        high = finding.number if finding.until is None else finding.until
        return finding.entry_id in self.entries or any(low <= n <= high for n in self.numbers)


class Chain:
    """A sealed chain as its owner may change it."""

    def __init__(self, connection):
        self.connection = connection

    def run(self, sql, **values):
        return self.connection.execute(text(sql), values)

    def one(self, sql, **values):
        return self.run(sql, **values).scalar_one()

    def entry_of(self, number):
        return self.one("SELECT entry_id FROM audit.seal WHERE number = :n", n=number)

    def number_of(self, entry_id):
        return self.one("SELECT number FROM audit.seal WHERE entry_id = :e", e=entry_id)

    @property
    def last(self):
        return self.one("SELECT max(number) FROM audit.seal")

    def chain_anew(self, first, last):
        """Compute seals again, so that each fits its entry and the one before it."""
        prev = self.one("SELECT hash FROM audit.seal WHERE number = :n", n=first - 1)
        for number in range(first, last + 1):
            row = self.run(
                f"SELECT {COLUMNS}, e.salt, s.digest, "
                "(extract(epoch FROM s.sealed_at) * 1000000)::bigint AS sealed_us "
                "FROM audit.seal s JOIN audit.entry e ON e.id = s.entry_id WHERE s.number = :n",
                n=number,
            ).one()
            of_entry = row.digest if row.salt is None else digest(row[:WIDTH], row.salt)
            after = link(prev, number, of_entry, row.sealed_us)
            self.run(
                "UPDATE audit.seal SET digest = :d, prev = :p, hash = :h WHERE number = :n",
                d=of_entry,
                p=prev,
                h=after,
                n=number,
            )
            prev = after


ENTRY_EDITS = {
    "id": "uuidv7()",
    "xid": "xid + (CASE WHEN :r THEN 1 ELSE -1 END)",
    "at": "at + interval '1 microsecond'",
    "actor_kind": "CASE WHEN actor_kind = 'staff' THEN 'admin' ELSE 'staff' END",
    "actor_id": "CASE WHEN actor_id IS NULL OR :r THEN uuidv7() END",
    "action": "action || 'x'",
    "object_type": "'another'",
    "object_id": "CASE WHEN object_id IS NULL OR :r THEN uuidv7() END",
    "organisation_id": "uuidv7()",
    "salt": "sha256(salt)",
    "payload": "CASE WHEN :r THEN NULL ELSE jsonb_set(payload, '{n}', '-1') END",
}
SEAL_EDITS = {
    "entry_id": "uuidv7()",
    "digest": "sha256(digest)",
    "prev": "sha256(prev)",
    "hash": "sha256(hash)",
    "sealed_at": "sealed_at + (CASE WHEN :r THEN 1 ELSE -1 END) * interval '1 microsecond'",
}
# What an erasure leaves of an entry is as firm as before.
LEFT = ("xid", "at", "actor_kind", "actor_id", "action", "object_type", "object_id")


def edit_entry(chain, rng, number):
    column = rng.choice(sorted(ENTRY_EDITS))
    return _edit(chain, rng, ("entry", column), number, chain.entry_of(number))


def edit_what_an_erasure_left(chain, rng, _):
    number, entry_id = rng.choice(
        chain.run(
            "SELECT s.number, e.id FROM audit.seal s JOIN audit.entry e ON e.id = s.entry_id "
            "WHERE e.salt IS NULL ORDER BY s.number"
        ).all()
    )
    return _edit(chain, rng, ("entry", rng.choice(LEFT)), number, entry_id)


def _edit(chain, rng, place, number, entry_id):
    table, column = place
    made = (ENTRY_EDITS if table == "entry" else SEAL_EDITS)[column]
    where = {"entry": "id = :e", "seal": "entry_id = :e"}[table]
    sql = f"UPDATE audit.{table} SET {column} = {made} WHERE {where}"
    values = {"r": rng.random() < 0.5} if ":r" in made else {}
    assert chain.run(sql, e=entry_id, **values).rowcount == 1
    # An id that was changed is a stranger where it stands now: behind the row before.
    return Touched({number}, _strangers(chain) | {entry_id})


def _strangers(chain):
    return set(
        chain.run(
            "SELECT e.id FROM audit.entry e LEFT JOIN audit.seal s ON s.entry_id = e.id "
            "WHERE s.number IS NULL"
        ).scalars()
    )


def edit_seal(chain, rng, number):
    column = rng.choice(sorted(SEAL_EDITS))
    return _edit(chain, rng, ("seal", column), number, chain.entry_of(number))


def erase_without_order(chain, rng, number):
    entry_id = chain.entry_of(number)
    what = rng.choice(("salt = NULL, payload = NULL", "salt = NULL"))
    chain.run(f"UPDATE audit.entry SET {what} WHERE id = :e", e=entry_id)
    return Touched({number}, {entry_id})


def delete_entry(chain, _, number):
    entry_id = chain.entry_of(number)
    chain.run("DELETE FROM audit.entry WHERE id = :e", e=entry_id)
    return Touched({number}, {entry_id})


def delete_seal(chain, _, number):
    entry_id = chain.entry_of(number)
    chain.run("DELETE FROM audit.seal WHERE number = :n", n=number)
    return Touched({number}, {entry_id})


def delete_both(chain, rng, number):
    touched = delete_entry(chain, rng, number)
    chain.run("DELETE FROM audit.seal WHERE number = :n", n=number)
    return touched


def delete_a_stretch(chain, rng, number):
    until = min(number + rng.randrange(1, 20), chain.last)
    numbers = range(number, until + 1)
    entries = {chain.entry_of(n) for n in numbers}
    if rng.random() < 0.5:
        chain.run("DELETE FROM audit.entry WHERE id = ANY(:e)", e=list(entries))
    chain.run("DELETE FROM audit.seal WHERE number = ANY(:n)", n=list(numbers))
    return Touched(set(numbers), entries)


def cut_the_end(chain, _, number):
    touched = Touched(set(range(number, chain.last + 1)))
    touched.entries = {chain.entry_of(n) for n in touched.numbers}
    chain.run("DELETE FROM audit.entry WHERE id = ANY(:e)", e=list(touched.entries))
    chain.run("DELETE FROM audit.seal WHERE number >= :n", n=number)
    return touched


def swap_numbers(chain, rng, number):
    other = rng.choice([n for n in range(1, chain.last + 1) if n != number])
    return _swap(chain, number, other)


def swap_neighbours(chain, _, number):
    return _swap(chain, number, number - 1 if number > 1 else 2)


def _swap(chain, one, other):
    touched = Touched({one, other}, {chain.entry_of(one), chain.entry_of(other)})
    move = "UPDATE audit.seal SET number = :to WHERE number = :n"
    for was, to in ((one, -1), (other, one), (-1, other)):
        chain.run(move, n=was, to=to)
    return touched


def swap_payloads(chain, rng, number):
    entry_id = chain.entry_of(number)
    other = rng.choice(
        chain.run(
            "SELECT id FROM audit.entry WHERE salt IS NOT NULL AND payload <> "
            "(SELECT payload FROM audit.entry WHERE id = :e) ORDER BY id",
            e=entry_id,
        )
        .scalars()
        .all()
    )
    chain.run(
        "UPDATE audit.entry e SET payload = o.payload, salt = o.salt FROM audit.entry o "
        "WHERE (e.id = :a AND o.id = :b) OR (e.id = :b AND o.id = :a)",
        a=entry_id,
        b=other,
    )
    return Touched({number, chain.number_of(other)}, {entry_id, other})


def renumber(chain, rng, number):
    last = chain.last
    to = rng.choice((0, -number, last + 1, last + 10_000))
    chain.run("UPDATE audit.seal SET number = :to WHERE number = :n", to=to, n=number)
    # Where it stands far behind, the numbers before it are missing as well.
    return Touched({number, to, *range(last + 1, to)}, {chain.entry_of(to)})


def put_in_an_entry(chain, rng, number):
    made = chain.one(
        "INSERT INTO audit.entry (xid, actor_kind, action, object_type, salt, payload) "
        "SELECT xid + :d, 'admin', 'module.off', 'module', sha256(salt), '{}' FROM audit.entry "
        "WHERE id = :e RETURNING id",
        e=chain.entry_of(number),
        d=rng.choice((0, -1)),
    )
    return Touched(set(), {made})


def put_in_a_link(chain, rng, number):
    """Move everything behind up by one and chain it anew, so that all of it fits."""
    touched = put_in_an_entry(chain, rng, number)
    (made,) = touched.entries
    last = chain.last
    chain.run("UPDATE audit.seal SET number = -number WHERE number > :n", n=number)
    chain.run("UPDATE audit.seal SET number = 1 - number WHERE number < 0")
    chain.run(
        "INSERT INTO audit.seal (number, entry_id, digest, prev, hash, sealed_at) "
        "SELECT number + 1, :e, digest, prev, hash, sealed_at FROM audit.seal WHERE number = :n",
        e=made,
        n=number,
    )
    chain.chain_anew(number + 1, last + 1)
    # An order to erase names others now: what it erased is a finding more.
    return Touched(set(range(number + 1, last + 2)), touched.entries)


def rewrite_one(chain, rng, number):
    """Edit an entry and make its own seal fit; the next one still tells."""
    number = max(2, min(number, chain.last - 1))
    touched = rewrite_entry(chain, rng, number)
    chain.chain_anew(number, number)
    return touched


def rewrite_to_the_end(chain, rng, number):
    """Edit an entry and make every seal behind it fit; only a published head tells."""
    number = max(2, number)
    touched = rewrite_entry(chain, rng, number)
    chain.chain_anew(number, chain.last)
    return touched


def rewrite_entry(chain, rng, number):
    entry_id = chain.entry_of(number)
    chain.run(
        "UPDATE audit.entry SET payload = cast(:p AS jsonb) WHERE id = :e",
        p=json.dumps({"n": rng.random(), "by": str(uuid4())}),
        e=entry_id,
    )
    return Touched({number}, {entry_id})


def move_the_watermark(chain, rng, _):
    by = rng.choice((-1_000_000, 1_000_000))
    chain.run("UPDATE audit.watermark SET sealed_below = sealed_below + :by", by=by)
    return Touched({chain.last})


def change_a_head(chain, rng, _):
    number = rng.choice(chain.run("SELECT number FROM audit.head ORDER BY number").scalars().all())
    chain.run("UPDATE audit.head SET hash = sha256(hash) WHERE number = :n", n=number)
    return Touched({number})


def widen_an_order(chain, rng, number):
    """Erase an entry and put it into an order that was given for others."""
    touched = erase_without_order(chain, rng, number)
    order = chain.one("SELECT id FROM audit.entry WHERE action = 'audit.redacted' LIMIT 1")
    chain.run(
        "UPDATE audit.entry SET payload = jsonb_insert(payload, '{ranges,0}', "
        "cast(:r AS jsonb)) WHERE id = :e",
        r=json.dumps([number, number]),
        e=order,
    )
    covered = chain.run(
        "SELECT s.number FROM audit.seal s JOIN audit.entry e ON e.id = s.entry_id "
        "WHERE e.salt IS NULL"
    )
    # An order that was tampered with vouches for nothing any more.
    touched.numbers |= {chain.number_of(order), *covered.scalars()}
    return touched


WAYS = (
    edit_entry,
    edit_seal,
    edit_what_an_erasure_left,
    erase_without_order,
    delete_entry,
    delete_seal,
    delete_both,
    delete_a_stretch,
    cut_the_end,
    swap_numbers,
    swap_neighbours,
    swap_payloads,
    renumber,
    put_in_an_entry,
    put_in_a_link,
    rewrite_one,
    rewrite_to_the_end,
    move_the_watermark,
    change_a_head,
    widen_an_order,
)
