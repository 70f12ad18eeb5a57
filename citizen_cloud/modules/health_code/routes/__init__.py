"""The doors of the health code, one file an audience or noun."""

from citizen_cloud.modules.health_code.routes import (
    appeals,
    batches,
    citizen,
    officers,
    power,
    rule_versions,
)
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (
    citizen.blp,
    rule_versions.blp,
    rule_versions.open_blp,
    appeals.blp,
    officers.blp,
    batches.blp,
    power.blp,
)
