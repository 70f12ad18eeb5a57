"""The verbs of the accounts room."""

from citizen_cloud.accounts.services.authentication import SignedIn, authenticate
from citizen_cloud.accounts.services.staff import create_staff

__all__ = ["SignedIn", "authenticate", "create_staff"]
