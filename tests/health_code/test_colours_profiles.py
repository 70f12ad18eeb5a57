"""The three profiles, day by day: what is said on a day, and the colour on its evening."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from citizen_cloud.clock import CITY
from citizen_cloud.modules.health_code.rules.colours import fold
from citizen_cloud.modules.health_code.rules.events import Event
from citizen_cloud.modules.health_code.rules.profiles import PROFILES
from citizen_cloud.modules.health_code.rules.versions import read_version

VERSIONS = {name: read_version(1, name, data) for name, data in PROFILES.items()}
FIRST = datetime(2020, 3, 1, 9, tzinfo=CITY)

WELL = ("declared", {"temperature_c": 36.5, "symptoms": [], "contact_with_case": False})
NO_TEMPERATURE = ("declared", {"symptoms": [], "contact_with_case": False})
FEVER = ("declared", {"temperature_c": 37.3, "symptoms": [], "contact_with_case": False})
COUGH = ("declared", {"temperature_c": 36.5, "symptoms": ["cough"], "contact_with_case": False})
CONTACT = ("declared", {"temperature_c": 36.5, "symptoms": [], "contact_with_case": True})
CHECK = ("checked_in", {})
POSITIVE = ("test_result", {"result": "positive"})
NEGATIVE = ("test_result", {"result": "negative"})
CLOSE = ("exposure", {"class": "close"})
VENUE = ("exposure", {"class": "venue"})
RECOVERY = ("recovery", {})
EXCLUSION = ("exclusion", {})
RED_3 = ("assigned", {"colour": "red", "reason": "confirmed_case", "days": 3})
YELLOW_10 = ("assigned", {"colour": "yellow", "reason": "close_contact", "days": 10})


def trip(arrived, to="420106"):
    day = (FIRST + timedelta(days=arrived - 1)).date().isoformat()
    return (
        "trip",
        {
            "from_area": "210200",
            "to_area": to,
            "departed_on": day,
            "arrived_on": day,
            "transport": "train",
        },
    )


def on(day, said, *, minutes=0):
    """Return what was said on a day of the table; day 1 is the first."""
    kind, payload = said
    at = FIRST + timedelta(days=day - 1, minutes=minutes)
    return Event(id=uuid4(), kind=kind, occurred_at=at.astimezone(UTC), payload=payload)


def evening(day):
    return (FIRST + timedelta(days=day - 1, hours=12)).astimezone(UTC)


def lived(profile, said, days):
    """Return the letter of every evening's colour, as it was seen then."""
    return "".join(
        fold(
            [one for one in said if one.occurred_at <= evening(day)],
            VERSIONS[profile],
            evening(day),
        ).colour[0]
        for day in range(1, days + 1)
    )


def every(days, said=CHECK):
    return [(day, said) for day in days]


