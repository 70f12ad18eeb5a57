"""The doors of the health code, one file an audience or noun."""

from citizen_cloud.modules.health_code.routes import (
    appeals,
    batches,
    citizen,
    codes,
    devices,
    officers,
    openings,
    paper_counter,
    papers,
    place_codes,
    places,
    power,
    rule_versions,
    shares,
    verifying,
    visits,
)
from citizen_cloud.web.blueprint import Blueprint

__all__ = ["place_codes"]

blueprints: tuple[Blueprint, ...] = (
    citizen.blp,
    codes.blp,
    devices.blp,
    paper_counter.blp,
    papers.blp,
    shares.blp,
    verifying.blp,
    places.blp,
    visits.blp,
    visits.own,
    openings.blp,
    appeals.blp,
    officers.blp,
    batches.blp,
    power.blp,
    rule_versions.blp,
    rule_versions.open_blp,
)
