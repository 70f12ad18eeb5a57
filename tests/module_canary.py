"""Somebody with a row in every table of a module, and in every other room that knows of it.

The module's tables are walked by their metadata, so that a new one is part of it by itself. Its
own rules would refuse made-up rows: in the copy of the database that a test has, they are lifted.
"""

import json
import secrets
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import people
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB

from citizen_cloud import clock, crypto, db
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import Base, new_id
from citizen_cloud.jobs.services import announce
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.text import Text

BOOKED = (
    """INSERT INTO booking.slot (id, module, organisation_id, starts_at, ends_at, opens_at, closes_at,
                                 capacity)
       VALUES (:slot, :module, :organisation, now() - interval '2 hours', now() - interval '1 hour',
               now() - interval '3 hours', now() - interval '1 hour', 5)""",
    "INSERT INTO booking.slot_text (slot_id, title, place) VALUES (:slot, cast(:words AS jsonb), '{}')",
    """INSERT INTO booking.booking (id, slot_id, person_id, booked_by, quantity, status, reference,
                                    request_key, request_hash, booked_at, changed_at,
                                    cancel_reason, scope, person_key, quota_period)
       VALUES (:booking, :slot, :person, :account, 1, 'cancelled', :reference, :request, '', now(),
               now(), :reason, :scope, :key, '2026-W01')""",
    """INSERT INTO booking.ledger (slot_id, seq, delta, booking_id, prev, hash)
       VALUES (:slot, 1, 1, :booking, '', :hash)""",
    """INSERT INTO booking.allowance (scope, person_key, quota_period, used, max)
       VALUES (:scope, :key, '2026-W01', 0, 1)""",
)
PLAIN = {
    bool: True,
    int: 7,
    float: 1.0,
    Decimal: 1,
    date: date(2020, 3, 1),
    time: time(8),
    datetime: datetime(2020, 3, 1, tzinfo=UTC),
}
OURS = {"person_id", "holder_id", "subject_id", "account_id"}


