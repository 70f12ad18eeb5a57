"""What runs without a request, one file a part: jobs, handlers, decisions."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_cloud.manifest import DecisionKind, Handler, Job

HANDLERS: Mapping[str, Handler] = MappingProxyType({})
JOBS: tuple[Job, ...] = ()
DECISIONS: tuple[DecisionKind, ...] = ()
