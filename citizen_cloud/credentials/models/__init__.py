"""Tables of the credentials room: codes, the keys of phones, and what verifiers are told."""

from citizen_cloud.credentials.models.codes import Credential
from citizen_cloud.credentials.models.devices import DeviceChallenge, DeviceKey
from citizen_cloud.credentials.models.trust import KeyRevocation, Snapshot

__all__ = ["Credential", "DeviceChallenge", "DeviceKey", "KeyRevocation", "Snapshot"]
