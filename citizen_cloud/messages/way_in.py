"""Tell an account that something about its way in changed; who did not do it should speak up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.manifest import Event
from citizen_cloud.messages.services.inbox import Note, notify
from citizen_cloud.text import Text

TITLE = Text("账号安全提醒", "About your account")
WORDS = {
    "recovery_codes_drawn": Text(
        "您的账号生成了新的恢复码，旧的已失效。如非本人操作，请立即联系管理员。",
        "New recovery codes were drawn for your account; earlier ones are worthless. If it was "
        "not you, tell an administrator at once.",
    ),
    "recovery_code_used": Text(
        "您的账号使用恢复码登录，剩余 {left} 个。如非本人操作，请立即联系管理员。",
        "A recovery code signed your account in; {left} are left. If it was not you, tell an "
        "administrator at once.",
    ),
    "totp_replaced": Text(
        "您的账号更换了身份验证器。如非本人操作，请立即联系管理员。",
        "Your account has another authenticator. If it was not you, tell an administrator at once.",
    ),
    "reset": Text(
        "您的账号已被重置，原有密码与身份验证器已失效。如未申请，请联系管理员。",
        "Your account was reset; its password and authenticator count no more. If you did not "
        "ask for it, tell an administrator.",
    ),
    "person_bound": Text(
        "您的工作人员账号已与一名实名市民绑定。如非本人操作，请立即联系管理员。",
        "Your staff account now stands for a citizen of a proven name. If it was not you, tell an "
        "administrator at once.",
    ),
    "person_unbound": Text(
        "您的工作人员账号与市民的绑定已解除，审批任命随之失效。如非本人操作，请立即联系管理员。",
        "Your staff account stands for nobody in particular any more, and decides on no proposals. "
        "If it was not you, tell an administrator at once.",
    ),
    "suspended": Text(
        "您的账号已被停用。如有疑问，请联系客服。",
        "Your account was suspended. Ask the help desk if you do not know why.",
    ),
    "reinstated": Text(
        "您的账号已恢复使用，请重新登录。", "Your account may be used again; please sign in."
    ),
}
# Who cannot sign in does not read the inbox.
BY_TEXT = frozenset({"suspended", "reinstated"})


def tell_way_in_changed(session: Session, event: Event, now: datetime) -> None:
    """Put the change into the inbox of its account; a citizen who is shut out gets a text too."""
    what = event.payload["what"]
    note = Note(
        account_id=UUID(event.payload["account_id"]),
        kind=event.name,
        title=TITLE,
        body=WORDS[what].filled(**event.payload),
        dedupe_key=f"{event.name}:{event.id}",
        sms=what in BY_TEXT,
    )
    notify(session, note=note, now=now)
