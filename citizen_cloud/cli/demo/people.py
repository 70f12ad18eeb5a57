"""Invented people for the demo: valid by their check digits, belonging to nobody we know."""

import secrets
from datetime import date, timedelta

from stdnum.cn import ric

SURNAMES = "王李张刘陈杨赵黄周吴"
GIVEN = "晓明思远雨桐子涵建国秀英海燕志强"
# The area code below is valid for every birthday after this one.
FIRST_BIRTHDAY = date(1985, 1, 1)
LAST_BIRTHDAY = date(2005, 12, 31)


def invented_phone() -> str:
    """Return a mobile number of the right form."""
    return "+86199" + "".join(secrets.choice("0123456789") for _ in range(8))


def invented_document() -> str:
    """Return a resident identity number of Dalian's Zhongshan district with its check digit."""
    span = (LAST_BIRTHDAY - FIRST_BIRTHDAY).days
    birthday = FIRST_BIRTHDAY + timedelta(days=secrets.randbelow(span))
    stem = f"210202{birthday:%Y%m%d}{secrets.randbelow(1000):03d}"
    return stem + str(ric.calc_check_digit(stem + "0"))


def invented_name() -> str:
    """Return a name of three characters."""
    return secrets.choice(SURNAMES) + secrets.choice(GIVEN) + secrets.choice(GIVEN)
