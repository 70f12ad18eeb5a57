"""Doors of the oidc room under the API: the app's consent screen, partners, the back office."""

from citizen_cloud.oidc.routes import clients, consent, partners
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (consent.blp, partners.blp, clients.blp)
