"""Reads of the room: places, roles and who holds them."""

from citizen_cloud.organisations.queries.counters import counters_among
from citizen_cloud.organisations.queries.people import (
    StaffRow,
    account,
    grant_of,
    invitations,
    staff,
    works_at,
)
from citizen_cloud.organisations.queries.places import (
    OrganisationQuery,
    PlaceFilter,
    organisation,
    organisations,
    place_filter,
)
from citizen_cloud.organisations.queries.ties import are_tied

__all__ = [
    "OrganisationQuery",
    "PlaceFilter",
    "StaffRow",
    "account",
    "are_tied",
    "counters_among",
    "grant_of",
    "invitations",
    "organisation",
    "organisations",
    "place_filter",
    "staff",
    "works_at",
]
