"""What this room itself lets several people decide: who else may decide, and who no longer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.standing_for import persons_behind
from citizen_cloud.approvals import queries, services
from citizen_cloud.approvals.refusals import OwnProposal
from citizen_cloud.approvals.services.approvers import check_appointed, check_eligible
from citizen_cloud.manifest import DecisionKind, Onlooker, Proposal, Terms
from citizen_cloud.text import Text
from citizen_cloud.web.fields import Uuid
from citizen_cloud.web.schemas import Incoming

PERMISSION = "approvals.approvers.propose"


class AppointmentSchema(Incoming):
    """Who shall decide, and for which authority."""

    account_id = Uuid(required=True, metadata={"description": "Active staff of the authority"})
    organisation_id = Uuid(required=True, metadata={"description": "The authority"})


class DismissalSchema(Incoming):
    """Who shall decide no more."""

    account_id = Uuid(required=True, metadata={"description": "An appointed approver"})


def _whose(session: Session, proposal: Proposal) -> UUID:
    """Return whom it is about.

    Raises ``OwnProposal``: nobody nominates himself, with whichever account.
    """
    account_id, by = UUID(proposal.payload["account_id"]), proposal.proposed_by
    if account_id == by:
        raise OwnProposal
    if by is not None and persons_behind(session, {account_id}) & persons_behind(session, {by}):
        raise OwnProposal
    return account_id


def check_appointment(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Refuse whoever is no active staff of that authority, or stands for nobody."""
    del now
    unit_id = UUID(proposal.payload["organisation_id"])
    check_eligible(session, account_id=_whose(session, proposal), unit_id=unit_id)
    return Terms(summary=dict(proposal.payload))


def apply_appointment(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Appoint."""
    del now
    approver_id = services.appoint_agreed(
        session,
        account_id=_whose(session, proposal),
        unit_id=UUID(proposal.payload["organisation_id"]),
        proposal_id=proposal.id,
    )
    return {"approver_id": approver_id}


def shows_whom(
    session: Session, proposal: Proposal, reader: Onlooker, now: datetime | None
) -> Mapping[str, Any]:
    """Return the payload with what tells whom it is about: an id tells an approver nothing.

    A colleague's user name, since when somebody stands for the account, and when it was last reset:
    what approvers ask him about.
    """
    del reader, now
    whom = queries.nominee(session, UUID(proposal.payload["account_id"]))
    return {**proposal.payload, **whom}


def check_dismissal(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Refuse whoever is not appointed."""
    del now
    check_appointed(session, account_id=_whose(session, proposal))
    return Terms(summary=dict(proposal.payload))


def apply_dismissal(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Dismiss."""
    services.dismiss(
        session, account_id=_whose(session, proposal), proposal_id=proposal.id, now=now
    )
    return {}


DECISIONS = (
    DecisionKind(
        name="approvals.appoint",
        title=Text("任命审批人", "Appoint an approver"),
        permission=PERMISSION,
        payload=AppointmentSchema,
        reasons={
            "new_approver": Text("新任命", "A new approver"),
            "after_reset": Text("账号重置后重新任命", "Appointed anew after a reset"),
        },
        check=check_appointment,
        apply=apply_appointment,
        shows=shows_whom,
    ),
    DecisionKind(
        name="approvals.dismiss",
        title=Text("解除审批人", "Dismiss an approver"),
        permission=PERMISSION,
        payload=DismissalSchema,
        reasons={
            "left": Text("调离岗位", "Left the post"),
            "misconduct": Text("违规", "Misconduct"),
        },
        check=check_dismissal,
        apply=apply_dismissal,
        shows=shows_whom,
    ),
)
