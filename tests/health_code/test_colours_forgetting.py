"""What is old goes once no colour rests on it, and its going is seen in no colour."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from health_world import ILL, WELL, declared, reported, standings_wrong
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.clock import CITY
from citizen_cloud.db import new_id
from citizen_cloud.modules.health_code.jobs.colours import forget_old
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.rules.colours import fold
from citizen_cloud.modules.health_code.rules.events import Event
from citizen_cloud.modules.health_code.rules.forgetting import HISTORY, forgettable, oldest_kept
from citizen_cloud.modules.health_code.rules.profiles import PROFILES
from citizen_cloud.modules.health_code.rules.versions import read_version
from citizen_cloud.modules.health_code.services.colours.events import append

NOW = datetime(2024, 9, 1, 3, 40, tzinfo=CITY).astimezone(UTC)
VERSIONS = {name: read_version(1, name, data) for name, data in PROFILES.items()}
FINE, CHECK, COUGH = ("declared", WELL), ("checked_in", {}), ("declared", ILL)
POSITIVE, RECOVERY = ("test_result", {"result": "positive"}), ("recovery", {})
VENUE = ("exposure", {"class": "venue"})
UNMEASURED = ("declared", {"symptoms": [], "contact_with_case": False})
SAID = (FINE, UNMEASURED, CHECK, COUGH, POSITIVE, RECOVERY, VENUE)


def ago(days, said):
    kind, payload = said
    return Event(id=uuid4(), kind=kind, occurred_at=NOW - timedelta(days=days), payload=payload)


def left_of(events, profile="a"):
    looks = [(VERSIONS[profile], NOW), (VERSIONS[profile], NOW - HISTORY)]
    gone = forgettable(events, looks, NOW)
    return [event for event in events if event.id not in gone]


def test_daily_check_ins_go_after_half_a_year_and_the_last_declaration_never():
    daily = [ago(day, FINE) for day in range(400)]
    assert {event.occurred_at >= oldest_kept(NOW) for event in left_of(daily)} == {True}
    once = [ago(400, FINE), ago(300, FINE)]
    assert left_of(once) == once[1:]


def test_a_colour_that_never_ended_keeps_its_cause_and_what_was_said_since():
    said = [ago(320, VENUE), ago(300, VENUE), ago(299, CHECK), ago(2, FINE)]
    assert left_of(said) == said[1:]
    over = [ago(300, VENUE), *(ago(day, CHECK) for day in range(290, 299)), ago(2, FINE)]
    # Ninety days ago green rested on the last of them.
    assert left_of(over) == [over[1], over[-1]]


def test_a_withdrawal_goes_with_what_it_withdrew_or_not_at_all():
    wrong, well = ago(300, POSITIVE), ago(1, FINE)
    back = Event(
        id=uuid4(),
        kind="withdrawn",
        occurred_at=NOW - timedelta(days=2),
        payload={},
        withdraws=wrong.id,
    )
    assert left_of([wrong, back, well]) == [wrong, back, well]
    old = Event(
        id=uuid4(),
        kind="withdrawn",
        occurred_at=NOW - timedelta(days=290),
        payload={},
        withdraws=wrong.id,
    )
    assert left_of([wrong, old, well]) == [well]


@pytest.mark.parametrize("profile", "abc")
def test_no_evening_of_the_last_ninety_days_or_the_next_reads_otherwise(profile):
    dice = random.Random(profile)
    gone = 0
    for _ in range(12):
        share = dice.choice((0.02, 0.3, 0.9))
        said = [
            ago(day, dice.choice(SAID) if dice.random() < 0.1 else FINE)
            for day in range(420)
            if dice.random() < share
        ]
        rest = left_of(said, profile)
        gone += len(said) - len(rest)
        for back in [*range(-40, 91, 3), 89, 90]:
            evening = NOW - timedelta(days=back)
            first, second = (
                fold([one for one in events if one.occurred_at <= evening], version, evening)
                for events, version in ((said, VERSIONS[profile]), (rest, VERSIONS[profile]))
            )
            # How long a streak was, three months ago, is told as far back as events are kept.
            hidden = {"streak": 0} if back > 0 else {}
            assert replace(first, **hidden) == replace(second, **hidden), back
    assert gone > 200


def person(session):
    person_id = new_id()
    session.execute(
        text(
            "INSERT INTO accounts.person (id, document_type, verified_by, verified_at) "
            "VALUES (:id, 'resident_id', 'test', statement_timestamp())"
        ),
        {"id": person_id},
    )
    return person_id


def test_the_job_forgets_in_batches_and_no_colour_changes(database):
    with db.transaction() as session:
        daily, ill, silent = (person(session) for _ in range(3))
        for days in range(200, 0, -20):
            at = clock.now() - timedelta(days=days)
            append(session, [declared(daily, at=at)], now=at)
        for days, said in ((250, ILL), (240, ILL)):
            at = clock.now() - timedelta(days=days)
            append(session, [declared(ill, said=said, at=at)], now=at)
        append(session, [reported(silent)])
    before = seen(daily, ill, silent)
    assert forget_old(clock.now()) == 2
    assert seen(daily, ill, silent) == before
    with db.transaction() as session:
        left = session.execute(
            text("SELECT person_id, count(*) AS n FROM health_code.event GROUP BY 1")
        )
        assert {row.person_id: row.n for row in left} == {daily: 9, ill: 1, silent: 1}
        assert standings_wrong(session) == []
    assert forget_old(clock.now()) == 0


def seen(*people):
    with db.transaction() as session:
        found = [standing_of(session, one) for one in people]
        return [(one.colour, one.next_change_at, one.reasons) for one in found]
