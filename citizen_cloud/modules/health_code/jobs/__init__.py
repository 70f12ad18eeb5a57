"""What runs without a request, one file a part: jobs, handlers, decisions."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_cloud.manifest import DecisionKind, Handler, Job
from citizen_cloud.modules.health_code.jobs import (
    codes,
    colours,
    places,
    power,
    reports,
    rules,
    scans,
)

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **codes.HANDLERS,
        **colours.HANDLERS,
        **places.HANDLERS,
        **power.HANDLERS,
        **reports.HANDLERS,
    }
)
JOBS: tuple[Job, ...] = (
    *codes.JOBS,
    *colours.JOBS,
    *places.JOBS,
    *power.JOBS,
    *reports.JOBS,
    *rules.JOBS,
    *scans.JOBS,
)
DECISIONS: tuple[DecisionKind, ...] = (
    *places.DECISIONS,
    *power.DECISIONS,
    *rules.DECISIONS,
)
