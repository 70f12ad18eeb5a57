"""What the portal knows of the running host: modules, settings, switchboard."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import current_app

from citizen_cloud.config import Settings
from citizen_cloud.db import PooledDatabase
from citizen_cloud.manifest import Contribution, Permission, ServiceModule
from citizen_cloud.registry.discovery import Installed
from citizen_cloud.registry.switchboard import Switchboard

HOST = "citizen_cloud.host"


@dataclass(frozen=True, kw_only=True)
class Host:
    """One assembled application."""

    settings: Settings
    installed: Installed
    contributions: tuple[Contribution, ...]
    switchboard: Switchboard
    database: PooledDatabase

    @property
    def modules(self) -> Mapping[str, ServiceModule]:
        """Return the modules that can serve."""
        return self.installed.modules

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Return every permission known, of rooms and modules."""
        owners: tuple[Contribution | ServiceModule, ...] = (
            *self.contributions,
            *self.modules.values(),
        )
        return tuple(permission for owner in owners for permission in owner.permissions)


def host() -> Host:
    """Return the host of the current request."""
    return cast("Host", current_app.extensions[HOST])
