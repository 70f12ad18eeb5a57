"""Identity documents: their forms, the number that matches, and the birth date it tells.

Resident numbers follow GB 11643 with the check of ISO 7064 MOD 11-2 (python-stdnum) and the list
of area codes with the years they were in use.
"""

import re
from datetime import date
from functools import lru_cache

from stdnum import numdb
from stdnum.cn import ric

RESIDENT_ID = "resident_id"
PASSPORT = "passport"
HK_MACAU_PERMIT = "hk_macau_permit"
TAIWAN_PERMIT = "taiwan_permit"
FOREIGN_RESIDENT_CARD = "foreign_resident_card"
DOCUMENT_TYPES = (
    RESIDENT_ID,
    PASSPORT,
    HK_MACAU_PERMIT,
    TAIWAN_PERMIT,
    FOREIGN_RESIDENT_CARD,
)

_RESIDENT = re.compile("[0-9]{17}[0-9X]")
_RESIDENT_OLD = re.compile("[0-9]{15}")
# The permanent residence card of 2023 is built like a resident number and begins with 9.
_FOREIGN_NEW = re.compile("9[0-9]{16}[0-9X]")
_FORMS = {
    # At most nine characters (ICAO 9303), so that no resident number passes for a passport's.
    PASSPORT: re.compile("(?=.*[0-9])[A-Z0-9]{5,9}"),
    # Two further digits count the renewals; the first nine characters stay for life.
    HK_MACAU_PERMIT: re.compile("[HM][0-9]{8}(?:[0-9]{2})?"),
    TAIWAN_PERMIT: re.compile("[0-9]{8}|[0-9]{10}[A-Z]?"),
    FOREIGN_RESIDENT_CARD: re.compile("[A-Z]{3}[0-9]{12}"),
}
OLDEST_YEARS = 150
ADULT_YEARS = 18
# Residence permits of people from Hong Kong, Macau and Taiwan bear numbers of the same build.
_PERMIT_AREAS = frozenset({"810000", "820000", "830000"})
# Numbers were first given out in 1984: who was born before bears a code of that time.
FIRST_NUMBERS = 1984
# Sources date a county's founding or end up to a year apart, and births are registered late.
YEARS_OF_GRACE = 1
_YEARS = re.compile(r"\[([0-9]*)-([0-9]*)\]")


class DocumentFault(ValueError):
    """A document number breaks a rule; ``part`` names which, never the number."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


def document_number(document_type: str, number: str, *, today: date) -> str:
    """Return the number in its one stored form. Raises ``DocumentFault``.

    A lower-case letter becomes a capital; anything else is taken as it stands, so full-width
    digits, blanks and line ends are faults.
    """
    upper = number.upper() if number.isascii() else number
    if document_type == RESIDENT_ID:
        return _resident(upper, today)
    if document_type == FOREIGN_RESIDENT_CARD and _FOREIGN_NEW.fullmatch(upper):
        _check_birth(upper, today)
        return _checked(upper)
    if not _FORMS[document_type].fullmatch(upper):
        raise DocumentFault("form")
    return upper


def _resident(number: str, today: date) -> str:
    if len(number) != 18:  # noqa: PLR2004 - also 15-digit numbers: they only match, never register
        raise DocumentFault("length")
    if not _RESIDENT.fullmatch(number):
        raise DocumentFault("form")
    born = _check_birth(number, today)
    if not _area_existed(number[:6], born.year):
        raise DocumentFault("area")
    return _checked(number)


def _check_birth(number: str, today: date) -> date:
    born = _date(number[6:14])
    if born is None or born > today or today.year - born.year > OLDEST_YEARS:
        raise DocumentFault("birth_date")
    return born


def _checked(number: str) -> str:
    if ric.calc_check_digit(number) != number[-1]:
        raise DocumentFault("check_digit")
    return number


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _area_existed(area: str, year: int) -> bool:
    """Return whether a county bore this code when the number was given out."""
    if area in _PERMIT_AREAS:
        return True
    parts = dict(pair for _, facts in numdb.get("cn/loc").info(area) for pair in facts.items())
    earliest = year - YEARS_OF_GRACE
    latest = max(year, FIRST_NUMBERS) + YEARS_OF_GRACE
    for county in filter(None, parts.get("county", "").split(",")):
        years = _YEARS.match(county)
        since, until = years.groups() if years else ("", "")
        if (not since or int(since) <= latest) and (not until or int(until) >= earliest):
            return True
    return False


def matching_number(document_type: str, number: str) -> str | None:
    """Return what stands for the person whatever the document's age; None for no such form.

    A 15-digit resident number matches its 18-digit form, a renewed permit the one before it.
    """
    upper = number.strip().upper() if number.isascii() else number
    if document_type == RESIDENT_ID:
        if _RESIDENT_OLD.fullmatch(upper):
            longer = f"{upper[:6]}19{upper[6:]}"
            return longer + ric.calc_check_digit(longer + "0")
        return upper if _RESIDENT.fullmatch(upper) else None
    if document_type == FOREIGN_RESIDENT_CARD and _FOREIGN_NEW.fullmatch(upper):
        return upper
    form = _FORMS.get(document_type)
    if form is None or not form.fullmatch(upper):
        return None
    return upper[:9] if document_type == HK_MACAU_PERMIT else upper


def birth_on(document_type: str, number: str) -> date | None:
    """Return the birth date a stored number tells; None where its form tells none."""
    tells = {RESIDENT_ID: _RESIDENT, FOREIGN_RESIDENT_CARD: _FOREIGN_NEW}.get(document_type)
    return _date(number[6:14]) if tells is not None and tells.fullmatch(number) else None


def is_adult(born: date | None, today: date) -> bool:
    """Return whether somebody is 18 today; also where the document tells no birth date."""
    if born is None:
        return True
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (not had_birthday) >= ADULT_YEARS
