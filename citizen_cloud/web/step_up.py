"""Step-up (RFC 9470): what a caller has to show, and where, before a door opens."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

# A phone left on a table for longer than this changes no number and closes no account.
FRESH_S = 300
FRESH_FOR = timedelta(seconds=FRESH_S)
Step = dict[str, str | None]
REAL_NAME: Step = {"action": "prove_real_name", "href": "/api/v1/me/real-name"}
COUNTER: Step = {"action": "visit_counter", "href": None}
CONFIRM: Step = {"action": "confirm_factors", "href": "/api/v1/me/step-up"}


def actions(facts: Mapping[str, Any]) -> list[Step]:
    """Return what to do about a ``step_up_required``, in order."""
    if "max_age_s" in facts:
        return [CONFIRM]
    return [REAL_NAME] if facts.get("required_level", 2) <= 2 else [REAL_NAME, COUNTER]  # noqa: PLR2004


def challenge(facts: Mapping[str, Any]) -> str:
    """Return the WWW-Authenticate field that goes with it."""
    words = ['Bearer error="insufficient_user_authentication"']
    if "max_age_s" in facts:
        words.append(f'max_age="{facts["max_age_s"]}"')
    else:
        words.append(f'acr_values="{facts.get("required_level", 2)}"')
    return ", ".join(words)
