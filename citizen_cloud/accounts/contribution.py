"""What the accounts room adds: forgetting codes, and the data it holds about people."""

from citizen_cloud.accounts.jobs import forget_codes
from citizen_cloud.accounts.services.erasing import erase_data
from citizen_cloud.accounts.services.personal_data import export_data
from citizen_cloud.accounts.services.sealed_data import BLIND, SEALED
from citizen_cloud.manifest import Contribution, Job, PersonalData
from citizen_cloud.text import Text

contribution = Contribution(
    name="accounts",
    jobs=(Job(name="accounts.forget_codes", cron="23 * * * *", run=forget_codes),),
    personal_data=PersonalData(
        categories=(
            Text("手机号码", "Phone number"),
            Text("证件类型、号码与姓名", "Document type, number and name"),
            Text("登录设备与登录记录", "Devices and sign-ins"),
            Text("同意记录", "Consents"),
            Text("他人查看记录", "Who looked at the data"),
            Text("本人的工作人员账号", "Staff accounts that stand for a person"),
        ),
        purpose=Text("登录与身份核验", "Signing in and proving who one is"),
        legal_basis=Text(
            "《个人信息保护法》第十三条：取得个人同意、履行法定职责",
            "PIPL article 13: consent, and statutory duties",
        ),
        retention_days=183,
        tables=frozenset(
            {
                "accounts.account",
                "accounts.binding",
                "accounts.consent",
                "accounts.consent_receipt",
                "accounts.data_access",
                "accounts.device",
                "accounts.otp_challenge",
                "accounts.otp_day",
                "accounts.person",
                "accounts.recovery_code",
                "accounts.reset",
                "accounts.sign_in",
            }
        ),
        kept=(
            Text(
                "账号和人员的空壳记录(仅含随机编号),供预约和审计记录引用",
                "Empty rows of account and person under random ids, which bookings and the audit "
                "trail point at",
            ),
        ),
        export=export_data,
        erase=erase_data,
    ),
    sealed=SEALED,
    blind=BLIND,
)
