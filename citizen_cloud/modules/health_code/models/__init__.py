"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models.events import Event, Standing
from citizen_cloud.modules.health_code.models.versions import RuleVersion, ShadowFlip, ShadowRun

__all__ = [
    "Event",
    "RuleVersion",
    "ShadowFlip",
    "ShadowRun",
    "Standing",
]
