"""Tables of the organisations room."""

from citizen_cloud.organisations.models.people import Invitation, Membership
from citizen_cloud.organisations.models.places import Organisation

__all__ = ["Invitation", "Membership", "Organisation"]
