"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models.appeals import Appeal, Assignment
from citizen_cloud.modules.health_code.models.events import Event, Standing
from citizen_cloud.modules.health_code.models.papers import Disability, Paper
from citizen_cloud.modules.health_code.models.places import Place
from citizen_cloud.modules.health_code.models.scans import Scan
from citizen_cloud.modules.health_code.models.shares import Share
from citizen_cloud.modules.health_code.models.sources import Batch, Source, Unplaced
from citizen_cloud.modules.health_code.models.versions import RuleVersion, ShadowFlip, ShadowRun
from citizen_cloud.modules.health_code.models.visits import Visit, VisitOpening

__all__ = [
    "Appeal",
    "Assignment",
    "Batch",
    "Disability",
    "Event",
    "Paper",
    "Place",
    "RuleVersion",
    "Scan",
    "ShadowFlip",
    "ShadowRun",
    "Share",
    "Source",
    "Standing",
    "Unplaced",
    "Visit",
    "VisitOpening",
]
