"""Issue, revoke and verify codes: of a subject (a booking), or held by a person."""

from citizen_cloud.credentials.services.held import lift_held, revoke_held, suspend_held
from citizen_cloud.credentials.services.issuing import Held, issue_held
from citizen_cloud.credentials.services.subjects import Code, Verified, issue, revoke, verify

__all__ = [
    "Code",
    "Held",
    "Verified",
    "issue",
    "issue_held",
    "lift_held",
    "revoke",
    "revoke_held",
    "suspend_held",
    "verify",
]
