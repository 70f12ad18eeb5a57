"""The verbs of the accounts room."""

from citizen_cloud.accounts.services.authentication import SignedIn, authenticate
from citizen_cloud.accounts.services.staff_accounts import create_staff, open_account

__all__ = ["SignedIn", "authenticate", "create_staff", "open_account"]
