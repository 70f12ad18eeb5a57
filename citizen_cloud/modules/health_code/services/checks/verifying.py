"""Check a code for an inspector: what it proves, what the city knows, and nothing beyond."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import mask_name, name_place
from citizen_cloud.accounts.services.data_access import note_access
from citizen_cloud.audit.services import Act, record
from citizen_cloud.credentials.verifier import Outcome
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.queries.verifiable import Known, known
from citizen_cloud.modules.health_code.rules.place_refusals import PlaceClosed
from citizen_cloud.modules.health_code.rules.verifying import (
    Door,
    ScanIdReused,
    outcome_of,
    reason_for,
)
from citizen_cloud.modules.health_code.services.checks import scans
from citizen_cloud.modules.health_code.services.checks.inspectors import Inspector, look_at
from citizen_cloud.modules.health_code.services.checks.presented import Presented
from citizen_cloud.modules.health_code.services.checks.records import record_of
from citizen_cloud.modules.health_code.services.checks.scans import Decided
from citizen_cloud.modules.health_code.services.codes import shares
from citizen_cloud.text import Text

COLOURED = frozenset({"green", "yellow", "red"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the inspector sees: never a phone number, an address or where somebody was."""

    outcome: Outcome
    colour: str | None
    name_masked: str | None
    as_of: datetime | None
    status_as_of: datetime
    source: str | None
    reason: Text
    decided_at: datetime
    replayed: bool


def verify(
    session: Session, *, scan: Presented, inspector: Inspector, now: datetime | None = None
) -> Answer:
    """Answer a scan once; the same scan id again gets the same answer.

    Raises ``NotFound`` for a place that is not the inspector's, ``PlaceClosed``, and
    ``ScanIdReused``. Most checks need no transaction (``verifying_at_once``).
    """
    facts = scan.facts(inspector.account_id, now)
    found = known(session, facts)
    require_place(scan.place_id, found, inspector)
    if found.answer_sealed is not None:
        return repeated(scan, found)
    said = _decided(session, scan, found, inspector)
    written = scans.write(session, account_id=inspector.account_id, rows=[(scan, said)])
    if not written:
        # Somebody was faster: with this very scan, or with this showing at another gate.
        again = known(session, facts)
        if again.answer_sealed is not None:
            return repeated(scan, again)
        said = Decided(outcome=Outcome.REPLAYED, decided_at=said.decided_at, source=said.source)
        written = scans.write(session, account_id=inspector.account_id, rows=[(scan, said)])
    if said.outcome is Outcome.VALID and found.person_id is not None:
        look = look_at(
            found.person_id, found.organisation_id, inspector, basis_id=written[scan.scan_id]
        )
        note_access(session, look, now=now)
    return answer_of(said, found, replayed=False)


def require_place(place_id: UUID | None, found: Known, inspector: Inspector) -> None:
    """Let pass whose place it is, while it is open; somebody else's is as an absent one."""
    if place_id is None:
        return
    if found.organisation_id is None or not inspector.grant.covers(found.organisation_id):
        raise NotFound
    if found.place_status != "open":
        raise PlaceClosed


def door_of(place_id: UUID | None, found: Known) -> Door:
    """Return what the place asks for."""
    if place_id is None:
        return Door()
    return Door(
        place_id=place_id,
        accepts_thin=bool(found.accepts_thin),
        accepts_paper=bool(found.accepts_paper),
        needs_nonce=bool(found.needs_nonce),
    )


def _decided(session: Session, scan: Presented, found: Known, inspector: Inspector) -> Decided:
    door = door_of(scan.place_id, found)
    if scan.is_share:
        outcome = _shared(session, scan, door, inspector, found.at)
    else:
        outcome = worth(scan, found, door)
        report(session, outcome, scan, inspector)
    stands = _stands(session, found) if outcome is Outcome.VALID else (None, None)
    return decided(scan, found, outcome, *stands)


def worth(scan: Presented, found: Known, door: Door) -> Outcome:
    """Say what a code is worth by itself and by its record."""
    record_found = record_of(found._asdict(), scan)
    return outcome_of(scan.reading, record_found, door, scan.nonce, found.at)


def decided(
    scan: Presented,
    found: Known,
    outcome: Outcome,
    colour: str | None,
    as_of: datetime | None,
) -> Decided:
    """Say what is answered, where the person stands so since then."""
    claims = scan.reading.claims
    if outcome is Outcome.VALID and (
        colour not in COLOURED or (claims is not None and claims.colour != colour)
    ):
        # The colour turned by itself and the code was not ended yet.
        outcome = Outcome.REVOKED
    if outcome is Outcome.VALID and found.is_seen:
        outcome = Outcome.REPLAYED
    is_valid = outcome is Outcome.VALID
    return Decided(
        outcome=outcome,
        decided_at=found.at,
        source=scan.source,
        colour=colour if is_valid else None,
        as_of=as_of if is_valid else None,
    )


def _shared(
    session: Session, scan: Presented, door: Door, inspector: Inspector, at: datetime
) -> Outcome:
    """Use a share up; where a gate asks for a nonce it is left alone, for nothing answers it."""
    if door.needs_nonce or scan.nonce is not None:
        return Outcome.WRONG_NONCE
    person_id = shares.consume(session, scan.code, used_by=inspector.account_id, now=at)
    return Outcome.VALID if person_id is not None else Outcome.NOT_FOUND


def report(session: Session, outcome: Outcome, scan: Presented, inspector: Inspector) -> None:
    """Alarm where a code was signed rightly and never issued: somebody else holds the key."""
    claims = scan.reading.claims
    if outcome is not Outcome.SIGNED_BUT_NOT_ISSUED or claims is None:
        return
    log.error("signed_but_not_issued", kid=claims.kid, jti=str(claims.jti))
    act = Act(
        actor_kind="staff",
        actor_id=inspector.account_id,
        action="health_code.signed_but_not_issued",
        object_type="credential",
        object_id=claims.jti,
        payload={"kid": claims.kid, "type": claims.type},
    )
    record(session, act)


def _stands(session: Session, found: Known) -> tuple[str | None, datetime | None]:
    if found.person_id is None or not found.is_due:
        return found.colour, found.as_of
    standing = standing_of(session, found.person_id, now=found.at)
    return (standing.colour, standing.as_of) if standing else (None, None)


def repeated(scan: Presented, found: Known) -> Answer:
    """Return what was answered before. Raises ``ScanIdReused`` for another code."""
    if found.code_hash != scan.code_hash:
        raise ScanIdReused
    if found.answer_sealed is None or found.scan_row_id is None:
        raise LookupError("a scan has its answer")
    return answer_of(scans.opened(found.answer_sealed, found.scan_row_id), found, replayed=True)


def answer_of(said: Decided, found: Known, *, replayed: bool) -> Answer:
    """Return what the inspector sees; the name is opened only where the code is valid."""
    is_valid = said.outcome is Outcome.VALID
    return Answer(
        outcome=said.outcome,
        colour=said.colour,
        name_masked=_name(found) if is_valid else None,
        as_of=said.as_of,
        status_as_of=said.decided_at,
        source=said.source,
        reason=reason_for(said.outcome, said.source),
        decided_at=said.decided_at,
        replayed=replayed,
    )


def _name(found: Known) -> str | None:
    if found.person_id is None or found.name_sealed is None:
        return None
    place = name_place(found.person_id)
    return mask_name(crypto.current().open(found.name_sealed, place=place))
