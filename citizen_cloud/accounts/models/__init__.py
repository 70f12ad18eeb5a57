"""Tables of the accounts room. Documents, names and phones are sealed; indexes are blind."""

from citizen_cloud.accounts.models.access import DataAccess, HoneyPerson
from citizen_cloud.accounts.models.bindings import Binding
from citizen_cloud.accounts.models.codes import NetworkHour, OtpChallenge, OtpDay, SmsHour
from citizen_cloud.accounts.models.devices import Device, SignIn
from citizen_cloud.accounts.models.factors import RecoveryCode, Reset
from citizen_cloud.accounts.models.people import Account, Consent, Person
from citizen_cloud.accounts.models.receipts import ConsentReceipt

__all__ = [
    "Account",
    "Binding",
    "Consent",
    "ConsentReceipt",
    "DataAccess",
    "Device",
    "HoneyPerson",
    "NetworkHour",
    "OtpChallenge",
    "OtpDay",
    "Person",
    "RecoveryCode",
    "Reset",
    "SignIn",
    "SmsHour",
]
