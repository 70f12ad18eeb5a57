"""What runs without a request, one file a part: jobs, handlers, decisions."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_cloud.manifest import DecisionKind, Handler, Job
from citizen_cloud.modules.health_code.jobs import colours, power, rules

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **colours.HANDLERS,
        **power.HANDLERS,
    }
)
JOBS: tuple[Job, ...] = (
    *colours.JOBS,
    *rules.JOBS,
    *power.JOBS,
)
DECISIONS: tuple[DecisionKind, ...] = (
    *rules.DECISIONS,
    *power.DECISIONS,
)
