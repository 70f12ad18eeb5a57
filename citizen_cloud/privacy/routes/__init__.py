"""Routes of the privacy room."""

from flask_smorest import Blueprint

blueprints: tuple[Blueprint, ...] = ()
