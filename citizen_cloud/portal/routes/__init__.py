"""The portal's routes, split by who uses them."""

from citizen_cloud.portal.routes import admin, citizen, entrance

blueprints = (entrance.blp, citizen.blp, admin.blp)
