"""The room's one blueprint, and what its doors share."""

from sqlalchemy.orm import Session

from citizen_cloud.approvals.queries import Reach
from citizen_cloud.approvals.services.approvers import standing_of
from citizen_cloud.manifest import Onlooker
from citizen_cloud.organisations.queries import counters_among
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, grant, ports
from citizen_cloud.web.refusals import ModuleOff

blp = Blueprint(
    "approvals",
    url_prefix="/approvals",
    description="多人审批 · What no single person may decide",
)


def reach(session: Session) -> Reach:
    """Return what the caller sees: auditors all, approvers too, others theirs and their units'."""
    known, held = caller(), grant()
    return Reach(
        account_id=known.account_id,
        everything=bool(ports().granted(known, "approvals.audit")),
        unit_ids=counters_among(session, held.organisation_ids),
        decides=standing_of(session, known.account_id) is not None,
    )


def reader(session: Session) -> Onlooker:
    """Return the caller as one who reads a proposal."""
    known = caller()
    standing = standing_of(session, known.account_id)
    unit_id = standing.unit_id if standing else None
    return Onlooker(account_id=known.account_id, kind=known.kind, unit_id=unit_id)


def check_module(kind: str) -> None:
    """Refuse to bring about what belongs to a module that is switched off or ended.

    Raises ``ModuleOff``: a proposal must not write where a service was purged.
    """
    name = kind.partition(".")[0]
    if name not in ports().module_of_blueprint.values():
        return
    state = ports().module_state(name)
    if state in ("off", "draft", "sunset", "read_only"):
        raise ModuleOff(module=name, state=state)
