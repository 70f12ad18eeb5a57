"""Verbs of the room: places and their register, people, their roles and accounts."""

from citizen_cloud.organisations.services.accounts import (
    change_status,
    look_at_account,
    reset_account,
)
from citizen_cloud.organisations.services.actor import Actor
from citizen_cloud.organisations.services.invitations import (
    Invited,
    Joined,
    accept_as_member,
    accept_as_new,
    check_invitation,
    invite,
    revoke_invitation,
)
from citizen_cloud.organisations.services.memberships import ROLES, add_member, end_membership
from citizen_cloud.organisations.services.places import (
    NewPlace,
    Placed,
    change_organisation,
    create_organisation,
    upsert_places,
)

__all__ = [
    "ROLES",
    "Actor",
    "Invited",
    "Joined",
    "NewPlace",
    "Placed",
    "accept_as_member",
    "accept_as_new",
    "add_member",
    "change_organisation",
    "change_status",
    "check_invitation",
    "create_organisation",
    "end_membership",
    "invite",
    "look_at_account",
    "reset_account",
    "revoke_invitation",
    "upsert_places",
]
