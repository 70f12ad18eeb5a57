"""Routes of the privacy room."""

from flask_smorest import Blueprint

from citizen_cloud.privacy.routes import access, certificates, closure, destruction, exports

blueprints: tuple[Blueprint, ...] = (
    access.blp,
    exports.blp,
    closure.blp,
    certificates.blp,
    destruction.blp,
)
