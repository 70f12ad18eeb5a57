"""Tables of the accounts room. Documents, names and phones are sealed; indexes are blind."""

from citizen_cloud.accounts.models.access import DataAccess
from citizen_cloud.accounts.models.codes import OtpChallenge, OtpDay
from citizen_cloud.accounts.models.devices import Device, SignIn
from citizen_cloud.accounts.models.factors import RecoveryCode, Reset
from citizen_cloud.accounts.models.people import Account, Consent, Person

__all__ = [
    "Account",
    "Consent",
    "DataAccess",
    "Device",
    "OtpChallenge",
    "OtpDay",
    "Person",
    "RecoveryCode",
    "Reset",
    "SignIn",
]
