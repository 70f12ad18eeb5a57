"""What an account is told of its phones: whoever did not do it should speak up at once."""

from collections.abc import Mapping
from uuid import UUID

from citizen_cloud.credentials.services.devices import LOST
from citizen_cloud.credentials.services.registering import REGISTERED
from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import Note
from citizen_cloud.text import Text

_WORDS: Mapping[str, tuple[Text, Text]] = {
    REGISTERED: (
        Text("新手机可出示健康码", "A phone may show your health code"),
        Text(
            "您的账号登记了一台可出示健康码的手机。如非本人操作，请在“设备”中移除并前往服务窗口。",
            "A phone was registered to show your health code. If this was not you, remove it from "
            "your devices and visit a service counter.",
        ),
    ),
    LOST: (
        Text("手机已挂失", "Phone reported lost"),
        Text(
            "您的一台手机已挂失，其中的健康码已作废。如非本人操作，请前往服务窗口。",
            "One of your phones was reported lost, and the health codes on it are void. If this "
            "was not you, visit a service counter.",
        ),
    ),
}
ABOUT = frozenset(_WORDS)


def note_of(event: Event) -> Note:
    """Return what is told; every device of the account reads it."""
    title, body = _WORDS[event.name]
    return Note(
        account_id=UUID(event.payload["account_id"]),
        kind=event.name,
        title=title,
        body=body,
        dedupe_key=f"{event.name}:{event.id}",
        sms=event.name == LOST,
    )
