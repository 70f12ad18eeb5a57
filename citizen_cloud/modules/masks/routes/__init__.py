"""The doors of the masks module, by audience."""

from citizen_cloud.modules.masks.routes import admin, citizen, open_data, staff, stock
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (
    citizen.blp,
    staff.blp,
    stock.blp,
    admin.blp,
    open_data.blp,
)
