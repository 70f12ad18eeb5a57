"""The doors of the approvals room."""

from citizen_cloud.web.blueprint import Blueprint

blueprints: tuple[Blueprint, ...] = ()
