"""One canonical key per mobile phone, however its number is spelt."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

HOME_REGION = "CN"
HOME_CODE = 86
# ASCII and full-width digits; other scripts' digits and vanity letters are refused, not guessed.
_SPELLING = re.compile("[+＋]?[0-9０-９ ()（）.\\-－]{5,24}")
# North America does not tell mobile from fixed lines.
_TEXTABLE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def canonical_phone(spelt: str) -> str | None:
    """Return a mobile number in E.164 form, +86 where no country is given; None when it is none.

    Virtual operators (170, 171, 167, 162, 165) are mobile; landlines, premium and short numbers
    are not.
    """
    if not _SPELLING.fullmatch(spelt):
        return None
    try:
        number = phonenumbers.parse(spelt, HOME_REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.number_type(number) not in _TEXTABLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def masked_phone(phone: str) -> str:
    """Return a canonical number as it may be shown: ``138****8000``, ``+852****4567``."""
    home = f"+{HOME_CODE}"
    if phone.startswith(home):
        national = phone.removeprefix(home)
        return f"{national[:3]}****{national[-4:]}"
    return f"{phone[:4]}****{phone[-4:]}"
