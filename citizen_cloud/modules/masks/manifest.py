"""What the masks service declares about itself."""

from pathlib import Path

from citizen_cloud.manifest import Permission, ServiceModule, Setting, Sunset
from citizen_cloud.modules.masks.cards import personal_data, policy, tile
from citizen_cloud.modules.masks.jobs import HANDLERS, JOBS
from citizen_cloud.modules.masks.routes import blueprints
from citizen_cloud.modules.masks.services.redemptions import VOUCHER
from citizen_cloud.text import Text

module = ServiceModule(
    name="masks",
    title=Text("口罩预约", "Masks"),
    version="0.1.0",
    blueprints=blueprints,
    permissions=(
        Permission(
            name="masks.redeem",
            title=Text("核销领取", "Hand masks over at the counter"),
            roles=frozenset({"staff", "manager"}),
            serves=True,
        ),
        Permission(
            name="masks.stock.manage",
            title=Text("管理本网点库存", "Manage the outlet's own stock"),
            roles=frozenset({"staff", "manager"}),
        ),
        Permission(
            name="masks.campaigns.manage",
            title=Text("管理活动和投放", "Manage campaigns and offers"),
            roles=frozenset({"admin"}),
        ),
        Permission(
            name="masks.read",
            title=Text("查看全部活动", "See all campaigns, drafts as well"),
            roles=frozenset({"admin", "auditor"}),
        ),
    ),
    tile=tile,
    bookings=policy,
    handlers=HANDLERS,
    jobs=JOBS,
    settings=(
        Setting(
            name="reminder_hours",
            title=Text("领取前多少小时提醒", "Hours before the window to remind"),
            kind="integer",
            default=16,
            minimum=1,
            maximum=72,
        ),
        Setting(
            name="reminder_sms",
            title=Text("提醒同时发短信", "Remind by text message as well"),
            kind="boolean",
            default=True,
        ),
    ),
    personal_data=personal_data,
    sunset=Sunset(
        credentials=frozenset({VOUCHER}),
        messages=("masks.",),
        events=("masks.",),
        acts=("masks.",),
        purposes=("masks.", "families.proxy.masks"),
        kept=(
            Text(
                "领取网点依法自行保存的发放台账,不在本平台",
                "The outlets' own books of what they handed out, which the law has them keep and "
                "which lie with them; the platform keeps no count of its own",
            ),
        ),
    ),
    migrations=str(Path(__file__).parent / "migrations"),
    initial_state="active",
)
