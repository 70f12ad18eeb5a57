"""The back office's doors to organisations and the people who work for them."""

from citizen_cloud.organisations.routes import people, places
from citizen_cloud.organisations.routes.doors import blp
from citizen_cloud.web.blueprint import Blueprint

__all__ = ["blueprints", "people", "places"]

blueprints: tuple[Blueprint, ...] = (blp,)
