"""Routes of the counter room: for clerks, and for a citizen's own wish."""

from citizen_cloud.counter.routes import citizen, decisions, doors, staff
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (doors.blp, citizen.blp)

__all__ = ["blueprints", "decisions", "staff"]
