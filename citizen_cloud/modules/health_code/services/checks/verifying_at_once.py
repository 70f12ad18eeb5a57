"""Check a code by two statements in autocommit, where all is as usual.

The first knows everything; the second writes the check and the look at the person, both or
neither. Whatever is not as usual writes nothing and gives None: a share, a turn that is due, a
made-up person, a code that was never issued, somebody who was faster. ``verifying`` does those in
a transaction.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from citizen_cloud.credentials.verifier import Outcome
from citizen_cloud.modules.health_code.queries.verifiable import known
from citizen_cloud.modules.health_code.services.checks import scans
from citizen_cloud.modules.health_code.services.checks.inspectors import Inspector, look_at
from citizen_cloud.modules.health_code.services.checks.presented import Presented
from citizen_cloud.modules.health_code.services.checks.verifying import (
    Answer,
    answer_of,
    decided,
    door_of,
    repeated,
    require_place,
    worth,
)


def verify(
    connection: Connection, *, scan: Presented, inspector: Inspector, now: datetime | None = None
) -> Answer | None:
    """Answer a scan once, or leave it to ``verifying``.

    Raises ``NotFound`` for a place that is not the inspector's, ``PlaceClosed``, and
    ``ScanIdReused``.
    """
    if scan.is_share:
        return None
    found = known(connection, scan.facts(inspector.account_id, now))
    require_place(scan.place_id, found, inspector)
    if found.answer_sealed is not None:
        return repeated(scan, found)
    outcome = worth(scan, found, door_of(scan.place_id, found))
    if found.is_due or found.is_honey or outcome is Outcome.SIGNED_BUT_NOT_ISSUED:
        return None
    said = decided(scan, found, outcome, found.colour, found.as_of)
    look = None
    if said.outcome is Outcome.VALID and found.person_id is not None:
        look = look_at(found.person_id, found.organisation_id, inspector)
    is_written = scans.write_noted(
        connection, scan=scan, said=said, look=look, by=inspector.account_id, now=now
    )
    return answer_of(said, found, replayed=False) if is_written else None
