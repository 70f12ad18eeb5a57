"""What the person is told when a way into the account is added or taken away."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.messages.services.inbox import Note, notify
from citizen_cloud.text import Text

WORDS = {
    "linked": (
        Text("新增登录方式", "New way to sign in"),
        Text(
            "您的账号已关联“{zh}”登录。如非本人操作，请立即在“账号与安全”中解除关联。",
            "{en} can now sign in to your account. If that was not you, remove it at once.",
        ),
    ),
    "removed": (
        Text("登录方式已解除", "A way to sign in was removed"),
        Text(
            "您的账号已解除“{zh}”登录关联。如非本人操作，请尽快检查登录设备。",
            "{en} can no longer sign in to your account. If that was not you, check your devices.",
        ),
    ),
}


def tell(
    session: Session,
    *,
    verb: Literal["linked", "removed"],
    account_id: UUID,
    identity_id: UUID,
    title: Text,
    now: datetime,
) -> None:
    """Tell the inbox, which every device shows, and the phone: it must not go unnoticed."""
    head, body = WORDS[verb]
    note = Note(
        account_id=account_id,
        kind=f"federation.{verb}",
        title=head,
        body=body.filled(zh=title.zh, en=title.en),
        dedupe_key=f"federation.{verb}:{identity_id}",
        sms=True,
    )
    notify(session, note=note, now=now)
