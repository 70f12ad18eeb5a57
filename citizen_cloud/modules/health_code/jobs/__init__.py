"""What runs without a request, one file a part: jobs, handlers, decisions."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_cloud.manifest import DecisionKind, Handler, Job
from citizen_cloud.modules.health_code.jobs import power

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **power.HANDLERS,
    }
)
JOBS: tuple[Job, ...] = (*power.JOBS,)
DECISIONS: tuple[DecisionKind, ...] = (*power.DECISIONS,)
