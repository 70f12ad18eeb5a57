"""Rule versions: written by the platform, tried on everybody, read by anybody once in force."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries import trials as queries
from citizen_cloud.modules.health_code.rules.trials import is_expected
from citizen_cloud.modules.health_code.schemas.rules import (
    HealthRulesPageSchema,
    HealthRulesSchema,
    HealthTrialSchema,
    NewHealthRulesSchema,
)
from citizen_cloud.modules.health_code.services.colours.trials import (
    NotATrialVersion,
    TrialRunning,
    start_trial,
)
from citizen_cloud.modules.health_code.services.colours.versions import Draft, draft
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import API_ROOT, Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, public, requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "health_code.rules"
PSEUDONYM = "health_code.shadow_flip"
DIGITS = 16

blp = Blueprint(
    "health_code_rules",
    url_prefix="/health-code/rule-versions",
    description="健康码规则 · Rule versions and their shadow runs (back office)",
)
open_blp = Blueprint(
    "health_code_open",
    url_prefix="/open/health-code",
    description="健康码公开信息 · What everybody may know of the health code",
)


@open_blp.route("/rules")
class RulesInForce(MethodView):
    """The rules everybody is coloured by."""

    @open_blp.response(200, HealthRulesSchema)
    @open_blp.operation("getHealthRules")
    @public
    @limited("60/minute", by="address")
    def get(self) -> Any:
        """Show the rules in force

        As data, with their words: a colour can be computed again from them and one's history.
        """
        with db.statement() as connection:
            return dict(queries.rules_in_force(connection))


@blp.route("")
class RuleVersions(MethodView):
    """All versions."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthRulesPageSchema)
    @blp.operation("listHealthRuleVersions", BadCursor)
    @requires("health_code.rules.read")
    def get(self, query: dict[str, Any]) -> Response:
        """List rule versions

        Drafts and retired ones as well, latest first.
        """
        before = int(cursors.decode(LISTING, query["cursor"])[0]) if "cursor" in query else None
        with db.statement() as connection:
            rows = queries.versions(connection, before=before, limit=query["limit"])
        shown = rows[: query["limit"]]
        more = cursors.encode(LISTING, [shown[-1]["number"]]) if len(rows) > len(shown) else None
        return page(HealthRulesPageSchema(), [dict(row) for row in shown], more)

    @blp.arguments(NewHealthRulesSchema)
    @blp.response(201, HealthRulesSchema)
    @blp.operation("draftHealthRules", key=False)
    @requires("health_code.rules.manage")
    def post(self, sent: dict[str, Any]) -> Response:
        """Write a rule version down

        As a draft: it colours nobody. It counts after a shadow run over everybody and a decision
        `health_code.activate_rules` by two authorities (`POST /approvals`). A fault in it is 422
        with a pointer to the place.
        """
        new = Draft(**sent)

        def work(session: Session) -> Answer:
            made = draft(session, new=new, created_by=caller().account_id)
            location = f"{API_ROOT}/health-code/rule-versions/{made['id']}"
            return Answer(content=dict(made), status=201, location=location)

        return answer_once(HealthRulesSchema, work)


@blp.route("/<uuid:version_id>")
class OneRuleVersion(MethodView):
    """One version."""

    @blp.response(200, HealthRulesSchema)
    @blp.operation("getHealthRuleVersion", NotFound)
    @requires("health_code.rules.read")
    def get(self, version_id: UUID) -> Any:
        """Show a rule version

        Whatever became of it.
        """
        with db.statement() as connection:
            return dict(queries.version_of(connection, version_id))


@blp.route("/<uuid:version_id>/shadow-runs")
class ShadowRuns(MethodView):
    """Trials of one version."""

    @blp.response(201, HealthTrialSchema)
    @blp.operation("startHealthShadowRun", NotFound, NotATrialVersion, TrialRunning, key=False)
    @requires("health_code.rules.manage")
    def post(self, version_id: UUID) -> Response:
        """Try a rule version on everybody

        Begins a run that changes nobody's colour; Location tells how far it is and, in the end,
        what the version would change. One run of a version at a time.
        """

        def work(session: Session) -> Answer:
            run = start_trial(session, version_id=version_id, started_by=caller().account_id)
            location = f"{API_ROOT}/health-code/rule-versions/shadow-runs/{run['id']}"
            return Answer(content=trial_json(run, ()), status=201, location=location)

        return answer_once(HealthTrialSchema, work)


@blp.route("/shadow-runs/<uuid:run_id>")
class OneShadowRun(MethodView):
    """One trial."""

    @blp.response(200, HealthTrialSchema)
    @blp.operation("getHealthShadowRun", NotFound)
    @requires("health_code.rules.read")
    def get(self, run_id: UUID) -> Any:
        """Show what a shadow run found

        How many would change from which colour to which, whether the author meant it, and some
        of them under names that mean nothing elsewhere.
        """
        with db.statement() as connection:
            run = queries.run_of(connection, run_id)
            return trial_json(run, queries.sample_of(connection, run_id))


def trial_json(run: RowMapping, sample: Any) -> dict[str, Any]:
    """Return a run with its counts by change, and a sample under pseudonyms."""
    flips: Mapping[str, int] = run["flips"]
    pairs = [(*flip.split(">"), count) for flip, count in sorted(flips.items())]
    return {
        **run,
        "flips": [
            {
                "from": before,
                "to": after,
                "count": count,
                "is_expected": is_expected(str(before), str(after), run["expected"]),
            }
            for before, after, count in pairs
        ],
        "sample": [
            {
                "pseudonym": pseudonym(run["id"], one["person_id"]),
                "from": one["before"],
                "to": one["after"],
            }
            for one in sample
        ],
    }


def pseudonym(run_id: UUID, person_id: UUID) -> str:
    """Return a name for somebody within one run; nobody without our key makes it or undoes it."""
    return crypto.current().lookup(PSEUDONYM, f"{run_id}:{person_id}").hex()[:DIGITS]
