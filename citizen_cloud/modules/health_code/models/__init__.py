"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models.appeals import Appeal, Assignment
from citizen_cloud.modules.health_code.models.events import Event, Standing
from citizen_cloud.modules.health_code.models.sources import Batch, Source
from citizen_cloud.modules.health_code.models.versions import RuleVersion, ShadowFlip, ShadowRun

__all__ = [
    "Appeal",
    "Assignment",
    "Batch",
    "Event",
    "RuleVersion",
    "ShadowFlip",
    "ShadowRun",
    "Source",
    "Standing",
]
