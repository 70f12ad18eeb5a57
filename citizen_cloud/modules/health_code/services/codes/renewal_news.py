"""What people are told when a key of codes was revoked and their codes were issued anew."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.credentials.services.issuing import PAPER, PHONE
from citizen_cloud.families.services import accounts_of_all
from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import Note, notify_all
from citizen_cloud.modules.health_code.services.codes.acting import SCOPE
from citizen_cloud.text import Text

KIND = "health_code.renewed"
_WORDS: Mapping[str, tuple[Text, Text]] = {
    PHONE: (
        Text("请刷新健康码", "Refresh your health code"),
        Text(
            "为安全起见，健康码的签发密钥已更换。请联网打开应用一次，旧码不再有效，颜色不变。",
            "For safety the key that signs health codes was changed. Open the app once with a "
            "network: the old code counts no more. Your colour is the same.",
        ),
    ),
    PAPER: (
        Text("请重新打印纸质码", "Print your paper code again"),
        Text(
            "为安全起见，健康码的签发密钥已更换。您手中的纸质码不再有效，请重新打印或前往服务窗口办理。",
            "For safety the key that signs health codes was changed. The paper code you have "
            "counts no more: print it again, or have it made at a service counter.",
        ),
    ),
}


def tell_renewed(session: Session, events: Sequence[Event], now: datetime) -> None:
    """Tell people once for each revoked key, or those who act for who has no account."""
    ours = [
        event.payload
        for event in events
        if event.payload["type"] in _WORDS and event.payload["holder_id"] is not None
    ]
    people = [UUID(said["holder_id"]) for said in ours]
    accounts = accounts_of_all(session, people=people, scope=SCOPE)
    notes = [
        _note(said, person_id, account_id)
        for said, person_id in zip(ours, people, strict=True)
        for account_id in accounts[person_id]
    ]
    notify_all(session, notes=notes, now=now)


def _note(said: Mapping[str, Any], person_id: UUID, account_id: UUID) -> Note:
    title, body = _WORDS[said["type"]]
    # Whose it was does not stand in the inbox of whoever acts.
    once = crypto.current().counter(KIND, f"{said['kid']}:{said['type']}:{person_id}")[:16].hex()
    return Note(
        account_id=account_id,
        kind=KIND,
        title=title,
        body=body,
        dedupe_key=f"{KIND}:{once}:{account_id}",
    )
