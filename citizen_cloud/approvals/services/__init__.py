"""Verbs of the room: propose, decide, end; appoint and dismiss those who decide."""

from citizen_cloud.approvals.services.approvers import appoint, appoint_agreed, dismiss
from citizen_cloud.approvals.services.deciding import Decided, Word, decide
from citizen_cloud.approvals.services.ending import expire_open, forget_owner, withdraw
from citizen_cloud.approvals.services.proposing import Proposer, check_words, propose, size_of
from citizen_cloud.approvals.services.showing import shown

__all__ = [
    "Decided",
    "Proposer",
    "Word",
    "appoint",
    "appoint_agreed",
    "check_words",
    "decide",
    "dismiss",
    "expire_open",
    "forget_owner",
    "propose",
    "shown",
    "size_of",
    "withdraw",
]