# name → profile, what is said by day, the colours of the evenings: n, g, y, r
TABLES = {
    "a: nobody without a declaration has a colour": ("a", [], "nnn"),
    "a: a declaration is green for good": ("a", [(2, WELL)], "nggggggggg"),
    "a: yellow is green after seven check-ins in a row": (
        "a",
        [(1, WELL), (2, VENUE), *every(range(3, 10))],
        "gyyyyyyyyggg",
    ),
    "a: a declaration without symptoms checks in as well": (
        "a",
        [(1, COUGH), *every(range(2, 9), WELL)],
        "yyyyyyyyggg",
    ),
    "a: two on one day are one check-in": (
        "a",
        [(1, COUGH), *every([2, 3, 4, 5, 6, 7]), *every([2, 3, 4, 5, 6, 7], WELL)],
        "yyyyyyyyyyyy",
    ),
    "a: a missed day begins the streak anew": (
        "a",
        [(1, COUGH), *every([2, 3, 4, 5, 6, 7]), *every(range(9, 16))],
        "yyyyyyyyyyyyyyygg",
    ),
    "a: a symptom begins it anew, whatever was said that morning": (
        "a",
        [(1, VENUE), *every(range(2, 7)), (6, COUGH), *every(range(7, 14))],
        "yyyyyyyyyyyyynn".replace("n", "g"),
    ),
    "a: red is green after fourteen": (
        "a",
        [(1, POSITIVE), *every(range(2, 16))],
        "r" * 15 + "ggg",
    ),
    "a: red with thirteen and a gap stays red": (
        "a",
        [(1, POSITIVE), *every(range(2, 15)), *every(range(16, 20))],
        "r" * 20,
    ),
    "a: worst active rule wins, and yellow goes on behind red": (
        "a",
        [(1, WELL), (2, RED_3), (3, VENUE), *every(range(4, 11))],
        "grrryyyyyygg",
    ),
    "a: a negative test changes nothing": ("a", [(1, WELL), (2, NEGATIVE)], "ggg"),
    "a: contact, and a trip to an area of risk, are yellow": (
        "a",
        [(1, WELL), (2, CONTACT)],
        "gyyy",
    ),
    "a: a trip counts from its arrival": (
        "a",
        [*every(range(1, 9)), (5, trip(1))],
        "ggggyyyygg",
    ),
    "a: a trip elsewhere is no matter": ("a", [(1, WELL), (2, trip(2, "110101"))], "gggg"),
    "a: by hand for as long as two agreed": (
        "a",
        [(1, WELL), (2, YELLOW_10)],
        "g" + "y" * 10 + "gg",
    ),
    "a: a shorter decision does not end a longer one": (
        "a",
        [(1, WELL), (2, YELLOW_10), (3, ("assigned", {**YELLOW_10[1], "days": 2}))],
        "g" + "y" * 10 + "gg",
    ),
    "b: red is yellow fourteen days after recovery, green fourteen later": (
        "b",
        [*every(range(1, 45, 3), WELL), (2, POSITIVE), (10, RECOVERY)],
        "g" + "r" * 22 + "y" * 14 + "gggg",
    ),
    "b: exclusion does it as well": (
        "b",
        [*every(range(1, 45, 3), WELL), (2, CLOSE), (4, EXCLUSION)],
        "g" + "r" * 16 + "y" * 14 + "gggg",
    ),
    "b: without either red stays red": (
        "b",
        [*every(range(1, 60, 3), WELL), (2, POSITIVE)],
        "g" + "r" * 50,
    ),
    "b: a symptom while yellow begins the fourteen days anew": (
        "b",
        [*every(range(1, 45, 3), WELL), (2, CONTACT), (8, COUGH)],
        "g" + "y" * 20 + "ggg",
    ),
    "b: a fever is yellow": (
        "b",
        [*every(range(1, 45, 3), WELL), (5, FEVER)],
        "gggg" + "y" * 14 + "ggg",
    ),
    "b: no temperature before seven days are over is yellow": (
        "b",
        [(1, WELL), (5, NO_TEMPERATURE)],
        "g" * 7 + "yyyyyy",
    ),
    "b: reported again, fourteen days after the lapse it is green": (
        "b",
        [(1, WELL), (10, WELL), (16, WELL), (22, WELL), (28, WELL)],
        "g" * 7 + "y" * 14 + "ggggg",
    ),
    "b: and not before it is reported": (
        "b",
        [(1, WELL), (30, WELL)],
        "g" * 7 + "y" * 22 + "ggg",
    ),
    "c: green is good for three days": ("c", [(1, WELL)], "gggnnn"),
    "c: a declaration prolongs it": ("c", [(1, WELL), (3, WELL), (5, NO_TEMPERATURE)], "gggggggnn"),
    "c: yellow ends by days, and shows what is left": (
        "c",
        [*every(range(1, 13, 2), WELL), (2, VENUE)],
        "g" + "y" * 7 + "ggggg",
    ),
    "c: who is yellow and says nothing more has no code in the end": (
        "c",
        [(1, COUGH)],
        "y" * 7 + "nn",
    ),
    "c: red for fourteen days": (
        "c",
        [*every(range(1, 20), WELL), (2, CLOSE)],
        "g" + "r" * 14 + "gg",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_profile_colours_every_evening_of_its_table(name):
    profile, said, colours = TABLES[name]
    events = [on(day, what, minutes=place) for place, (day, what) in enumerate(said)]
    assert lived(profile, events, len(colours)) == colours


@pytest.mark.parametrize("name", TABLES)
def test_what_turns_by_itself_was_foretold_to_the_midnight(name):
    """``next_change_at`` of every evening is right wherever nothing more is said meanwhile."""
    profile, said, colours = TABLES[name]
    events = [on(day, what, minutes=place) for place, (day, what) in enumerate(said)]
    for day in range(1, len(colours) + 1):
        known = [one for one in events if one.occurred_at <= evening(day)]
        now = fold(known, VERSIONS[profile], evening(day))
        turns = now.next_change_at
        ahead = [fold(known, VERSIONS[profile], evening(day + more)) for more in range(1, 40)]
        changed = [one for one in ahead if one.colour != now.colour]
        if turns is None:
            assert changed == []
            continue
        assert turns.astimezone(CITY).time().isoformat() == "00:00:00"
        instant = timedelta(microseconds=1)
        assert fold(known, VERSIONS[profile], turns - instant).colour == now.colour
        assert fold(known, VERSIONS[profile], turns).colour == changed[0].colour != now.colour


def test_nothing_of_a_standing_reads_otherwise_before_it_says_so():
    """What the row keeps holds until ``holds_until``, streak and earliest end included."""
    for profile, said, colours in TABLES.values():
        events = [on(day, what, minutes=place) for place, (day, what) in enumerate(said)]
        for day in range(1, len(colours) + 1):
            known = [one for one in events if one.occurred_at <= evening(day)]
            now = fold(known, VERSIONS[profile], evening(day))
            for more in range(1, 20):
                later = evening(day + more)
                if now.holds_until is not None and later >= now.holds_until:
                    break
                assert _shown(fold(known, VERSIONS[profile], later)) == _shown(now)


def _shown(standing):
    return (
        standing.colour,
        standing.reasons,
        standing.next_change_at,
        standing.green_from,
        standing.streak,
    )


def test_what_ended_by_quiet_days_is_not_woken_by_a_symptom_long_after():
    said = [on(1, WELL), on(2, CONTACT), *(on(day, WELL) for day in range(5, 60, 3)), on(60, COUGH)]
    standing = fold(said, VERSIONS["b"], evening(60))
    assert [reason.rule for reason in standing.reasons] == ["symptoms"]
    known = [one for one in said if one.occurred_at <= evening(17)]
    assert fold(known, VERSIONS["b"], evening(17)).colour == "green"
    assert fold([*known, on(16, COUGH)], VERSIONS["b"], evening(17)).colour == "yellow"


def test_who_does_what_is_asked_is_green_when_it_was_said():
    said = [on(1, WELL), on(2, VENUE)]
    foretold = fold(said, VERSIONS["a"], evening(2)).green_from
    for day in range(3, 10):
        said.append(on(day, CHECK))
        assert fold(said, VERSIONS["a"], evening(day)).green_from == foretold
    assert fold(said, VERSIONS["a"], foretold).colour == "green"
    assert fold(said[:-1], VERSIONS["a"], foretold).colour == "yellow"


def test_what_was_withdrawn_never_counted():
    wrong = on(2, POSITIVE)
    taken_back = Event(
        id=uuid4(), kind="withdrawn", occurred_at=evening(3), payload={}, withdraws=wrong.id
    )
    said = [on(1, WELL), wrong]
    assert fold(said, VERSIONS["a"], evening(3)).colour == "red"
    assert fold([*said, taken_back], VERSIONS["a"], evening(3)).colour == "green"


def test_the_order_in_which_things_were_told_does_not_matter():
    said = [on(1, WELL), on(4, VENUE), *(on(day, CHECK) for day in range(5, 9))]
    there, back = (fold(one, VERSIONS["a"], evening(9)) for one in (said, said[::-1]))
    assert there == back


def test_a_reason_says_its_rule_its_words_and_its_event():
    event = on(2, VENUE)
    (reason,) = fold([on(1, WELL), event], VERSIONS["a"], evening(2)).reasons
    assert (reason.rule, reason.version, reason.event_id) == ("exposure", 1, event.id)
    assert "7" in reason.text.zh
    assert "7" in reason.text.en
