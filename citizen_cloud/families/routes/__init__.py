"""Doors of the families room: those who act, those acted for, and the counter."""

from citizen_cloud.families.routes import counter, dependants, proxies
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (dependants.blp, proxies.blp, counter.blp)
