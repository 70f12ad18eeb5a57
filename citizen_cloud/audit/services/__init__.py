"""Record acts, seal them into the chain, publish its heads, erase by order, verify it all."""

from citizen_cloud.audit.services.acts import Act, record, record_all
from citizen_cloud.audit.services.examining import Examination, Finding, examine, verify
from citizen_cloud.audit.services.heads import (
    Head,
    daily_heads,
    known_heads,
    note_head,
    present_head,
)
from citizen_cloud.audit.services.redacting import (
    ActsOf,
    NotSealedYet,
    Order,
    are_acts_waiting,
    order_of,
    sealed_acts,
)
from citizen_cloud.audit.services.sealing import length, seal

__all__ = [
    "Act",
    "ActsOf",
    "Examination",
    "Finding",
    "Head",
    "NotSealedYet",
    "Order",
    "are_acts_waiting",
    "daily_heads",
    "examine",
    "known_heads",
    "length",
    "note_head",
    "order_of",
    "present_head",
    "record",
    "record_all",
    "seal",
    "sealed_acts",
    "verify",
]
