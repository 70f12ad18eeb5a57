"""Routes of the federation room."""

from flask_smorest import Blueprint

blueprints: tuple[Blueprint, ...] = ()
