"""What a person is told about a case; nothing in here names the person or a phone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.recovery import account_of
from citizen_cloud.messages.services.inbox import Note, notify
from citizen_cloud.text import Text

_WHAT = {
    "recovery": Text("更换手机号", "a new phone for your account"),
    "name_correction": Text("更正姓名", "a correction of your name"),
    "enrolment": Text("现场实名登记", "an enrolment in person"),
}
_TITLES = {
    "opened": Text("收到申请：{what}", "Asked for: {what}"),
    "approved": Text("已办理：{what}", "Done: {what}"),
    "refused": Text("未通过：{what}", "Refused: {what}"),
    "cancelled": Text("已取消：{what}", "Cancelled: {what}"),
    "expired": Text("已过期：{what}", "Expired: {what}"),
}
_WARNING = Text(
    "如非本人办理，请立即联系服务窗口。", "If this was not you, contact a service counter at once."
)
_BODIES = {
    "opened": Text(
        "收到以您的身份提出的申请：{what}，须经工作人员审核。",
        "Somebody asked in your name for {what}; a member of staff decides.",
    ),
    "approved": Text("{what}已办理完成。", "Approved and done: {what}."),
    "refused": Text("{what}的申请未通过。", "Not approved: {what}."),
    "cancelled": Text("{what}的申请已取消。", "Cancelled: {what}."),
    "expired": Text("{what}的申请已过期。", "Not decided in time: {what}."),
}
# What ends without a change is told in the inbox only.
_TEXTED = frozenset({"opened", "approved", "refused"})


def tell(
    session: Session, *, case_id: UUID, kind: str, person_id: UUID | None, news: str, now: datetime
) -> None:
    """Tell a person's account, also by a text to the phone it has at this moment.

    Called before a phone is replaced: the old one learns of it. Who has no account has no inbox.
    """
    account_id = account_of(session, person_id=person_id) if person_id else None
    if account_id is None:
        return
    what = _WHAT[kind]
    body = Text(
        _BODIES[news].zh.format(what=what.zh) + _WARNING.zh,
        f"{_BODIES[news].en.format(what=what.en)} {_WARNING.en}",
    )
    title = Text(_TITLES[news].zh.format(what=what.zh), _TITLES[news].en.format(what=what.en))
    note = Note(
        account_id=account_id,
        kind=f"counter.{news}",
        title=title,
        body=body,
        dedupe_key=f"counter.case:{case_id}:{news}",
        subject_type="case",
        subject_id=case_id,
        sms=news in _TEXTED,
    )
    notify(session, note=note, now=now)
