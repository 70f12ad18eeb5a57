"""What the oidc room adds: a permission, forgetting, new keys, and the data it holds."""

from citizen_cloud.manifest import Contribution, Job, Permission, PersonalData, Sealed
from citizen_cloud.oidc.jobs import forget_ended, renew_keys
from citizen_cloud.oidc.services import ending
from citizen_cloud.oidc.services.personal_data import erase_data, export_data
from citizen_cloud.text import Text

contribution = Contribution(
    name="oidc",
    permissions=(
        Permission(
            name="oidc.clients.manage",
            title=Text("管理合作方与系统接入", "Register partners and systems"),
            roles=frozenset({"admin"}),
        ),
    ),
    handlers={
        "accounts.recovered": ending.recovered,
        "accounts.way_in_changed": ending.way_in_changed,
    },
    jobs=(
        Job(name="oidc.forget_ended", cron="37 * * * *", run=forget_ended),
        Job(name="oidc.renew_keys", cron="17 3 * * *", run=renew_keys),
    ),
    personal_data=PersonalData(
        categories=(
            Text("对合作方的授权", "Consents to partners"),
            Text("在合作方的登录记录", "Sign-ins at partners"),
        ),
        purpose=Text("以市民云账号登录合作方", "To sign in at partners with the city's account"),
        legal_basis=Text(
            "《个人信息保护法》第十三条、第二十三条：取得个人单独同意",
            "PIPL articles 13 and 23: separate consent",
        ),
        retention_days=183,
        tables=frozenset({"oidc.client", "oidc.consent", "oidc.issuance", "oidc.request"}),
        export=export_data,
        erase=erase_data,
    ),
    sealed=(
        Sealed(
            table="oidc.signing_key",
            column="private_sealed",
            place="oidc.signing_key:private:{kid}",
        ),
    ),
)
