"""The doors of the approvals room: propose, look, decide, take back."""

from citizen_cloud.approvals.routes import decisions, kinds, proposals
from citizen_cloud.approvals.routes.doors import blp
from citizen_cloud.web.blueprint import Blueprint

__all__ = ["blueprints", "decisions", "kinds", "proposals"]

blueprints: tuple[Blueprint, ...] = (blp,)
