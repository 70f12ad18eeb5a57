"""Where somebody stands: the row the last fold left, never one whose time is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.queries.events import pasts_of
from citizen_cloud.modules.health_code.queries.versions import parsed
from citizen_cloud.modules.health_code.rules import colours
from citizen_cloud.modules.health_code.rules.colours import Reason, fold
from citizen_cloud.modules.health_code.rules.versions import Colour
from citizen_cloud.text import from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A colour, why, and until when it holds by itself.

    ``is_due``: the row was behind, by time or by a new rule version, and what is returned was
    folded just now. Whoever signs a code from it writes the row first
    (``services.refolding.settle``): the codes of the colour before end there.
    """

    colour: Colour
    as_of: datetime
    reasons: tuple[Reason, ...]
    next_change_at: datetime | None
    green_from: datetime | None
    streak: int
    rule_version: int
    is_due: bool = False
    # A code issued before this ended: the colour was another one, a key was revoked, or the service
    # had ended.
    codes_from: datetime | None = None


# One row always: the rules in force, and beside them where the person stands.
_OF = text(
    """
    SELECT t.at, s.colour, s.as_of, s.reasons, s.next_change_at, s.green_from, s.streak,
           s.rule_version,
           greatest(s.changed_at, (SELECT max(r.at) FROM credentials.key_revocation r),
                    (SELECT max(z.begun_at) FROM registry.ended_type z WHERE z.type = 'hc'))
           AS codes_from,
           v.number, v.profile, v.rules::text AS rules,
           coalesce(s.holds_until <= t.at, false) OR s.rule_version <> v.number AS is_due
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
      JOIN health_code.rule_version v ON v.status = 'live'
      LEFT JOIN health_code.standing s ON s.person_id = :person_id
    """
)


def standing_of(
    session: Session | Connection, person_id: UUID, *, now: datetime | None = None
) -> Standing | None:
    """Return where somebody stands now; None of whom nothing was ever said.

    One statement; a second reads the events where the row is behind.
    """
    row = session.execute(_OF, {"person_id": person_id, "now": now}).one()
    if row.colour is None:
        return None
    if row.is_due:
        version = parsed(row.number, row.profile, row.rules)
        events, well = pasts_of(session, [person_id], fever_c=version.fever_c)[person_id]
        found = fold(events, version, row.at, well)
        turned_at = row.codes_from if found.colour == row.colour else row.at
        return _of_fold(found, is_due=True, codes_from=turned_at)
    return Standing(
        colour=row.colour,
        as_of=row.as_of,
        reasons=tuple(reason(one) for one in row.reasons),
        next_change_at=row.next_change_at,
        green_from=row.green_from,
        streak=row.streak,
        rule_version=row.rule_version,
        codes_from=row.codes_from,
    )


def _of_fold(found: colours.Standing, *, is_due: bool, codes_from: datetime | None) -> Standing:
    return Standing(
        colour=found.colour,
        as_of=found.as_of,
        reasons=found.reasons,
        next_change_at=found.next_change_at,
        green_from=found.green_from,
        streak=found.streak,
        rule_version=found.rule_version,
        is_due=is_due,
        codes_from=codes_from,
    )


def reason(stored: Mapping[str, Any]) -> Reason:
    """Read a reason as a row keeps it."""
    until, event_id = stored["until"], stored["event_id"]
    return Reason(
        rule=stored["rule"],
        version=stored["version"],
        colour=stored["colour"],
        text=from_json(stored["text"]),
        until=None if until is None else datetime.fromisoformat(until),
        event_id=None if event_id is None else UUID(event_id),
    )
