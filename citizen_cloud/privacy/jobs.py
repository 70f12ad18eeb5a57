"""What the room does by itself: bundles are made and forgotten, closures carried out."""

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

import structlog

from citizen_cloud import db
from citizen_cloud.privacy import owners
from citizen_cloud.privacy.services import closures, erasure, exports, purging
from citizen_cloud.privacy.services.away import away
from citizen_cloud.registry import purging as registry
from citizen_cloud.registry.ended import end_types

MOST = 100

log = structlog.get_logger(__name__)


def _in_turn(found: Callable[..., list[UUID]]) -> Iterator[UUID]:
    """Go through everything there is to do once, so that what fails keeps nothing else waiting."""
    last = None
    while True:
        with db.transaction() as session:
            ids = found(session, after=last, most=MOST)
        yield from ids
        if len(ids) < MOST:
            return
        last = ids[-1]


def build_exports(now: datetime) -> int:
    """Make the bundles somebody waits for, each in its own transaction; return how many."""
    del now
    return sum(_built(export_id) for export_id in _in_turn(exports.waiting))


def _built(export_id: UUID) -> bool:
    """Make one bundle; one that fails is tried again and keeps no other waiting."""
    try:
        with db.transaction() as session:
            return exports.build(session, export_id=export_id, owners=owners.current())
    except Exception as error:  # noqa: BLE001 - a stranger's export may raise anything
        log.warning("export_failed", export=str(export_id), error=type(error).__name__)
        return False


def forget_old(now: datetime) -> int:
    """Delete bundles whose week is over, and certificates after three years; return how many."""
    del now
    with db.transaction() as session:
        return exports.forget_expired(session) + closures.forget_old(session)


def carry_out_closures(now: datetime) -> int:
    """Take every due closure a step further; return how many accounts were erased.

    The statements ask the database's clock. Nobody is erased while a module stands aside, or its
    tables are left without it: it may hold data that only it can erase.
    """
    del now
    with db.transaction() as session:
        due = erasure.due(session, after=None, most=1)
        missing = away(session, owners=owners.current()) if due else []
    if missing:
        log.warning("closures_wait", modules=missing)
        return 0
    return sum(_carried_out(closure_id) for closure_id in _in_turn(erasure.due))


def _carried_out(closure_id: UUID) -> bool:
    try:
        with db.transaction() as session:
            if erasure.begin(session, closure_id=closure_id):
                return False
        return erase(closure_id)
    except Exception as error:  # noqa: BLE001 - a stranger's erase may raise anything
        log.warning("closure_failed", closure=str(closure_id), error=type(error).__name__)
        return False


def erase(closure_id: UUID, now: datetime | None = None) -> bool:
    """Give the bookings back, one transaction each, then erase the rest in one."""
    found = owners.current()
    with db.transaction() as session:
        ahead = erasure.bookings_ahead(session, closure_id=closure_id, now=now)
    for booking_id, module in ahead.items():
        with db.transaction() as session:
            erasure.release(session, booking_id=booking_id, module=module, owners=found, now=now)
    with db.transaction() as session:
        return erasure.finish(session, closure_id=closure_id, owners=found, now=now)


def purge_modules(now: datetime) -> int:
    """Go on with every purge that was ordered, as far as it goes; return how many steps.

    A step that fails, or must wait for a seal, is taken up again at the next turn. Before that,
    codes end of every module that is in sunset: a newer version of one may name a type more.
    """
    del now
    with db.transaction() as session:
        for ending in owners.current().endings.values():
            end_types(session, module=ending.name, types=ending.sunset.credentials)
        ordered = registry.due(session)
    return sum(_purged(name) for name in ordered)


def _purged(name: str) -> int:
    ending = owners.current().endings.get(name)
    if ending is None:
        log.warning("purge_waits", module=name)
        return 0
    steps = 0
    try:
        while True:
            with db.transaction() as session:
                if purging.advance(session, ending) is None:
                    return steps
            steps += 1
    except purging.NotYet:
        return steps
    except Exception as error:  # noqa: BLE001 - one module's end is not the others'
        log.warning("purge_failed", module=name, error=type(error).__name__)
        return steps