class ModuleCanary:
    """Rows of one person, and everything in them that must not be found afterwards."""

    def __init__(self, module, someone):
        self.module = module
        self.someone = someone
        self.traces = defaultdict(set)

    def plant(self, owner):
        """Put a row into every table, then one wherever else the module leaves something."""
        tables = [t for t in Base.metadata.sorted_tables if t.schema == self.module.name]
        for table in tables:
            _lift(owner, table)
        for table in tables:
            values = {
                c.name: self._value(table, c)
                for c in table.columns
                if not (c.computed or c.identity)
            }
            owner.execute(table.insert().values(**values))
        with db.transaction() as session:
            self._elsewhere(session)
        return [table.fullname for table in tables]

    def word(self, place, length=12):
        """Return a made-up word that stands nowhere else."""
        made = ("k" + secrets.token_hex(16))[: length or 12]
        if len(made) >= 8:
            self.traces[place].add(made)
        return made

    def id(self, place):
        made = new_id()
        self.traces[place].add(str(made))
        return made

    def raw(self, place, length=33):
        made = secrets.token_bytes(length)
        self.traces[place].add(made.hex())
        return made

    def _value(self, table, column):
        place = f"{table.fullname}.{column.name}"
        kind = column.type
        if column.name in OURS:
            return getattr(self.someone, column.name if "acc" in column.name else "person_id")
        if isinstance(kind, JSONB):
            return {"said": self.word(place)}
        if hasattr(kind, "item_type"):
            return []
        python = kind.python_type
        telling = {
            UUID: lambda: self.id(place),
            str: lambda: self.word(place, kind.length),
            bytes: lambda: self.raw(place),
        }
        return telling[python]() if python in telling else PLAIN[python]

    def _elsewhere(self, session):
        sunset, person = self.module.sunset, self.someone.person_id
        run = session.execute
        for type_ in sunset.credentials:
            run(
                text(
                    "INSERT INTO credentials.credential (jti, type, subject_id, kid, issued_at, "
                    "not_before, expires_at, holder_id, show_key, claims) VALUES (:jti, :type, "
                    ":subject, 'c.k1', now(), now(), now() + interval '1 day', :holder, :key, :said)"
                ),
                {
                    "jti": self.id("credentials.credential.jti"),
                    "type": type_,
                    "subject": self.id("credentials.credential.subject_id"),
                    "holder": person,
                    "key": self.raw("credentials.credential.show_key"),
                    "said": json.dumps({"n": self.word("credentials.credential.claims")}),
                },
            )
        if sunset.device_keys:
            run(
                text(
                    "INSERT INTO credentials.device_key (account_id, device_id, public_key) "
                    "VALUES (:account, :device, :key)"
                ),
                {
                    "account": self.someone.account_id,
                    "device": self.someone.device_id,
                    "key": self.raw("credentials.device_key.public_key"),
                },
            )
        self._told(session)
        for act in sunset.acts:
            payload = {"person_id": person, "said": self.word("audit.entry.payload")}
            record(session, _act(f"{act}something", payload))
        for event in sunset.events:
            payload = {"person_id": person, "said": self.word("jobs.outbox.payload")}
            announce(session, f"{event}something", payload)
        for purpose in sunset.purposes:
            run(
                text(
                    "INSERT INTO accounts.data_access (person_id, reader_kind, purpose, categories, "
                    "basis_type, basis_id) VALUES (:p, 'staff', :why, '{name}', 'case', :basis)"
                ),
                {"p": person, "why": purpose, "basis": self.id("accounts.data_access.basis_id")},
            )
        for purpose in sunset.consents:
            run(
                text(
                    "INSERT INTO accounts.consent (account_id, purpose, version) "
                    "VALUES (:a, :why, 1) ON CONFLICT DO NOTHING"
                ),
                {"a": self.someone.account_id, "why": purpose},
            )
        self._answered(session)
        self._proposed(session)
        if self.module.bookings is not None:
            self._booked(session)

    def _booked(self, session):
        """Leave what a booking leaves that is over: its slot, words, quota, acts and events."""
        facts = {
            "module": self.module.name,
            "scope": f"{self.module.name}:all",
            "organisation": people.pharmacy(session=session),
            "slot": self.id("booking.slot.id"),
            "booking": self.id("booking.booking.id"),
            "person": self.someone.person_id,
            "account": self.someone.account_id,
            "words": json.dumps({"zh": self.word("booking.slot_text.title")}),
            "reference": self.word("booking.booking.reference", 16),
            "request": self.word("booking.booking.request_key"),
            "reason": self.word("booking.booking.cancel_reason"),
            "key": self.raw("booking.allowance.person_key"),
            "hash": self.raw("booking.ledger.hash"),
        }
        for sql in BOOKED:
            session.execute(text(sql), facts)
        for name in ("booked", "cancelled"):
            said = {
                "module": self.module.name,
                "person_id": str(self.someone.person_id),
                "reference": facts["reference"],
            }
            record(session, _act(f"booking.{name}", said))
            announce(session, f"booking.{name}", said)

    def _told(self, session):
        for kind in self.module.sunset.messages:
            words = self.word("messages.message.body")
            note = Note(
                account_id=self.someone.account_id,
                kind=f"{kind}told",
                title=Text(words, words),
                body=Text(words, words),
                dedupe_key=self.word("messages.message.dedupe_key"),
                sms=True,
            )
            notify(session, note=note, now=clock.now())

    def _answered(self, session):
        session.execute(
            text(
                "INSERT INTO web.idempotent_answer (key_hash, account_id, endpoint, request_hash, "
                "status, body) VALUES (:k, :a, :e, :k, 200, :b)"
            ),
            {
                "k": self.raw("web.idempotent_answer.key_hash", 32),
                "a": self.someone.account_id,
                "e": f"{self.module.blueprints[0].name}.Something",
                "b": self.raw("web.idempotent_answer.body"),
            },
        )
        bundle = new_id()
        sealed = crypto.current().seal("{}", place=f"privacy.export:bundle:{bundle}")
        self.traces["privacy.export.bundle_sealed"].add(sealed.hex())
        session.execute(
            text(
                "INSERT INTO privacy.export (id, account_id, person_id, status, bundle_sealed, "
                "ready_at, expires_at) VALUES (:id, :a, :p, 'ready', :b, now() - interval '1 hour', "
                "now() + interval '7 days')"
            ),
            {
                "id": bundle,
                "a": self.someone.account_id,
                "p": self.someone.person_id,
                "b": sealed,
            },
        )

    def _proposed(self, session):
        sealed = [self.raw(f"approvals.proposal.{one}") for one in ("payload", "evidence")]
        said = {"person_id": str(self.someone.person_id)}
        session.execute(
            text(
                "INSERT INTO approvals.proposal (kind, payload_sealed, digest, summary, reason, "
                "evidence_sealed, approvals_needed, expires_at) VALUES (:kind, :payload, "
                "sha256('x'), cast(:said AS jsonb), 'x', :evidence, 2, now() + interval '1 day')"
            ),
            {
                "kind": f"{self.module.name}.something",
                "payload": sealed[0],
                "evidence": sealed[1],
                "said": json.dumps(said),
            },
        )

    def left_in(self, dump):
        """Return where something of the canary stands in a dump."""
        return sorted(
            place
            for place, words in self.traces.items()
            if any(word.encode() in dump for word in words)
        )

    def sections_with_the_person(self, dump):
        """Return how many rows of which tables the person's id stands in."""
        wanted, found, table = str(self.someone.person_id).encode(), Counter(), ""
        for line in dump.splitlines():
            if line.startswith(b"COPY "):
                table = line.split(b" ")[1].decode()
            elif wanted in line:
                found[table] += 1
        return found


def _act(action, payload):
    return Act(
        actor_kind="system",
        actor_id=None,
        action=action,
        object_type="event",
        object_id=new_id(),
        payload=payload,
    )


def _lift(owner, table):
    """Take a table's rules away: checks, foreign keys, triggers."""
    rows = owner.execute(
        text(
            "SELECT conname FROM pg_constraint WHERE conrelid = cast(:t AS regclass) "
            "AND contype IN ('c', 'f')"
        ),
        {"t": table.fullname},
    ).scalars()
    for name in rows.all():
        owner.execute(text(f'ALTER TABLE {table.fullname} DROP CONSTRAINT "{name}"'))
    owner.execute(text(f"ALTER TABLE {table.fullname} DISABLE TRIGGER USER"))
