"""Shadow runs carried out in batches, and the decision that lets a version count."""

from datetime import datetime, timedelta

from citizen_cloud import db
from citizen_cloud.manifest import DecisionKind, Job
from citizen_cloud.modules.health_code.schemas.rules import HealthRulesActivationSchema
from citizen_cloud.modules.health_code.services.colours.activating import activate, check_activation
from citizen_cloud.modules.health_code.services.colours.trials import advance_trial
from citizen_cloud.text import Text


def run_trials(now: datetime) -> int:
    """Carry every shadow run to its end; stopped anywhere, the next one goes on."""
    del now
    batches = 0
    while True:
        with db.transaction() as session:
            if not advance_trial(session):
                return batches
        batches += 1


JOBS = (Job(name="health_code.run_trials", cron="* * * * *", run=run_trials),)
DECISIONS = (
    DecisionKind(
        name="health_code.activate_rules",
        title=Text("启用健康码规则", "Put health code rules in force"),
        permission="health_code.rules.manage",
        payload=HealthRulesActivationSchema,
        reasons={
            "policy": Text("执行疫情防控政策调整", "A change of epidemic policy"),
            "correction": Text("更正规则错误", "A fault in the rules is corrected"),
            "end": Text("疫情响应降级或结束", "The response is lowered or ends"),
        },
        check=check_activation,
        apply=activate,
        life=timedelta(hours=24),
    ),
)
