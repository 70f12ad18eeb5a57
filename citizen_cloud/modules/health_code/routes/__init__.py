"""The doors of the health code, one file an audience or noun."""

from citizen_cloud.modules.health_code.routes import (
    citizen,
    openings,
    place_codes,
    places,
    visits,
)
from citizen_cloud.web.blueprint import Blueprint

__all__ = ["place_codes"]

blueprints: tuple[Blueprint, ...] = (
    citizen.blp,
    places.blp,
    visits.blp,
    visits.own,
    openings.blp,
)
