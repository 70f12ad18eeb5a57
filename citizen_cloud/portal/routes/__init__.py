"""The portal's routes, split by who uses them."""

from citizen_cloud.portal.routes import admin, citizen, entrance, open_audit

blueprints = (entrance.blp, citizen.blp, admin.blp, open_audit.blp)
