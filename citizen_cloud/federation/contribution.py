"""What the federation room adds: forgetting attempts, sealed columns, the data it holds."""

from citizen_cloud.federation.jobs import KEEP_DAYS, forget_attempts
from citizen_cloud.federation.services.personal_data import erase_data, export_data
from citizen_cloud.manifest import Blind, Contribution, Job, PersonalData, Sealed
from citizen_cloud.text import Text

contribution = Contribution(
    name="federation",
    jobs=(Job(name="federation.forget_attempts", cron="37 * * * *", run=forget_attempts),),
    personal_data=PersonalData(
        categories=(
            Text("已关联的第三方登录标识", "Linked identities at other providers"),
            Text("进行中的第三方登录", "Sign-ins through others under way"),
        ),
        purpose=Text("通过第三方登录", "Signing in through others"),
        legal_basis=Text(
            "《个人信息保护法》第十三条：取得个人同意", "PIPL article 13: consent of the person"
        ),
        retention_days=KEEP_DAYS,
        tables=frozenset({"federation.identity", "federation.attempt"}),
        export=export_data,
        erase=erase_data,
    ),
    sealed=(
        Sealed(
            table="federation.identity",
            column="subject_sealed",
            place="federation.identity:subject:{id}",
        ),
        Sealed(
            table="federation.attempt",
            column="secret_sealed",
            place="federation.attempt:secret:{id}",
        ),
    ),
    blind=(
        Blind(
            table="federation.identity",
            column="subject_index",
            kind="federation:{provider}",
            sealed="subject_sealed",
        ),
    ),
)
