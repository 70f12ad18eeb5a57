"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models.events import Event, Standing
from citizen_cloud.modules.health_code.models.places import Place
from citizen_cloud.modules.health_code.models.versions import RuleVersion, ShadowFlip, ShadowRun
from citizen_cloud.modules.health_code.models.visits import Visit, VisitOpening

__all__ = [
    "Event",
    "Place",
    "RuleVersion",
    "ShadowFlip",
    "ShadowRun",
    "Standing",
    "Visit",
    "VisitOpening",
]
