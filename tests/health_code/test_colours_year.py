"""A city's days lived through services and jobs, recomputed from events, and counted by hand."""

import copy
import os
import random
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import health_notebook
from health_world import standings_wrong
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.clock import CITY, local_day
from citizen_cloud.modules.health_code.queries.events import events_of
from citizen_cloud.modules.health_code.queries.versions import version_at
from citizen_cloud.modules.health_code.rules.colours import fold
from citizen_cloud.modules.health_code.rules.profiles import PROFILES
from citizen_cloud.modules.health_code.services.colours.events import NewEvent, append
from citizen_cloud.modules.health_code.services.colours.refolding import (
    MOST,
    follow_version,
    turn_due,
)
from citizen_cloud.modules.health_code.services.colours.versions import Draft, draft, put_in_force

PROVE = os.environ.get("PROVE") == "1"
PEOPLE, DAYS = (int(os.environ.get("PROVE_PEOPLE", "10000")), 365) if PROVE else (150, 45)
SEED = int(os.environ.get("PROVE_SEED", "1"))
FIRST = datetime(2021, 1, 1, tzinfo=CITY)
SWITCH = DAYS * 2 // 3
SHORTER = 2
# No transaction of a busy machine rests so long between reading and writing that it is ended.
BATCH = 500
COLUMNS = ("none", "green", "yellow", "red")


def at(day, hour):
    return (FIRST + timedelta(days=day, hours=hour)).astimezone(UTC)


def ordinal(day):
    return local_day(at(day, 12)).toordinal()


def population(session):
    found = [UUID(int=(7 << 76) | (2 << 62) | number) for number in range(1, PEOPLE + 1)]
    session.execute(
        text(
            "INSERT INTO accounts.person (id, document_type, verified_by, verified_at) "
            "SELECT unnest(cast(:ids AS uuid[])), 'resident_id', 'test', now()"
        ),
        {"ids": found},
    )
    return found


class City:
    """Draws what is said on each day: habits, illness, contacts, late results, mistakes."""

    def __init__(self, someones):
        self.dice = random.Random(SEED)
        self.diligence = {one: self.dice.choice((0.01, 0.05, 0.2, 0.7)) for one in someones}
        self.keen = {}
        self.hand = []

    def day(self, day):
        """Return [(person, fact, event)] of one day; a fact is (kind, payload, day it happened)."""
        said = []
        for one, diligence in self.diligence.items():
            said += [(one, fact) for fact in self._of(one, diligence, day)]
        made = [(one, fact, event_of(one, fact, day)) for one, fact in said]
        made += self._mistakes(day)
        self.hand += [(one, event, day) for one, fact, event in made if fact[0] == "assigned"]
        return made

    def _of(self, one, diligence, day):
        dice = self.dice
        # Who was coloured is eager for a while: most runs complete, some break.
        eager = 0.96 if self.keen.get(one, -99) > day else diligence
        if dice.random() < eager:
            ill = dice.random() < 0.01
            yield (
                "declared",
                {
                    "symptoms": ["cough"] if ill else [],
                    "contact_with_case": dice.random() < 0.004,
                    **({"temperature_c": 36.6} if dice.random() < 0.5 else {}),
                },
                day,
            )
            self._mind(one, day, ill)
        if dice.random() < 0.006:
            late = day - min(day, dice.choice((0, 0, 1, 2)))
            yield self._fact(late)
            self._mind(one, day, ill=True)

    def _fact(self, day):
        dice = self.dice
        kind = dice.choice(("test_result", "exposure", "exposure", "trip", "assigned"))
        on = (FIRST + timedelta(days=day)).date().isoformat()
        payload = {
            "test_result": {"result": dice.choice(("positive", "negative"))},
            "exposure": {"class": dice.choice(("close", "venue", "secondary"))},
            "trip": {
                "from_area": "210200",
                "to_area": dice.choice(("420106", "110101")),
                "departed_on": on,
                "arrived_on": on,
                "transport": "train",
            },
            "assigned": {
                "colour": dice.choice(("yellow", "red")),
                "reason": "close_contact",
                "days": dice.randint(1, 14),
            },
        }
        return kind, payload[kind], day

    def _mind(self, one, day, ill):
        if ill:
            self.keen[one] = day + 25

    def _mistakes(self, day):
        """Take back some of what was given by hand on the days before."""
        for one, event, since in list(self.hand):
            if since < day and self.dice.random() < 0.1:
                self.hand.remove((one, event, since))
                fact = ("withdrawn", {"of": event.id}, day)
                yield one, fact, event_of(one, fact, day)


def event_of(one, fact, day):
    kind, payload, happened = fact
    by_citizen = kind in ("declared", "trip")
    return NewEvent(
        person_id=one,
        kind=kind,
        evidence="self_report" if by_citizen else "survey",
        occurred_at=at(happened, 9),
        payload={} if kind == "withdrawn" else payload,
        source_kind="citizen" if by_citizen else "officer",
        approval_id=None if by_citizen else uuid4(),
        withdraws=payload["of"] if kind == "withdrawn" else None,
    )


