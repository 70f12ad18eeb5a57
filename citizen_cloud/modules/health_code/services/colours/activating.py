"""The decision of two authorities that lets a rule version count."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.errors import NotFound
from citizen_cloud.manifest import Proposal, Terms
from citizen_cloud.modules.health_code.queries.trials import latest_trial, people_there
from citizen_cloud.modules.health_code.queries.versions import live_version, version_numbered
from citizen_cloud.modules.health_code.rules.trials import Trial, approvals_for, check_trial
from citizen_cloud.modules.health_code.services.colours.versions import hold_numbering, put_in_force

# Of a million people, so many may change colour without the author having meant it.
SETTING, DEFAULT_PPM = "unexpected_flips_ppm", 100
_SETTING = text("SELECT settings ->> :name FROM registry.module WHERE name = 'health_code'")
_EXPECTED = text("SELECT expected FROM health_code.rule_version WHERE number = :number")


def check_activation(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Refuse what was not tried, or blocks; tell the approvers what the trial found."""
    number = proposal.payload["number"]
    trial = _tried(session, number, now)
    return Terms(
        approvals=approvals_for(trial),
        summary={
            "number": number,
            "people": trial.looked_at,
            "flips": dict(trial.flips),
            "unexpected": trial.unexpected,
            "expected": session.scalar(_EXPECTED, {"number": number}),
        },
    )


def activate(session: Session, proposal: Proposal, now: datetime) -> dict[str, Any]:
    """Let the version count from now on, unless other rules came into force since the check.

    Two versions tried against the same rules may be agreed to at the same moment: the second was
    never tried against the first, and waits here until it can be seen. Raises ``TrialMissing``.
    """
    number = proposal.payload["number"]
    hold_numbering(session)
    _tried(session, number, now)
    put_in_force(session, number=number, approval_id=proposal.id, now=now)
    return {"number": number}


def _tried(session: Session, number: int, now: datetime) -> Trial:
    if version_numbered(session, number) is None:
        raise NotFound
    set_to = session.scalar(_SETTING, {"name": SETTING})
    return check_trial(
        latest_trial(session, number),
        live=live_version(session).number,
        people=people_there(session),
        most_ppm=DEFAULT_PPM if set_to is None else int(set_to),
        now=now,
    )
