"""Which columns of this room are sealed or blind, so that their keys can be rotated.

Counts of a day (``otp_day``, ``allowance``) are not among them: nothing says what they are about.
They stay with the older key while it is held, and begin anew when it leaves.
"""

from collections.abc import Mapping
from typing import Any

from citizen_cloud.accounts.rules.documents import matching_number
from citizen_cloud.manifest import Blind, Sealed


def _matching(number: str, row: Mapping[str, Any]) -> str:
    return matching_number(row["document_type"], number) or number


SEALED = (
    Sealed(table="accounts.account", column="phone_sealed", place="accounts.account:phone:{id}"),
    Sealed(
        table="accounts.account",
        column="display_name_sealed",
        place="accounts.account:display_name:{id}",
    ),
    Sealed(table="accounts.account", column="totp_sealed", place="accounts.account:totp:{id}"),
    Sealed(
        table="accounts.account",
        column="next_totp_sealed",
        place="accounts.account:next_totp:{id}",
    ),
    Sealed(table="accounts.device", column="name_sealed", place="accounts.device:name:{id}"),
    Sealed(
        table="accounts.otp_challenge",
        column="phone_sealed",
        place="accounts.otp_challenge:phone:{id}",
    ),
    Sealed(
        table="accounts.person", column="document_sealed", place="accounts.person:document:{id}"
    ),
    Sealed(table="accounts.person", column="name_sealed", place="accounts.person:name:{id}"),
)
BLIND = (
    Blind(table="accounts.account", column="phone_index", kind="phone", sealed="phone_sealed"),
    Blind(
        table="accounts.otp_challenge", column="phone_index", kind="phone", sealed="phone_sealed"
    ),
    Blind(
        table="accounts.person",
        column="document_index",
        kind="document:{document_type}",
        sealed="document_sealed",
        value=_matching,
    ),
)
