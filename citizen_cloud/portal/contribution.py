"""What the portal adds: who may use the switchboard and read the audit trail; its jobs."""

from citizen_cloud.manifest import Contribution, Permission
from citizen_cloud.portal.jobs import JOBS
from citizen_cloud.text import Text

contribution = Contribution(
    name="portal",
    jobs=JOBS,
    permissions=(
        Permission(
            name="portal.modules.read",
            title=Text("查看服务开关", "See the switchboard"),
            roles=frozenset({"admin", "auditor"}),
        ),
        Permission(
            name="portal.modules.manage",
            title=Text("切换服务", "Switch services"),
            roles=frozenset({"admin"}),
        ),
        Permission(
            name="audit.read",
            title=Text("查看审计记录", "Read the audit trail"),
            roles=frozenset({"auditor", "admin"}),
        ),
    ),
)
