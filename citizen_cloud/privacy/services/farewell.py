"""Tell whoever has something in a module that its end has begun."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from citizen_cloud.db import Base
from citizen_cloud.jobs.services import announce
from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.privacy import owners
from citizen_cloud.registry.services import SUNSET_BEGUN
from citizen_cloud.text import Text

MOST = 500
KIND = "privacy.module_sunset"
BODY = Text(
    "{zh}已停止服务。您在其中的数据将依法清除；如需保留，请尽快申请个人信息副本。",
    "{en} has ended. What it holds about you will be destroyed; ask for a copy of your data soon "
    "if you want to keep it.",
)
_STANDS = text("SELECT state = 'sunset' FROM registry.module WHERE name = :module")


def sunset_begun(session: Session, event: Event, now: datetime) -> None:
    """Tell a batch of holders, and leave the rest to a further event."""
    module, version = event.payload["module"], event.payload["version"]
    ending = owners.current().endings.get(module)
    if ending is None or not session.scalar(_STANDS, {"module": module}):
        return
    asked = {"module": module, "after": event.payload.get("after"), "most": MOST}
    told = list(session.scalars(_holders(module), asked))
    title, words = ending.title, {"zh": ending.title.zh, "en": ending.title.en}
    for account_id in told:
        note = Note(
            account_id=account_id,
            kind=KIND,
            title=title,
            body=Text(BODY.zh.format(**words), BODY.en.format(**words)),
            dedupe_key=f"{KIND}:{module}:{version}:{account_id}",
        )
        notify(session, note=note, now=now)
    if len(told) == MOST:
        announce(session, SUNSET_BEGUN, {**event.payload, "after": told[-1]}, lane="bulk")


# Whoever booked there, also for somebody else.
_BOOKED = """EXISTS (SELECT FROM booking.booking b JOIN booking.slot s ON s.id = b.slot_id
              WHERE s.module = :module AND (b.person_id = a.person_id OR b.booked_by = a.id))"""


def _holders(module: str) -> TextClause:
    """Return the statement that finds accounts behind the keys of a module, and who booked."""
    held = " OR ".join((*_keys(module), _BOOKED))
    return text(
        f"""
        SELECT a.id FROM accounts.account a
         WHERE a.kind = 'citizen' AND a.status <> 'closed' AND ({held})
           AND (cast(:after AS uuid) IS NULL OR a.id > :after)
         ORDER BY a.id LIMIT :most
        """  # noqa: S608 - names of tables and columns of the metadata
    )


def _keys(module: str) -> Iterator[str]:
    columns = {"person_id": "a.person_id", "account_id": "a.id"}
    for table in Base.metadata.sorted_tables:
        if table.schema != module:
            continue
        for name, own in columns.items():
            if name in table.columns:
                yield f"EXISTS (SELECT FROM {table.fullname} t WHERE t.{name} = {own})"


def holders(session: Session, module: str) -> list[UUID]:
    """Return the first accounts that would be told."""
    asked = {"module": module, "after": None, "most": MOST}
    return list(session.scalars(_holders(module), asked))
