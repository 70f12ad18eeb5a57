"""Write down who looks at a person's data, in the same transaction as the look.

Two alarms hang on it: a member of staff or a system that looks at too many persons in an hour is
stopped, and a look at a made-up person (``honey``) tells that somebody looks around.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts.refusals import BulkReadStopped
from citizen_cloud.audit.services import Act, record
from citizen_cloud.config import Settings

Basis = Literal["booking", "case", "link", "consent", "none"]
Outcome = Literal["read", "changed", "refused"]
# Who reads by office, and might read a city empty. A proxy has eight people at most; a partner who
# shows the person's own consent reads one who is there.
COUNTED = frozenset({"staff", "admin", "service"})
HOUR_S = 3600

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Who looked at what of whom, and by which right.

    ``categories`` are words the person will read: name, document, birth_date, phone, bookings.
    ``basis`` is what made it rightful: an open booking or case at the reader's organisation, a
    link to a dependant, the person's own consent.
    """

    person_id: UUID
    reader_kind: str
    reader_id: UUID | None
    purpose: str
    categories: tuple[str, ...]
    basis_type: Basis
    basis_id: UUID | None = None
    organisation_id: UUID | None = None
    outcome: Outcome = "read"


# The statement counts what was there before itself, hence the union.
_NOTE = text(
    """
    WITH t AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at),
    seen AS (
        SELECT * FROM unnest(cast(:people AS uuid[]), cast(:bases AS uuid[]),
                             cast(:organisations AS uuid[])) AS s(person_id, basis_id, place_id)
    ), noted AS (
        INSERT INTO accounts.data_access
               (person_id, at, reader_kind, reader_id, organisation_id, purpose, categories,
                basis_type, basis_id, outcome)
        SELECT s.person_id, t.at, cast(:reader_kind AS varchar), cast(:reader_id AS uuid),
               s.place_id, cast(:purpose AS varchar), cast(:categories AS varchar[]),
               cast(:basis_type AS varchar), s.basis_id, cast(:outcome AS varchar)
          FROM seen s, t
         WHERE NOT EXISTS (
               SELECT FROM accounts.data_access d
                WHERE cast(:once AS bool) AND d.reader_id = cast(:reader_id AS uuid)
                  AND d.at > t.at - interval '1 hour' AND d.person_id = s.person_id
                  AND d.purpose = cast(:purpose AS varchar)
                  AND d.basis_id IS NOT DISTINCT FROM s.basis_id
                  AND d.outcome = cast(:outcome AS varchar))
    )
    SELECT (SELECT count(*) FROM (
              SELECT d.person_id FROM accounts.data_access d, t
               WHERE cast(:is_counted AS bool) AND d.reader_id = cast(:reader_id AS uuid)
                 AND d.at > t.at - interval '1 hour'
                 AND d.outcome <> 'refused' AND d.basis_type <> 'consent'
              UNION SELECT person_id FROM seen) p) AS persons,
           ARRAY(SELECT h.person_id FROM accounts.honey_person h
                  WHERE h.person_id = ANY(cast(:people AS uuid[]))) AS honey
    """
)


def noted_from(source: str) -> str:
    """Return the INSERT of one look by the person's own consent, for a driver-level statement.

    ``source`` names a relation of one row or none; its column ``id`` is what the look rests on.
    Nobody is counted here and no alarm is rung: a look at a made-up person belongs to
    ``note_access``.
    """
    return f"""
    INSERT INTO accounts.data_access
           (person_id, at, reader_kind, reader_id, organisation_id, purpose, categories,
            basis_type, basis_id)
    SELECT %(person_id)s, coalesce(cast(%(now)s AS timestamptz), statement_timestamp()),
           %(reader_kind)s, %(reader_id)s, %(organisation_id)s, %(purpose)s,
           cast(%(categories)s AS varchar[]), 'consent', s.id
      FROM {source} s WHERE cast(%(person_id)s AS uuid) IS NOT NULL
    """  # noqa: S608 - no part of it comes from outside


def consented(look: Look | None) -> dict[str, Any]:
    """Return what ``noted_from`` asks for; with no look nothing is noted."""
    names = ("person_id", "reader_kind", "reader_id", "organisation_id", "purpose")
    if look is None:
        return dict.fromkeys((*names, "categories"))
    # As PostgreSQL writes a list: they are plain words, and a list costs more than all else here.
    categories = "{" + ",".join(look.categories) + "}"
    return {name: getattr(look, name) for name in names} | {"categories": categories}


def note_access(session: Session | Connection, look: Look, *, now: datetime | None = None) -> None:
    """Record one look; the person finds it under ``GET /me/data-access``.

    Raises ``BulkReadStopped`` where the reader looked at too many persons within the hour.
    """
    _note(session, [look], once=False, now=now)


def note_list(
    session: Session | Connection, looks: Sequence[Look], *, now: datetime | None = None
) -> None:
    """Record a list somebody read, in one statement; all looks differ in person and basis only.

    A list that is opened again within the hour adds no second line. Raises ``BulkReadStopped``.
    """
    if looks:
        _note(session, looks, once=True, now=now)


def _note(
    session: Session | Connection, looks: Sequence[Look], *, once: bool, now: datetime | None
) -> None:
    first = looks[0]
    is_counted = (
        first.reader_kind in COUNTED
        and first.reader_id is not None
        and first.outcome != "refused"
        and first.basis_type != "consent"
    )
    facts = {
        **asdict(first),
        "people": [look.person_id for look in looks],
        "bases": [look.basis_id for look in looks],
        "organisations": [look.organisation_id for look in looks],
        "categories": list(first.categories),
        "once": once,
        "is_counted": is_counted,
        "now": now,
    }
    found = session.execute(_NOTE, facts).one()
    for person_id in found.honey:
        _ring(session, "privacy.honey_read", first, "person", person_id)
    if is_counted and found.persons > _most[0]:
        refused = [replace(look, outcome="refused") for look in looks]
        raise BulkReadStopped(retry_after=HOUR_S).but_record(
            partial(_note, looks=refused, once=True, now=now), partial(_alarm, look=first)
        )


def _ring(
    session: Session | Connection,
    action: str,
    look: Look,
    object_type: str,
    object_id: UUID | None,
) -> None:
    """Write an alarm to the audit trail and to the log."""
    log.warning(action, reader_id=str(look.reader_id), purpose=look.purpose)
    record(
        session,
        Act(
            actor_kind=look.reader_kind,
            actor_id=look.reader_id,
            action=action,
            object_type=object_type,
            object_id=object_id,
            organisation_id=look.organisation_id,
            payload={"purpose": look.purpose},
        ),
    )


_RUNG = text(
    """
    SELECT EXISTS (SELECT FROM audit.entry
                    WHERE object_type = 'account' AND object_id = :reader_id
                      AND action = 'privacy.bulk_read'
                      AND at > statement_timestamp() - interval '1 hour')
      FROM (SELECT pg_advisory_xact_lock(hashtextextended('bulk_read ' || :reader, 0))) l
    """
)


def _alarm(session: Session | Connection, look: Look) -> None:
    """Raise the alarm about a reader, once an hour."""
    asked = {"reader_id": look.reader_id, "reader": str(look.reader_id)}
    if not session.scalar(_RUNG, asked):
        _ring(session, "privacy.bulk_read", look, "account", look.reader_id)


_most: list[int] = [Settings.reads_per_hour]


def configure(settings: Settings) -> None:
    """Take from the settings how many persons one reader may look at in an hour."""
    _most[:] = [settings.reads_per_hour]
