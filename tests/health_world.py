"""Citizens in a colour, brought there by real events; consent as the app gives it."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.accounts.services import consents
from citizen_cloud.modules.health_code.services.colours.auditing import differences
from citizen_cloud.modules.health_code.services.colours.events import NewEvent, append

WELL = {"temperature_c": 36.5, "symptoms": [], "contact_with_case": False}
ILL = {"temperature_c": 38.4, "symptoms": ["cough"], "contact_with_case": False}


def agree(someone, granted=True):
    """Give, or take back, the consent the health code asks for."""
    with db.transaction() as session:
        consents.answer_consent(
            session,
            account_id=someone.account_id,
            purpose=HEALTH_CODE,
            version=1,
            granted=granted,
        )
    return someone


def declared(person_id, *, said=WELL, at=None, account_id=None, **more):
    """Return a declaration by a citizen that can be appended."""
    return NewEvent(
        person_id=UUID(str(person_id)),
        kind="declared",
        evidence="self_report",
        occurred_at=at,
        payload=dict(said),
        source_kind="citizen",
        source_id=account_id,
        **more,
    )


def reported(person_id, kind="test_result", *, at=None, batch_id=None, **payload):
    """Return a fact an authority reports, as of a batch."""
    payload = payload or ({"result": "positive"} if kind == "test_result" else {})
    return NewEvent(
        person_id=UUID(str(person_id)),
        kind=kind,
        evidence="laboratory" if kind == "test_result" else "survey",
        occurred_at=at,
        payload=payload,
        source_kind="authority",
        batch_id=batch_id or uuid4(),
    )


def standings_wrong(session):
    """Return what the auditor finds, but for batches and proposals that tests make up."""
    return [one for one in differences(session) if one.kind.startswith("standing")]


def say(*events, now=None):
    """Append events in a transaction of their own; return the colours that changed."""
    with db.transaction() as session:
        return append(session, events, now=now)


# What brings somebody there under the rules a city starts with.
_WAYS = {
    "green": lambda person_id: [declared(person_id)],
    "yellow": lambda person_id: [declared(person_id, said=ILL)],
    "red": lambda person_id: [declared(person_id), reported(person_id)],
}


def coloured(someone, colour):
    """Put a citizen who agreed into a colour through real events; return the citizen."""
    agree(someone)
    say(*_WAYS[colour](someone.person_id))
    assert colour_of(someone.person_id) == colour
    return someone


def colour_of(person_id):
    """Return the colour as the row has it."""
    with db.transaction() as session:
        return session.scalar(
            text("SELECT colour FROM health_code.standing WHERE person_id = :p"), {"p": person_id}
        )


def move_back(person_id, days):
    """Let everything said of somebody have been said some days earlier; for the owner only."""
    return (
        text(
            "UPDATE health_code.event SET occurred_at = occurred_at - :by, "
            "recorded_at = recorded_at - :by WHERE person_id = :p"
        ),
        {"p": person_id, "by": timedelta(days=days)},
    )


def days_ago(days):
    return clock.now() - timedelta(days=days)
