"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models import (
    places,
)

__all__ = [
    "places",
]
