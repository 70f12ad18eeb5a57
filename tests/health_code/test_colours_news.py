"""News of colours: by hand at once whatever thousands are told; many in few statements."""

from uuid import UUID, uuid4

import family_world
import people
import pytest
from health_world import ILL, agree, declared, reported, say
from sqlalchemy import event as sa_event
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts.services import otp
from citizen_cloud.app import contributions
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.db import new_id
from citizen_cloud.jobs.dispatch import BATCH, dispatch
from citizen_cloud.jobs.rules import A_FEW
from citizen_cloud.jobs.services import announce_all
from citizen_cloud.modules.health_code.manifest import module
from citizen_cloud.modules.health_code.services.colours.events import NewEvent
from citizen_cloud.modules.health_code.services.colours.standings import COLOUR_CHANGED

HANDLERS = handlers_of((*contributions(), module))
CROWD = 2_000


def by_hand(person_id):
    return NewEvent(
        person_id=person_id,
        kind="assigned",
        evidence="approval",
        payload={"colour": "red", "reason": "confirmed_case", "days": 3},
        source_kind="officer",
        approval_id=uuid4(),
    )


def rows(sql, **facts):
    with db.transaction() as session:
        return session.execute(text(sql), facts).all()


def titles(someone):
    return [
        row.title["en"]
        for row in rows(
            "SELECT title FROM messages.message WHERE account_id = :a AND kind = :k ORDER BY id",
            a=someone.account_id,
            k="health_code.colour",
        )
    ]


def persons(count):
    """Make people nobody signs in as; return their ids."""
    ids = [new_id() for _ in range(count)]
    with db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO accounts.person (id, document_type, verified_by, verified_at) "
                "SELECT id, 'resident_id', 'test', statement_timestamp() "
                "FROM unnest(cast(:ids AS uuid[])) AS t(id)"
            ),
            {"ids": ids},
        )
    return ids


def hear():
    while dispatch(HANDLERS):
        pass


@pytest.fixture
def crowd(database):
    """A batch of a city: so many people wait to be told, in the lane their number gives them."""
    news = [({"person_id": str(uuid4()), "event_id": None}, None)] * CROWD
    with db.transaction() as session:
        announce_all(session, COLOUR_CHANGED, news)
    return lambda: rows("SELECT 1 FROM jobs.outbox WHERE done_at IS NULL AND lane = 'bulk'")


def test_behind_a_batch_of_thousands_a_colour_by_hand_is_told_in_the_next_batch(crowd):
    me = people.citizen()
    say(by_hand(me.person_id))
    dispatch(HANDLERS)
    assert titles(me) == ["Your health code is red now"]
    assert len(crowd()) == CROWD - BATCH


def test_behind_a_batch_of_thousands_a_sign_in_code_is_texted_in_the_next_batch(crowd):
    with db.transaction() as session:
        otp.request_code(session, phone=people.new_phone(), code="493027", language="zh")
    dispatch(HANDLERS)
    assert len(rows("SELECT 1 FROM messages.delivery WHERE kind = 'accounts.otp_requested'")) == 1
    assert len(crowd()) == CROWD - BATCH


def test_each_colour_has_the_lane_of_how_it_came_about(database):
    ids = persons(A_FEW + 2)
    say(*[reported(one) for one in ids[: A_FEW + 1]])
    say(reported(ids[-1]))
    say(by_hand(ids[0]))
    mine = people.citizen()
    say(by_hand(mine.person_id))
    lanes = rows(
        "SELECT event, lane, count(*) FROM jobs.outbox WHERE event = :e GROUP BY 1, 2 ORDER BY 2",
        e=COLOUR_CHANGED,
    )
    assert [(row.lane, row.count) for row in lanes] == [
        ("bulk", A_FEW + 1),
        ("prompt", 1),
        ("urgent", 1),
    ]


def test_many_are_told_in_as_many_statements_as_one(database):
    """What is due, whose module lives, why, whom, the inboxes, and that it is done."""
    statements = []

    def count(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            statements.append(statement)

    def told(number):
        some = [people.citizen() for _ in range(number)]
        say(*[by_hand(one.person_id) for one in some])
        sa_event.listen(database.connection, "before_cursor_execute", count)
        statements.clear()
        assert dispatch(HANDLERS) == number
        sa_event.remove(database.connection, "before_cursor_execute", count)
        assert all(titles(one) == ["Your health code is red now"] for one in some)
        return len(statements)

    hear()
    assert told(2) == told(6) == 7


def test_told_again_after_a_crash_the_inbox_holds_it_once(database):
    some = [people.citizen() for _ in range(3)]
    say(*[by_hand(one.person_id) for one in some])
    left = rows("SELECT id, secret FROM jobs.outbox WHERE event = :e", e=COLOUR_CHANGED)
    hear()
    for one in left:
        rows(
            "UPDATE jobs.outbox SET done_at = NULL, secret = :secret WHERE id = :id RETURNING 1",
            **one._mapping,
        )
    assert dispatch(HANDLERS) == 3
    assert [titles(one) for one in some] == [["Your health code is red now"]] * 3


def test_a_guardian_is_told_of_each_child_among_many(client):
    guardian = agree(people.citizen())
    first = UUID(family_world.child_of(client, guardian, scopes=("health_code",)))
    other = people.citizen()
    hear()
    say(reported(first), reported(other.person_id), *map(reported, persons(5)))
    hear()
    assert len(titles(guardian)) == 1
    assert titles(other) == ["Your health code is red now"]


def test_what_is_told_last_never_says_a_colour_that_is_past(database):
    """News by hand goes first: the older one that comes behind it says that it is over."""
    me = people.citizen()
    others = persons(A_FEW)
    say(*[declared(one, said=ILL) for one in (me.person_id, *others)])
    say(by_hand(me.person_id))
    hear()
    assert titles(me) == ["Your health code is red now", "Your health code was yellow for a while"]
