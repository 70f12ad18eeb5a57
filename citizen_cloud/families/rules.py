"""Who must agree, until when, and in which services: pure questions about a link."""

import hashlib
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from uuid import UUID

from citizen_cloud.clock import CITY

RELATIONS = ("child", "elder", "disabled", "adult")
CHILD = "child"
# The scope of an inbox, beside the names of modules.
MESSAGES = "messages"
# What lies behind a scope where it is no booking, in the word the person reads.
CATEGORIES = {MESSAGES: "messages", "guardian": "protection", "health_code": "health"}
OF_AGE = 18
MOST_DEPENDANTS = 8
MOST_GUARDIANS = 2
# How often somebody may ask for the same person, and for anybody at all.
ASKS_PER_PERSON, PER_PERSON = 3, timedelta(days=30)
ASKS_PER_DAY, DAY = 10, timedelta(days=1)
ANSWER_WITHIN = timedelta(days=30)
# At a counter both clerks are there; the people with their documents are as well.
SECOND_CLERK_WITHIN = timedelta(hours=24)
# A child whose document tells no birth date: the link is renewed every year.
UNKNOWN_AGE = timedelta(days=365)


def midnight(day: date) -> datetime:
    """Return when a day begins in the city."""
    return datetime.combine(day, time(), tzinfo=CITY)


def comes_of_age_at(birth_on: date) -> datetime:
    """Return when somebody turns 18; born on 29 February, on 1 March of a common year."""
    year = birth_on.year + OF_AGE
    try:
        return midnight(birth_on.replace(year=year))
    except ValueError:
        return midnight(date(year, 3, 1))


def relation_fits(relation: str, birth_on: date | None, now: datetime) -> bool:
    """Return whether relation and age agree; a document that tells no age agrees with both."""
    return birth_on is None or (relation == CHILD) == (now < comes_of_age_at(birth_on))


def ends_at(
    relation: str, birth_on: date | None, expires_on: date | None, now: datetime
) -> datetime | None:
    """Return when a link ends: after its last day, a child's at the 18th birthday at the latest."""
    wished = None if expires_on is None else midnight(expires_on + timedelta(days=1))
    if relation != CHILD:
        return wished
    latest = now + UNKNOWN_AGE if birth_on is None else comes_of_age_at(birth_on)
    return latest if wished is None else min(wished, latest)


def answer_by(
    ends: datetime | None, now: datetime, *, within: timedelta = ANSWER_WITHIN
) -> datetime:
    """Return until when a request can be answered."""
    latest = now + within
    return latest if ends is None else min(latest, ends)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two ends, where there is any."""
    return min((each for each in (one, other) if each is not None), default=None)


def narrowed(wished: Collection[str] | None, *outer: Collection[str]) -> list[str] | None:
    """Return the scopes wished for, in order, if each outer set holds them all; else None.

    Without a wish, what all outer sets share. Nothing left is None as well.
    """
    shared = set.intersection(*(set(each) for each in outer))
    if wished is None:
        return sorted(shared) or None
    return sorted(set(wished)) if wished and set(wished) <= shared else None


def attempt_id(account_id: UUID, person_id: UUID, scope: str, day: date) -> UUID:
    """Return the id of a refused attempt: one per actor, person, scope and day, whoever races.

    Built like a UUIDv7 of the day's beginning, so that it sorts among the other looks.
    """
    words = f"{account_id} {person_id} {scope} {day}".encode()
    drawn = int.from_bytes(hashlib.sha256(words).digest()[:10])
    value = int(midnight(day).timestamp() * 1000) << 80 | drawn
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
