"""Routes of the oidc room."""

from flask_smorest import Blueprint

blueprints: tuple[Blueprint, ...] = ()
