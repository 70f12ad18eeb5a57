"""What the health code declares about itself."""

from pathlib import Path

from citizen_cloud.manifest import Permission, Sealed, ServiceModule, Setting, Sunset
from citizen_cloud.modules.health_code.cards import personal_data, tile
from citizen_cloud.modules.health_code.jobs import DECISIONS, HANDLERS, JOBS
from citizen_cloud.modules.health_code.queries.limits import SETTINGS as LIMITS
from citizen_cloud.modules.health_code.routes import blueprints
from citizen_cloud.modules.health_code.services.colours.activating import DEFAULT_PPM, SETTING
from citizen_cloud.modules.health_code.services.places import sealed_visits
from citizen_cloud.text import Text

module = ServiceModule(
    name="health_code",
    title=Text("健康码", "Health code"),
    version="0.1.0",
    blueprints=blueprints,
    permissions=(
        Permission(
            name="health_code.codes.verify",
            title=Text("核验健康码", "Verify health codes"),
            roles=frozenset({"staff", "manager"}),
            serves=True,
        ),
        Permission(
            name="health_code.paper.issue",
            title=Text("在窗口办理纸质码", "Issue paper codes at a counter"),
            roles=frozenset({"staff", "manager"}),
            serves=True,
        ),
        Permission(
            name="health_code.colours.propose",
            title=Text("提出人工赋码", "Propose a colour by hand"),
            roles=frozenset({"staff", "manager"}),
        ),
        Permission(
            name="health_code.appeals.decide",
            title=Text("处理申诉", "Decide appeals"),
            roles=frozenset({"staff", "manager"}),
            serves=True,
        ),
        Permission(
            name="health_code.events.write",
            title=Text("报送检测与密接数据", "Report test results and exposures"),
            roles=frozenset({"staff", "manager"}),
        ),
        Permission(
            name="health_code.sources.manage",
            title=Text("登记数据来源", "Register sources of data"),
            roles=frozenset({"admin"}),
        ),
        Permission(
            name="health_code.rules.manage",
            title=Text("管理规则版本", "Manage rule versions"),
            roles=frozenset({"admin"}),
        ),
        Permission(
            name="health_code.rules.read",
            title=Text("查看规则版本和试运行", "See rule versions and their shadow runs"),
            roles=frozenset({"admin", "auditor"}),
        ),
        Permission(
            name="health_code.places.manage",
            title=Text("管理场所", "Manage places"),
            roles=frozenset({"staff", "manager"}),
        ),
        Permission(
            name="health_code.visits.open",
            title=Text("申请查阅到访记录", "Ask to open sealed visits"),
            roles=frozenset({"staff", "manager"}),
        ),
        Permission(
            name="health_code.read",
            title=Text("查看全部记录，不作更改", "See every record, change nothing"),
            roles=frozenset({"auditor"}),
        ),
    ),
    tile=tile,
    handlers=HANDLERS,
    decisions=DECISIONS,
    jobs=JOBS,
    settings=(
        *LIMITS,
        Setting(
            name=SETTING,
            title=Text(
                "规则试运行允许的意外变色（每百万人）",
                "Unexpected changes of colour a shadow run may show, per million people",
            ),
            kind="integer",
            default=DEFAULT_PPM,
            minimum=0,
            maximum=10_000,
        ),
    ),
    personal_data=personal_data,
    sealed=(
        Sealed(
            table="health_code.event",
            column="details_sealed",
            place="health_code.event:details:{id}",
        ),
        Sealed(
            table="health_code.batch",
            column="rows_sealed",
            place="health_code.batch:rows:{id}",
        ),
        Sealed(
            table="health_code.unplaced",
            column="fact_sealed",
            place="health_code.unplaced:fact:{id}",
        ),
        Sealed(
            table="health_code.appeal",
            column="text_sealed",
            place="health_code.appeal:text:{id}",
        ),
        Sealed(
            table="health_code.disability",
            column="evidence_sealed",
            place="health_code.disability:evidence:{id}",
        ),
        Sealed(
            table="health_code.place",
            column="secret_sealed",
            place="health_code.place:secret:{id}",
        ),
        *sealed_visits.SEALED,
        Sealed(
            table="health_code.scan",
            column="answer_sealed",
            place="health_code.scan:answer:{id}",
        ),
    ),
    blind=(*sealed_visits.BLIND,),
    sunset=Sunset(
        credentials=frozenset({"hc", "ht", "hp"}),
        device_keys=True,
        messages=("health_code.",),
        events=("health_code.", "credentials.device_"),
        acts=("health_code.", "credentials.device_"),
        purposes=("health_code.", "families.proxy.health_code"),
        consents=frozenset({"health_code"}),
    ),
    url_roots=("/api/v1/places",),
    migrations=str(Path(__file__).parent / "migrations"),
    initial_state="active",
)
