"""What the approvals room adds to the machinery."""

from citizen_cloud.manifest import Contribution, Permission, Sealed
from citizen_cloud.text import Text

contribution = Contribution(
    name="approvals",
    permissions=(
        Permission(
            name="approvals.read",
            title=Text("查看审批事项", "See proposals"),
            roles=frozenset({"staff", "manager", "admin", "auditor"}),
        ),
        Permission(
            name="approvals.audit",
            title=Text("查看全部审批记录", "See every proposal"),
            roles=frozenset({"auditor"}),
        ),
        Permission(
            name="approvals.propose",
            title=Text("提出审批事项", "Propose what others must agree to"),
            roles=frozenset({"staff", "manager", "admin"}),
        ),
        Permission(
            name="approvals.decide",
            title=Text("审批(须经任命)", "Decide, once appointed"),
            roles=frozenset({"staff", "manager"}),
        ),
        Permission(
            name="approvals.approvers.propose",
            title=Text("提名或提请解除审批人", "Propose approvers, and their dismissal"),
            roles=frozenset({"manager", "admin"}),
        ),
    ),
    sealed=(
        Sealed(
            table="approvals.proposal",
            column="payload_sealed",
            place="approvals.proposal:payload:{id}",
        ),
        Sealed(
            table="approvals.proposal",
            column="evidence_sealed",
            place="approvals.proposal:evidence:{id}",
        ),
        Sealed(
            table="approvals.decision",
            column="note_sealed",
            place="approvals.decision:note:{id}",
        ),
    ),
)
