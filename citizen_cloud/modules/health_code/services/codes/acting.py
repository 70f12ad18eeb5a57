"""What is done for a person by somebody who acts for him, as the person sees it."""

from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.data_access import Look, Outcome, note_access
from citizen_cloud.families.services.representing import purpose_of
from citizen_cloud.modules.health_code.queries.showable import Asking

SCOPE = "health_code"


def note_acting(session: Session, asking: Asking, *, outcome: Outcome) -> None:
    """Write down what a link allowed; one's own business is nobody's look.

    Reading by a link is noted at the gate already; this is for what changes something, or hands a
    code out.
    """
    if asking.link_id is None:
        return
    look = Look(
        person_id=asking.person_id,
        reader_kind="proxy",
        reader_id=asking.account_id,
        purpose=purpose_of(SCOPE),
        categories=("health",),
        basis_type="link",
        basis_id=asking.link_id,
        outcome=outcome,
    )
    note_access(session, look)
