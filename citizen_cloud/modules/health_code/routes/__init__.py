"""The doors of the health code, one file an audience or noun."""

from citizen_cloud.modules.health_code.routes import citizen, rules
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (
    citizen.blp,
    rules.blp,
    rules.open_blp,
)
