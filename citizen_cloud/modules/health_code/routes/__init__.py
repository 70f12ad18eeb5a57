"""The doors of the health code, one file an audience or noun."""

from citizen_cloud.modules.health_code.routes import (
    citizen,
    codes,
    devices,
    paper_counter,
    papers,
    shares,
)
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (
    citizen.blp,
    codes.blp,
    devices.blp,
    paper_counter.blp,
    papers.blp,
    shares.blp,
)
