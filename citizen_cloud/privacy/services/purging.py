"""Carry out the end of a module, step by step, and certify it.

Each step is a short transaction that writes down what went; whoever is stopped goes on where it
stood. The tables are emptied first and looked at again last.
"""

import json
import secrets
from collections.abc import Callable, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import forgetting as accounts
from citizen_cloud.approvals.services import forgetting as approvals
from citizen_cloud.audit import services as audit
from citizen_cloud.booking.services import ending as bookings
from citizen_cloud.credentials.services import ending as codes
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.db import rows_changed
from citizen_cloud.jobs.services import forget_events
from citizen_cloud.messages.services import forgetting as messages
from citizen_cloud.privacy.owners import Ending
from citizen_cloud.privacy.services.destruction import destruction_certificate
from citizen_cloud.registry import purging as registry
from citizen_cloud.registry.ended import end_types
from citizen_cloud.registry.purging import Purge
from citizen_cloud.web.forgetting import forget_answers_of

MOST = 20_000
STEP = "step"
AFTER = "after"
SALT_BYTES = 16
# Acts and events that the booking room leaves for every module, each with the module's name.
OF_BOOKINGS = ("booking.",)
# At its doors people give back what they booked in any module; each answer names the module.
DOORS_OF_BOOKINGS = ("bookings",)
GROUND = "《个人信息保护法》第四十七条 PIPL article 47: the purpose has ended"

Counts = Mapping[str, int]


class NotYet(Exception):
    """Something must be over first, within a second or so."""


# Functions of the owner's, which ask the approvals themselves: the application may do neither.
_EMPTY = text("SELECT name, gone FROM privacy.empty_module(:module)")
_REDACT = text("SELECT privacy.redact_acts(:module, :entries, :salt, cast(:payload AS jsonb))")


def _verifiers(session: Session, ending: Ending, _: Purge) -> Counts:
    """Tell every verifier that these codes have ended, before the first record of them goes.

    A snapshot without the void codes of the service that did not say so would let them count again.
    """
    end_types(session, module=ending.name, types=ending.sunset.credentials)
    publish(session)
    return {}


def _tables(session: Session, ending: Ending, _: Purge) -> Counts:
    """Empty every table in the module's schema; return how many rows each had."""
    found = session.execute(_EMPTY, {"module": ending.name})
    return {f"{ending.name}.{row.name}": int(row.gone) for row in found}


def _bookings(session: Session, ending: Ending, _: Purge) -> Counts:
    return bookings.forget_module(session, module=ending.name, most=MOST)


def _codes(session: Session, ending: Ending, _: Purge) -> Counts:
    types = ending.sunset.credentials
    return {"credentials.credential": codes.forget_types(session, types=types, most=MOST)}


def _device_keys(session: Session, ending: Ending, _: Purge) -> Counts:
    return codes.forget_device_keys(session, most=MOST) if ending.sunset.device_keys else {}


def _messages(session: Session, ending: Ending, _: Purge) -> Counts:
    return messages.forget_kinds(session, kinds=ending.sunset.messages, most=MOST)


def _events(session: Session, ending: Ending, _: Purge) -> Counts:
    gone = forget_events(
        session,
        module=ending.name,
        events=ending.sunset.events,
        shared=OF_BOOKINGS,
        most=MOST,
    )
    return {"jobs.outbox": gone}


def _answers(session: Session, ending: Ending, _: Purge) -> Counts:
    gone = forget_answers_of(
        session, module=ending.name, doors=ending.doors, shared=DOORS_OF_BOOKINGS, most=MOST
    )
    return {"web.idempotent_answer": gone}


def _looks(session: Session, ending: Ending, _: Purge) -> Counts:
    purposes = ending.sunset.purposes
    return {"accounts.data_access": accounts.forget_looks(session, purposes=purposes, most=MOST)}


def _consents(session: Session, ending: Ending, _: Purge) -> Counts:
    purposes = ending.sunset.consents
    return {"accounts.consent": accounts.forget_consents(session, purposes=purposes, most=MOST)}


def _proposals(session: Session, ending: Ending, _: Purge) -> Counts:
    kinds = (f"{ending.name}.",)
    return {"approvals.proposal": approvals.forget_kinds(session, kinds=kinds, most=500)}


# A copy that somebody took away is theirs; the one kept here for a week is not. One that is being
# made still reads what went meanwhile: it is waited for, and goes as well.
_BEING_MADE = text("SELECT 1 FROM privacy.export WHERE status = 'waiting' ORDER BY id FOR UPDATE")
_BUNDLES = text(
    """
    DELETE FROM privacy.export WHERE id = ANY(ARRAY(
        SELECT id FROM privacy.export WHERE status = 'ready' LIMIT :most))
    """
)


def _bundles(session: Session, _ending: Ending, _: Purge) -> Counts:
    session.execute(_BEING_MADE)
    return {"privacy.export": rows_changed(session, _BUNDLES, {"most": MOST})}


def _acts(session: Session, ending: Ending, purge: Purge) -> Counts:
    """Erase what the module's acts were about. Raises ``NotYet`` while one is not sealed."""
    of = audit.ActsOf(module=ending.name, acts=ending.sunset.acts, shared=OF_BOOKINGS)
    audit.seal(session)
    found = audit.sealed_acts(session, of=of, after=purge.progress.get(AFTER, 0))
    if not found and audit.are_acts_waiting(session, of=of):
        raise NotYet
    entries = [entry_id for _, entry_id in found]
    gone = _erase(session, ending.name, audit.order_of(session, entries=entries, ground=GROUND))
    last = {AFTER: found[-1][0] - purge.progress.get(AFTER, 0)} if found else {}
    return {"audit.entry": gone, **last}


def _erase(session: Session, module: str, order: audit.Order | None) -> int:
    if order is None:
        return 0
    asked = {
        "module": module,
        "entries": order.entries,
        "salt": secrets.token_bytes(SALT_BYTES),
        "payload": json.dumps(order.payload, ensure_ascii=False),
    }
    return int(session.scalar(_REDACT, asked) or 0)


Step = Callable[[Session, Ending, Purge], Counts]
STEPS: tuple[Step, ...] = (
    _verifiers,
    _tables,
    _bookings,
    _codes,
    _device_keys,
    _messages,
    _events,
    _answers,
    _looks,
    _consents,
    _proposals,
    _acts,
    _bundles,
    _tables,
)


def advance(session: Session, ending: Ending) -> Purge | None:
    """Go one step on with a purge that was ordered; None where nothing is left to do.

    Raises ``NotYet``, and ``NotFound`` where no purge was ordered.
    """
    # A look through years of rows takes longer than one caller may hold up the others.
    session.execute(text("SET LOCAL statement_timeout = '30min'"))
    purge = registry.take(session, ending.name)
    if purge is None:
        return None
    at = purge.progress.get(STEP, 0)
    if at == len(STEPS):
        certificate, now = destruction_certificate(session, ending, purge)
        registry.finish(session, purge, certificate=certificate, finished_at=now)
        return None
    gone = STEPS[at](session, ending, purge)
    progress = dict(purge.progress)
    for name, count in gone.items():
        progress[name] = progress.get(name, 0) + count
    # A step is over when it finds nothing more.
    progress[STEP] = at if any(gone.values()) else at + 1
    registry.note(session, ending.name, progress)
    return registry.purge_of(session, ending.name)
