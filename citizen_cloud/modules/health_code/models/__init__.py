"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models.appeals import Appeal, Assignment
from citizen_cloud.modules.health_code.models.sources import Batch, Source

__all__ = [
    "Appeal",
    "Assignment",
    "Batch",
    "Source",
]
