"""What runs without a request, one file a part: jobs, handlers, decisions."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_cloud.manifest import DecisionKind, Handler, Job
from citizen_cloud.modules.health_code.jobs import colours, places

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **colours.HANDLERS,
        **places.HANDLERS,
    }
)
JOBS: tuple[Job, ...] = (
    *colours.JOBS,
    *places.JOBS,
)
DECISIONS: tuple[DecisionKind, ...] = (
    *places.DECISIONS,
)
