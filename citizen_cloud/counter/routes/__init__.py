"""Routes of the counter room."""

from flask_smorest import Blueprint

blueprints: tuple[Blueprint, ...] = ()
