"""Verbs of the room: places and their register, people and their roles."""

from citizen_cloud.organisations.services.actor import Actor
from citizen_cloud.organisations.services.memberships import (
    ROLES,
    NewMember,
    add_member,
    add_staff,
    end_membership,
)
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
    "NewMember",
    "NewPlace",
    "Placed",
    "add_member",
    "add_staff",
    "change_organisation",
    "create_organisation",
    "end_membership",
    "upsert_places",
]