def shorter_rules():
    rules = copy.deepcopy(PROFILES["a"])
    for rule in rules["rules"]:
        if rule["ends"].get("days") == 7:
            rule["ends"]["days"] = 7 - SHORTER
    return rules


def switch(session, now):
    """Put rules in force under which yellow is over two days earlier."""
    made = draft(session, new=Draft(profile="a", rules=shorter_rules()), created_by=None)
    session.execute(
        text("UPDATE health_code.rule_version SET status = 'shadow' WHERE id = :id"),
        {"id": made["id"]},
    )
    put_in_force(session, number=made["number"], approval_id=uuid4(), now=now)


def until_done(work, now):
    while True:
        with db.transaction() as session:
            if work(session, now=now) < MOST:
                return


def evening_colours(session):
    rows = session.execute(text("SELECT person_id, colour FROM health_code.standing"))
    return {row.person_id: row.colour for row in rows}


def live(city, day, books):
    """Let one day pass: midnight's job, what is said, the evening; and the clerk's notebook."""
    until_done(turn_due, at(day, 0.1))
    if day == SWITCH:
        with db.transaction() as session:
            switch(session, at(day, 1))
        until_done(follow_version, at(day, 1))
    said = city.day(day)
    for place in range(0, len(said), BATCH):
        with db.transaction() as session:
            append(session, [event for _, _, event in said[place : place + BATCH]], now=at(day, 10))
    for one, fact, event in said:
        key = event.id
        books[one].note(day, fact, key)
    shorter = SHORTER if day >= SWITCH else 0
    counted = {one: book.colour(day, shorter) for one, book in books.items()}
    for book in books.values():
        book.close_day(day)
    return counted


def test_a_year_of_a_city_is_the_same_lived_recomputed_and_counted_by_hand(
    fresh_database, record_property
):
    with db.transaction() as session:
        someones = population(session)
    city, books = City(someones), defaultdict(health_notebook.Notebook)
    for one in someones:
        books[one] = health_notebook.Notebook()
    lived, began = [], time.monotonic()
    for day in range(DAYS):
        counted = live(city, day, books)
        with db.transaction() as session:
            shown = evening_colours(session)
        lived.append({one: shown.get(one, "none") for one in someones})
        assert lived[-1] == counted, f"day {day}"
    took = time.monotonic() - began
    with db.transaction() as session:
        assert standings_wrong(session) == []
    said, flips = recomputed(someones, lived)
    seen = [sum(colour == name for day in lived for colour in day.values()) for name in COLUMNS]
    assert all(seen), seen
    record_property("trials", PEOPLE * DAYS)
    record_property(
        "facts",
        f"{PEOPLE} people, {DAYS} days, {said} events, {flips} changes; evenings "
        f"{dict(zip(COLUMNS, seen, strict=True))}; lived in {took:.0f} s, "
        f"recomputed in {time.monotonic() - began - took:.0f} s",
    )


def recomputed(someones, lived):
    """Compute everybody's history anew from what was recorded by each evening, and compare."""
    with db.transaction() as session:
        versions = [version_at(session, at(day, 20)) for day in range(DAYS)]
    events, flips = 0, 0
    for place in range(0, PEOPLE, 500):
        group = someones[place : place + 500]
        with db.transaction() as session:
            said, recorded = events_of(session, group), recorded_days(session, group)
        for one in group:
            history = evenings(said[one], recorded, versions)
            assert history == [day[one] for day in lived], one
            events += len(said[one])
            flips += sum(now != before for now, before in pairwise(["none", *history]))
    return events, flips


def recorded_days(session, group):
    """Return on which day each event of some people was written down."""
    rows = session.execute(
        text("SELECT id, recorded_at FROM health_code.event WHERE person_id = ANY(:people)"),
        {"people": group},
    )
    first = ordinal(0)
    return {row.id: local_day(row.recorded_at).toordinal() - first for row in rows}


def evenings(said, recorded, versions):
    """Return the colour of every evening, folded from scratch out of what was known by then.

    A day on which nothing was recorded, no rules changed and no time came that the fold itself
    had named says the same as the day before. That is held to as well: one such day of seven,
    each person's own ones, is folded nevertheless.
    """
    mine = sorted(said, key=lambda event: recorded[event.id])
    shown, known, standing = [], 0, None
    for day, version in enumerate(versions):
        evening, before = at(day, 20), known
        while known < len(mine) and recorded[mine[known].id] <= day:
            known += 1
        is_quiet = standing is not None and known == before
        is_quiet &= day == 0 or version is versions[day - 1]
        is_quiet = is_quiet and not (standing.holds_until and standing.holds_until <= evening)
        if is_quiet and (day + known) % 7:
            shown.append(standing.colour)
            continue
        found = fold(mine[:known], version, evening)
        assert not is_quiet or found.colour == standing.colour, day
        standing = found
        shown.append(found.colour)
    return shown
