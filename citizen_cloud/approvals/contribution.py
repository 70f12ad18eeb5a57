"""What the approvals room adds to the machinery."""

from citizen_cloud.approvals.decisions import DECISIONS, PERMISSION
from citizen_cloud.approvals.jobs import expire, forget
from citizen_cloud.approvals.personal_data import erase_data, export_data
from citizen_cloud.manifest import Contribution, Job, Permission, PersonalData, Sealed
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
            title=Text("审批（须经任命）", "Decide, once appointed"),
            roles=frozenset({"staff", "manager"}),
        ),
        Permission(
            name=PERMISSION,
            title=Text("提名或提请解除审批人", "Propose approvers, and their dismissal"),
            roles=frozenset({"manager", "admin"}),
        ),
    ),
    decisions=DECISIONS,
    jobs=(
        Job(name="approvals.expire", cron="*/5 * * * *", run=expire),
        Job(name="approvals.forget", cron="11 4 * * *", run=forget),
    ),
    personal_data=PersonalData(
        categories=(
            Text("工作人员提出和审批的事项", "What staff proposed and decided"),
            Text("审批人任命", "Appointments of approvers"),
        ),
        purpose=Text("防止一人擅自决定", "So that no single person decides"),
        legal_basis=Text("履行法定职责", "Statutory duty"),
        retention_days=3 * 365,
        kept=(Text("谁在何时同意了哪一事项，仅含随机编号", "Who agreed when, under a random id"),),
        tables=frozenset({"approvals.approver", "approvals.decision", "approvals.proposal"}),
        export=export_data,
        erase=erase_data,
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
