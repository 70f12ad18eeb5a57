"""Give a phone its code by one statement in autocommit, where nothing stands in the way.

The statement locks the standing, reads the colour from the row it locked, and writes the record.
Whoever changes a colour takes the same lock first and then, in a statement of his own, ends what
he finds: he finds this code, or this code says his colour. Whatever is not as usual writes nothing
and gives None: a turn that is due, somebody else's business, every refusal. ``showing`` does those
in a transaction, and says why.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.services.devices import own_key
from citizen_cloud.credentials.services.issuing import (
    COLUMNS,
    PHONE,
    facts_of,
    held_of,
    insert_from,
)
from citizen_cloud.db import first_row, for_driver
from citizen_cloud.modules.health_code.queries import showable
from citizen_cloud.modules.health_code.queries.showable import Asking
from citizen_cloud.modules.health_code.services.codes.showing import Given

_GIVE = """
    WITH w AS MATERIALIZED ({source}), made AS ({insert})
    SELECT w.at, w.colour, w.expires_at AS next_change_at, {columns} FROM made, w
"""


_GIVE_PHONE = for_driver(
    _GIVE.format(
        source=showable.GIVABLE,
        insert=insert_from("w"),
        columns=", ".join(f"made.{name}" for name in COLUMNS),
    )
)


def give_phone(
    connection: Connection,
    asking: Asking,
    *,
    show_key: bytes,
    proof: bytes,
    now: datetime | None = None,
) -> Given | None:
    """Give the phone a code for a day, by two statements: its key, then everything else."""
    if asking.link_id is not None:
        return None
    key = own_key(connection, account_id=asking.account_id, device_id=asking.device_id)
    if key is None or not _is_proven(key.public_key, show_key, proof):
        return None
    facts = facts_of(
        type=PHONE, holder_id=asking.person_id, show_key=show_key, device_key_id=key.id
    )
    row = first_row(connection, _GIVE_PHONE, facts | showable.facts_of(asking, now))
    if row is None:
        return None
    at, colour, next_change_at, *record = row
    held = held_of(dict(zip(COLUMNS, record, strict=True)))
    return Given(held=held, colour=colour, next_change_at=next_change_at, at=at)


def _is_proven(device_key: bytes, show_key: bytes, proof: bytes) -> bool:
    return (
        show_key != device_key
        and proofs.is_key(show_key)
        and proofs.is_signed(device_key, proof, proofs.key_message(show_key))
    )
