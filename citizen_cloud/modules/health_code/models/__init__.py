"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models import (
    places,
    visits,
)

__all__ = [
    "places",
    "visits",
]
