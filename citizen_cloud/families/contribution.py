"""What the families room adds to the machinery."""

from citizen_cloud.families.jobs import KEEP_DAYS, asked, booked, tidy
from citizen_cloud.families.services.asking import ASKED
from citizen_cloud.families.services.personal_data import erase_data, export_data
from citizen_cloud.manifest import Contribution, Job, Permission, PersonalData, Sealed
from citizen_cloud.text import Text

contribution = Contribution(
    name="families",
    permissions=(
        Permission(
            name="families.attest",
            title=Text("在窗口办理代办关系", "Record at a counter who acts for whom"),
            roles=frozenset({"staff", "manager"}),
            serves=True,
        ),
    ),
    handlers={ASKED: asked, "booking.booked": booked},
    jobs=(Job(name="families.tidy", cron="7 * * * *", run=tidy),),
    personal_data=PersonalData(
        categories=(Text("家庭与代办关系", "Family links and who acts for whom"),),
        purpose=Text(
            "为子女、老人和残障人士代办业务", "To act for children, elders and disabled people"
        ),
        legal_basis=Text("本人或监护人同意", "Consent of the person or of a guardian"),
        retention_days=KEEP_DAYS,
        tables=frozenset({"families.link"}),
        export=export_data,
        erase=erase_data,
    ),
    sealed=(
        Sealed(table="families.link", column="name_sealed", place="families.link:name:{id}"),
        Sealed(
            table="families.link", column="evidence_sealed", place="families.link:evidence:{id}"
        ),
        Sealed(
            table="families.link",
            column="end_evidence_sealed",
            place="families.link:end_evidence:{id}",
        ),
    ),
)
