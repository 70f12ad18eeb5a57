"""Issue, revoke and verify codes: of a subject (a booking), or held by a person."""

from citizen_cloud.credentials.services.devices import (
    DeviceKey,
    device_keys_of,
    end_device_keys,
    live_device_key,
    prove_show_key,
    report_lost,
)
from citizen_cloud.credentials.services.held import (
    lift_held,
    revoke_held,
    revoke_held_by,
    suspend_held,
)
from citizen_cloud.credentials.services.issuing import Held, issue_held
from citizen_cloud.credentials.services.registering import (
    Challenge,
    challenge,
    register_device_key,
)
from citizen_cloud.credentials.services.subjects import Code, Verified, issue, revoke, verify

__all__ = [
    "Challenge",
    "Code",
    "DeviceKey",
    "Held",
    "Verified",
    "challenge",
    "device_keys_of",
    "end_device_keys",
    "issue",
    "issue_held",
    "lift_held",
    "live_device_key",
    "prove_show_key",
    "register_device_key",
    "report_lost",
    "revoke",
    "revoke_held",
    "revoke_held_by",
    "suspend_held",
    "verify",
]
