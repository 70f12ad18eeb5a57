"""What the approvals room announces: to those who may decide, and to who proposed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.approvals import kinds, queries
from citizen_cloud.manifest import Event, Handler
from citizen_cloud.messages.services.inbox import Note, notify
from citizen_cloud.text import Text

WAITING = Text("有事项待审批", "A proposal waits for you")
WAITING_BODY = Text(
    "“{kind}”一项待审批人决定，请核对证据后处理。",
    "“{kind}” waits for approvers. Check the evidence before you decide.",
)
ENDED = {
    "approvals.applied": Text("审批通过并已执行", "Agreed to, and done"),
    "approvals.rejected": Text("审批未通过", "Rejected"),
    "approvals.expired": Text("审批已过期", "Expired without a decision"),
    "approvals.failed": Text("已同意但未能执行", "Agreed to, but it could not be done"),
}
ENDED_BODY = Text("您提出的“{kind}”已有结果。", "There is news of what you proposed: “{kind}”.")
GONE = Text("审批事项", "A proposal")


def _about(name: str, body: Text) -> Text:
    """Fill in what kind it is; whatever it is about stays where it is."""
    known = kinds.current().get(name)
    title = GONE if known is None else known.title
    return Text(body.zh.format(kind=title.zh), body.en.format(kind=title.en))


def tell_approvers(session: Session, event: Event, now: datetime) -> None:
    """Tell everybody who may decide on it."""
    proposal_id = UUID(event.payload["proposal_id"])
    name, _ = queries.kind_and_proposer(session, proposal_id)
    for account_id in queries.approvers_to_tell(session, proposal_id):
        note = Note(
            account_id=account_id,
            kind=event.name,
            title=WAITING,
            body=_about(name, WAITING_BODY),
            dedupe_key=f"{event.name}:{event.id}:{account_id}",
            subject_type="approval",
            subject_id=proposal_id,
        )
        notify(session, note=note, now=now)


def _telling_proposer(title: Text) -> Handler:
    def handle(session: Session, event: Event, now: datetime) -> None:
        proposal_id = UUID(event.payload["proposal_id"])
        name, account_id = queries.kind_and_proposer(session, proposal_id)
        if account_id is None:
            return
        note = Note(
            account_id=account_id,
            kind=event.name,
            title=title,
            body=_about(name, ENDED_BODY),
            dedupe_key=f"{event.name}:{event.id}",
            subject_type="approval",
            subject_id=proposal_id,
        )
        notify(session, note=note, now=now)

    return handle


HANDLERS: dict[str, Handler] = {
    "approvals.proposed": tell_approvers,
    **{name: _telling_proposer(title) for name, title in ENDED.items()},
}
