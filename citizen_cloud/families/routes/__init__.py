"""Routes of the families room."""

from flask_smorest import Blueprint

blueprints: tuple[Blueprint, ...] = ()
