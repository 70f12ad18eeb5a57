"""Verbs of the room: propose, decide, end; appoint and dismiss those who decide."""

from citizen_cloud.approvals.services.approvers import appoint, dismiss
from citizen_cloud.approvals.services.deciding import Decided, Word, decide
from citizen_cloud.approvals.services.ending import expire_open, withdraw
from citizen_cloud.approvals.services.proposing import Proposer, propose

__all__ = [
    "Decided",
    "Proposer",
    "Word",
    "appoint",
    "decide",
    "dismiss",
    "expire_open",
    "propose",
    "withdraw",
]
