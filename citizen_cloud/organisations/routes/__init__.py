"""The doors to organisations, the people who work for them, and what those may sign in with."""

from citizen_cloud.organisations.routes import (
    accounts,
    invitations,
    joining,
    people,
    places,
    standing,
)
from citizen_cloud.organisations.routes.doors import blp
from citizen_cloud.web.blueprint import Blueprint

__all__ = ["accounts", "blueprints", "invitations", "joining", "people", "places", "standing"]

blueprints: tuple[Blueprint, ...] = (blp, joining.blp, standing.blp)
