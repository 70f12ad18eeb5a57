"""What the accounts room announces, told to whom it concerns."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.manifest import Event, Handler
from citizen_cloud.messages.services.deliveries import queue_text
from citizen_cloud.messages.services.inbox import SMS_LIFE, Note, notify
from citizen_cloud.text import Text

PHONE_CHANGED = Text("手机号已更换", "Phone number changed")
PHONE_CHANGED_BODY = Text(
    "您的账号已更换手机号，其他设备已退出登录。如非本人操作，请立即携带证件前往服务窗口。",
    "Your account now uses another phone number, and other devices were signed out. If this was "
    "not you, visit a service counter with your document at once.",
)
OLD_PHONE = Text(
    "【市民云】您的账号已不再使用本号码。如非本人操作，请立即携带证件前往服务窗口。",
    "[Citizen Cloud] Your account no longer uses this number. If this was not you, visit a "
    "service counter with your document at once.",
)
PHONE_GIVEN_UP = Text("手机号已解绑", "Phone number detached")
PHONE_GIVEN_UP_BODY = Text(
    "您的账号超过 90 天未使用，原手机号已由他人使用并从您的账号解绑。"
    "请携带证件前往服务窗口绑定新号码。",
    "Your account was not used for more than 90 days and its number serves somebody else now, so "
    "it was detached. Visit a service counter with your document to add another one.",
)
DEVICE_ADDED = Text("新设备登录", "Signed in on a new device")
DEVICE_ADDED_BODY = Text(
    "您的账号在一台新设备上登录。如非本人操作，请移除该设备并前往服务窗口。",
    "Your account was signed in on a new device. If this was not you, remove the device and "
    "visit a service counter.",
)
STAFF_BOUND = Text("已绑定工作人员账号", "A staff account stands for you")
STAFF_BOUND_BODY = Text(
    "一个工作人员账号已确认归您本人使用，该账号的提案与审批计为您本人所为。"
    "如非本人操作，请立即解除绑定并前往服务窗口。",
    "A staff account was confirmed as yours: what it proposes and decides counts as yours. If this "
    "was not you, end the binding at once and visit a service counter.",
)
STAFF_UNBOUND = Text("工作人员账号已解绑", "A staff account stands for you no more")
STAFF_UNBOUND_BODY = Text(
    "一个工作人员账号不再归您本人使用，其审批任命随之失效。",
    "A staff account stands for you no more, and its appointment to decide is over.",
)


def _telling(title: Text, body: Text) -> Handler:
    def handle(session: Session, event: Event, now: datetime) -> None:
        note = Note(
            account_id=UUID(event.payload["account_id"]),
            kind=event.name,
            title=title,
            body=body,
            dedupe_key=f"{event.name}:{event.id}",
        )
        notify(session, note=note, now=now)

    return handle


_note_change = _telling(PHONE_CHANGED, PHONE_CHANGED_BODY)


def phone_changed(session: Session, event: Event, now: datetime) -> None:
    """Tell the inbox, and the number that is left: a thief cannot keep either silent."""
    _note_change(session, event, now)
    if event.secret is None:
        return
    words = OLD_PHONE.in_language(event.secret["language"])
    queue_text(
        session,
        phone=event.secret["phone"],
        words=words,
        kind=event.name,
        key=f"{event.name}:text:{event.id}",
        until=event.created_at + SMS_LIFE,
    )


HANDLERS = {
    "accounts.phone_changed": phone_changed,
    "accounts.phone_given_up": _telling(PHONE_GIVEN_UP, PHONE_GIVEN_UP_BODY),
    "accounts.staff_account_bound": _telling(STAFF_BOUND, STAFF_BOUND_BODY),
    "accounts.staff_account_unbound": _telling(STAFF_UNBOUND, STAFF_UNBOUND_BODY),
    "accounts.device_added": _telling(DEVICE_ADDED, DEVICE_ADDED_BODY),
}
