"""The day's list of a counter, found by reference or by name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import mask_name, name_place
from citizen_cloud.modules.masks.queries import counter as queries
from citizen_cloud.modules.masks.queries.counter import MOST_OF_A_DAY, Collection
from citizen_cloud.organisations.rules.words import folded

After = tuple[datetime, UUID] | None
# No name has digits in it.
_DIGITS = re.compile("[0-9A-Za-z]*[0-9][0-9A-Za-z]*")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Somebody who is expected at the counter; the name is masked."""

    collection: Collection
    person_name: str


def expected(
    session: Session,
    *,
    organisation_ids: Sequence[UUID],
    on: date,
    q: str | None,
    after: After,
    limit: int,
) -> list[Expected]:
    """Return one page, and one row more, of who collects on a day.

    ``q`` is the beginning of a reference, or part of a name; Latin letters may be either. Names
    are stored sealed, so a search by name opens those of the day's list, at most 2,000, and shows
    them masked all the same. Bookings that are long over give no right to a name any more.
    """
    is_reference = q is not None and _DIGITS.fullmatch(q) is not None
    by_name = q is not None and not is_reference
    found = queries.day_list(
        session,
        organisation_ids=organisation_ids,
        on=on,
        reference=q.upper() if q is not None and is_reference else None,
        after=after,
        limit=MOST_OF_A_DAY if by_name else limit + 1,
    )
    names = _names(session, [one.person_id for one in found if one.is_basis])
    wanted = q if q is not None and by_name else ""
    matching = [
        one
        for one in found
        if one.reference.startswith(wanted.upper())
        or folded(wanted) in folded(names.get(one.person_id, ""))
    ]
    return [
        Expected(collection=one, person_name=mask_name(names[one.person_id]))
        if one.person_id in names
        else Expected(collection=one, person_name="")
        for one in matching[: limit + 1]
    ]


def _names(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, str]:
    rings = crypto.current()
    return {
        row["id"]: rings.open(row["name_sealed"], place=name_place(row["id"]))
        for row in queries.sealed_names(session, person_ids)
    }
