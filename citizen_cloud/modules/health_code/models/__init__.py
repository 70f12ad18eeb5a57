"""Tables of the health code, one file a noun."""

from citizen_cloud.modules.health_code.models.papers import Disability, Paper
from citizen_cloud.modules.health_code.models.shares import Share

__all__ = [
    "Disability",
    "Paper",
    "Share",
]
