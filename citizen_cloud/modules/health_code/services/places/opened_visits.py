"""Read an opened record, page by page, and tell those who were there; never in silence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import mask_name, name_place
from citizen_cloud.accounts.services.data_access import Look, note_list
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound
from citizen_cloud.families.services import accounts_to_tell
from citizen_cloud.jobs.services import announce
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.modules.health_code.queries.openings import OpeningRow, locked, sealed_names
from citizen_cloud.modules.health_code.queries.units import authority
from citizen_cloud.modules.health_code.queries.visits import SealedVisit, window
from citizen_cloud.modules.health_code.rules.place_refusals import OpeningOver
from citizen_cloud.modules.health_code.services.places.openings import OBJECT
from citizen_cloud.modules.health_code.services.places.sealed_visits import Visitor, opened
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text, from_json
from citizen_cloud.web.caller import Grant

TO_TELL = "health_code.visitors_to_tell"
MODULE = "health_code"
MOST_TOLD = 200
NOBODY = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One visit of an opened record; the name is masked."""

    visit_id: UUID
    person_id: UUID
    person_name: str
    at: datetime


def _opening(session: Session, opening_id: UUID, grant: Grant, now: datetime | None) -> OpeningRow:
    """Return an opening of the caller's own authority that still runs; everywhere is not enough.

    Nor is an authority that was closed, or is none any more.
    """
    found = locked(session, opening_id, now=now)
    if found is None or found.unit_id not in grant.organisation_ids:
        raise NotFound
    if authority(session, found.unit_id) is None:
        raise NotFound
    if found.is_over:
        raise OpeningOver(ends_at=found.ends_at.isoformat())
    return found


_COUNT = text(
    """
    UPDATE health_code.visit_opening
       SET reads = reads + 1, shown = shown + :number,
           last_read_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id
    """
)


def read_opening(
    session: Session,
    *,
    opening_id: UUID,
    grant: Grant,
    actor: Actor,
    after: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> tuple[list[Shown], UUID | None]:
    """Return one page and the id the next begins behind.

    Each page is an entry of the audit trail, and each person shown finds the look among those at
    the own data. Raises ``NotFound``, ``OpeningOver``, and ``BulkReadStopped`` for whoever reads
    more persons within an hour than anybody has to.
    """
    found = _opening(session, opening_id, grant, now)
    rows = _window(session, found, after, limit, now)
    visitors = [_opened(row) for row in rows[:limit]]
    names = sealed_names(session, [one.person_id for one in visitors])
    shown = [
        Shown(
            visit_id=row.id,
            person_id=one.person_id,
            person_name=_masked(names[one.person_id], one.person_id),
            at=one.at,
        )
        for row, one in zip(rows, visitors, strict=False)
        if one.person_id in names
    ]
    looks = [_look(one.person_id, found, actor) for one in _once(shown)]
    note_list(session, looks, now=now)
    session.execute(_COUNT, {"id": found.id, "number": len(shown), "now": now})
    _audit(session, found, actor, "health_code.visits_read", len(shown))
    return shown, rows[limit - 1].id if len(rows) > limit else None


def _window(
    session: Session, found: OpeningRow, after: UUID | None, limit: int, now: datetime | None
) -> list[SealedVisit]:
    return window(
        session,
        place_id=found.place_id,
        from_at=found.from_at,
        until_at=found.until_at,
        after=after,
        limit=limit,
        now=now,
    )


def _opened(row: SealedVisit) -> Visitor:
    return opened(row.visitor_sealed, visit_id=row.id, place_id=row.place_id)


def _masked(sealed: bytes, person_id: UUID) -> str:
    return mask_name(crypto.current().open(sealed, place=name_place(person_id)))


def _once(shown: Sequence[Shown]) -> list[Shown]:
    """Return one visit of each person."""
    return list({one.person_id: one for one in shown}.values())


def _look(person_id: UUID, found: OpeningRow, actor: Actor) -> Look:
    return Look(
        person_id=person_id,
        reader_kind=actor.kind,
        reader_id=actor.id,
        organisation_id=found.unit_id,
        purpose="health_code.visits",
        categories=("name", "visits"),
        basis_type="case",
        basis_id=found.id,
    )


def _audit(session: Session, found: OpeningRow, actor: Actor, action: str, number: int) -> None:
    act = Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        object_type=OBJECT,
        object_id=found.id,
        organisation_id=found.unit_id,
        payload={"number": number},
    )
    record(session, act)


def ask_to_tell(
    session: Session,
    *,
    opening_id: UUID,
    grant: Grant,
    actor: Actor,
    now: datetime | None = None,
) -> None:
    """Have everybody who was there told through the inbox: no phone leaves the platform."""
    found = _opening(session, opening_id, grant, now)
    announce(session, TO_TELL, {"opening_id": found.id, "after": None}, lane="bulk")
    _audit(session, found, actor, "health_code.visitors_told", found.shown)


_UNIT = text("SELECT name FROM organisations.organisation WHERE id = :id")
_TITLE = Text("请查看您的到访记录", "Please look at your visits")
_BODY = Text(
    "{unit}在流行病学调查中查阅了某场所的到访记录，其中包括您。请在“我的到访记录”中核对，"
    "留意自身健康，并按当地要求检测。查阅经两个单位批准，您可在“谁看过我的数据”中看到。",
    "{unit} has read, for a case, the visits of a place you were at. Please check your own visits, "
    "watch your health and be tested as the city asks. Two authorities agreed to it; it stands "
    "among the looks at your data.",
)


def tell_some(session: Session, *, opening_id: UUID, after: UUID | None, now: datetime) -> None:
    """Tell the next visitors of an opened record, and leave the rest to the next event.

    The message names neither place nor hour: an inbox must not say what the row hides.
    """
    found = locked(session, opening_id, now=now)
    if found is None:
        return
    rows = _window(session, found, after, MOST_TOLD, now)
    unit = from_json(session.execute(_UNIT, {"id": found.unit_id}).scalar_one())
    body = Text(_BODY.zh.format(unit=unit.zh), _BODY.en.format(unit=unit.en))
    for person_id in {_opened(row).person_id for row in rows[:MOST_TOLD]}:
        _tell(session, opening_id, person_id, body, now)
    if len(rows) > MOST_TOLD:
        rest = {"opening_id": opening_id, "after": rows[MOST_TOLD - 1].id}
        announce(session, TO_TELL, rest, lane="bulk")


def _tell(session: Session, opening_id: UUID, person_id: UUID, body: Text, now: datetime) -> None:
    """Tell a person, or whoever may act where the person has no account."""
    for account_id in accounts_to_tell(
        session, person_id=person_id, booked_by=NOBODY, scope=MODULE
    ):
        key = crypto.current().keyed_hash(TO_TELL, f"{opening_id}:{account_id}").hex()
        note = Note(
            account_id=account_id,
            kind="health_code.visits_read",
            title=_TITLE,
            body=body,
            dedupe_key=f"health_code.visits_read:{key}",
        )
        notify(session, note=note, now=now)
