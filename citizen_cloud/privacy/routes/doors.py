"""Who may ask for everything: the holder, on a device where the document was shown."""

from typing import cast

from citizen_cloud.accounts.services import SignedIn
from citizen_cloud.web.caller import caller


def holder() -> SignedIn:
    """Return the caller.

    Raises ``StepUpRequired`` where the account has a person and the document was not shown on this
    device: the next holder of a phone number must not take the last one's data, nor end it.
    """
    known = cast("SignedIn", caller())
    known.require_own()
    return known
