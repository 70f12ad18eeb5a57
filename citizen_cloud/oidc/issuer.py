"""What the provider of this installation is called, and where the app is found."""

from dataclasses import dataclass
from typing import Self, cast

from flask import current_app

from citizen_cloud.config import Settings

EXTENSION = "citizen_cloud.oidc"
APP_PAGE = "/app/authorize"


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """The provider's name, which is an address, and the link that opens the app."""

    url: str
    app_link: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the issuer of an installation."""
        url = settings.public_url.rstrip("/")
        return cls(url=url, app_link=settings.app_link or url + APP_PAGE)


def issuer() -> Issuer:
    """Return the issuer of the current application."""
    return cast("Issuer", current_app.extensions[EXTENSION])
