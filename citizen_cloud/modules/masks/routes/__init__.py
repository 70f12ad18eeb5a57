"""The doors of the masks module, by audience."""

from citizen_cloud.modules.masks.routes.admin import blp as admin
from citizen_cloud.modules.masks.routes.citizen import blp as citizen
from citizen_cloud.modules.masks.routes.open_data import blp as open_data
from citizen_cloud.modules.masks.routes.staff import blp as staff
from citizen_cloud.modules.masks.routes.stock import blp as stock
from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = (citizen, staff, stock, admin, open_data)
