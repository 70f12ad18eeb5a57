"""What the credentials room adds: the snapshot, forgetting, and the data it holds about people."""

from citizen_cloud.credentials.jobs import HANDLERS, JOBS
from citizen_cloud.credentials.services.personal_data import erase_data, export_data
from citizen_cloud.manifest import Contribution, PersonalData, Sealed
from citizen_cloud.text import Text

contribution = Contribution(
    name="credentials",
    handlers=HANDLERS,
    jobs=JOBS,
    personal_data=PersonalData(
        categories=(
            Text("出示用的码", "Codes that are shown"),
            Text("手机的设备公钥", "Public keys of phones"),
        ),
        purpose=Text(
            "签发、核验和作废出示用的码", "To issue, verify and void the codes that are shown"
        ),
        legal_basis=Text(
            "《个人信息保护法》第十三条：取得个人同意、履行法定职责",
            "PIPL article 13: consent, and statutory duties",
        ),
        retention_days=180,
        tables=frozenset(
            {
                "credentials.credential",
                "credentials.device_challenge",
                "credentials.device_key",
            }
        ),
        kept=(
            Text(
                "已作废码的随机编号与时间，至其到期后删除，以免在核验点重新生效",
                "Random numbers and times of void codes until some time after their end, or they "
                "would count again at gates",
            ),
        ),
        export=export_data,
        erase=erase_data,
    ),
    sealed=(
        Sealed(
            table="credentials.credential",
            column="name_sealed",
            place="credentials.credential:name:{jti}",
        ),
    ),
)
