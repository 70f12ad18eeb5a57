"""Erase entries by legal order: salt and payload go, the act of it stays in the chain.

The application may change no entry, and give no order by itself. The one way is a function of the
owner's, which erases and writes the act together; another of his, of the room that knows who
agreed, calls it. An erasure without an act that names it is a finding for ever.
"""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.rules import COLUMNS, WIDTH, Told, ranges, rest
from citizen_cloud.audit.services.orders import ORDER
from citizen_cloud.errors import Conflict
from citizen_cloud.text import Text

MOST = 1_000


class NotSealedYet(Conflict):
    """An entry is no link of the chain yet; within a second it is."""

    code = "audit_not_sealed"
    title = Text("审计记录尚未封存", "Not sealed yet")
    detail = Text("审计记录尚未封存,请稍后再试。", "The entry is not sealed yet; try again.")


_ENTRIES = text(
    f"""
    SELECT {COLUMNS}, s.number FROM audit.entry e LEFT JOIN audit.seal s ON s.entry_id = e.id
     WHERE e.id = ANY(:entries) AND (e.salt IS NOT NULL OR e.payload IS NOT NULL)
       AND e.action <> '{ORDER}'
     ORDER BY s.number
    """  # noqa: S608 - constants
)
# A room that serves every module says in its acts for which one.
_OF_MODULE = """
    (e.action::text ^@ ANY(cast(:acts AS text[]))
     OR e.action::text ^@ ANY(cast(:shared AS text[])) AND e.payload ->> 'module' = :module)
"""
_OF_PREFIX = text(
    f"""
    SELECT s.number, e.id FROM audit.seal s JOIN audit.entry e ON e.id = s.entry_id
     WHERE {_OF_MODULE} AND e.salt IS NOT NULL AND s.number > :after
     ORDER BY s.number LIMIT :most
    """  # noqa: S608
)
_WAITING = text(
    f"""
    SELECT EXISTS (
        SELECT FROM audit.entry e
         WHERE {_OF_MODULE}
           AND e.xid >= (SELECT sealed_below FROM audit.watermark WHERE id = 1))
    """  # noqa: S608
)


@dataclass(frozen=True, kw_only=True)
class Order:
    """Entries to erase, and the act that names them with a hash of what is left of each."""

    entries: list[UUID]
    payload: Mapping[str, Any]


def order_of(session: Session, *, entries: Collection[UUID], ground: str) -> Order | None:
    """Return the order to erase sealed entries; None where nothing is left to erase.

    ``ground`` names the law or the decision, never a person. What was erased before is left out;
    the hashes keep the rest as firm as it was. Raises ``NotSealedYet``.
    """
    rows = session.execute(_ENTRIES, {"entries": list(entries)}).all()
    if not rows:
        return None
    if any(row.number is None for row in rows):
        raise NotSealedYet
    lefts = b"".join(rest(Told(*row[:WIDTH])) for row in rows)
    payload = {
        "ground": ground,
        "ranges": ranges(row.number for row in rows),
        "rest": base64.b64encode(lefts).decode(),
    }
    return Order(entries=[UUID(row.id) for row in rows], payload=payload)


@dataclass(frozen=True, kw_only=True)
class ActsOf:
    """The acts of a module: those whose action begins so, and those of rooms that name it."""

    module: str
    acts: Collection[str]
    shared: Collection[str] = ()

    def asked(self) -> dict[str, Any]:
        """Return what the statements ask for."""
        return {"module": self.module, "acts": list(self.acts), "shared": list(self.shared)}


def sealed_acts(
    session: Session, *, of: ActsOf, after: int = 0, most: int = MOST
) -> list[tuple[int, UUID]]:
    """Return number and id of a module's sealed entries, as far as they are told."""
    asked = {**of.asked(), "after": after, "most": most}
    return [(row.number, row.id) for row in session.execute(_OF_PREFIX, asked)]


def are_acts_waiting(session: Session, *, of: ActsOf) -> bool:
    """Return whether an entry of a module is still to be sealed."""
    return bool(session.scalar(_WAITING, of.asked()))
