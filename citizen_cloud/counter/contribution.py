"""What the counter room adds: its permissions, the end of cases, and whose data they hold."""

from citizen_cloud.counter.jobs import expire_cases, forget_contents
from citizen_cloud.counter.personal_data import erase, export
from citizen_cloud.manifest import Contribution, Job, Permission, PersonalData, Sealed
from citizen_cloud.text import Text

contribution = Contribution(
    name="counter",
    # No administrator is among them: who appoints staff decides nobody's case.
    permissions=(
        Permission(
            name="counter.cases.open",
            title=Text("受理窗口申请", "Open cases at a service counter"),
            roles=frozenset({"staff", "manager"}),
            serves=True,
        ),
        Permission(
            name="counter.cases.decide",
            title=Text("审核窗口申请", "Decide cases that another opened"),
            roles=frozenset({"staff", "manager"}),
            serves=True,
        ),
        Permission(
            name="counter.cases.read",
            title=Text("查看窗口申请", "See cases of a service counter"),
            roles=frozenset({"staff", "manager", "auditor"}),
        ),
    ),
    jobs=(
        Job(name="counter.expire_cases", cron="*/10 * * * *", run=expire_cases),
        Job(name="counter.forget_contents", cron="37 3 * * *", run=forget_contents),
    ),
    personal_data=PersonalData(
        categories=(
            Text("窗口申请：新手机号、新旧姓名、证件", "Counter cases: phone, names, document"),
            Text("佐证材料编号与审核理由", "References of evidence, reasons of decisions"),
        ),
        purpose=Text(
            "由两名工作人员当面恢复账号、更正姓名、登记无手机者",
            "To recover accounts, correct names and enrol people without phones, in person",
        ),
        legal_basis=Text(
            "《个人信息保护法》第十三条：履行法定职责", "PIPL article 13: statutory duties"
        ),
        retention_days=90,
        tables=frozenset({"counter.case"}),
        export=export,
        erase=erase,
    ),
    sealed=tuple(
        Sealed(table="counter.case", column=f"{name}_sealed", place=f"counter.case:{name}:{{id}}")
        for name in ("asked", "evidence", "reason")
    ),
)
