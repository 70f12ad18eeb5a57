"""Many inboxes by one statement: what one note holds, many hold."""

from dataclasses import replace
from datetime import UTC, datetime

import people
import pytest
from sqlalchemy import text

from citizen_cloud.messages.services import Note, notify_all
from citizen_cloud.text import Text

NOW = datetime.now(UTC)


def note(someone, key, **more):
    title, body = Text("题", "Title"), Text("文", "Words")
    return Note(
        account_id=someone.account_id, kind="x", title=title, body=body, dedupe_key=key, **more
    )


def inboxes(session):
    rows = session.execute(text("SELECT account_id, dedupe_key FROM messages.message"))
    return {(row.account_id, row.dedupe_key) for row in rows}


def test_each_note_lies_in_its_own_inbox_once(session):
    one, other = people.citizen(session=session), people.citizen(session=session)
    notes = [note(one, "a"), note(other, "b"), note(one, "c"), note(one, "a")]
    assert notify_all(session, notes=notes, now=NOW) == {"a", "b", "c"}
    assert notify_all(session, notes=[*notes, note(other, "d")], now=NOW) == {"d"}
    assert inboxes(session) == {
        (one.account_id, "a"),
        (one.account_id, "c"),
        (other.account_id, "b"),
        (other.account_id, "d"),
    }


def test_among_many_a_closed_account_is_told_nothing(session):
    one, gone = people.citizen(session=session), people.citizen(session=session)
    closed = text("UPDATE accounts.account SET status = 'closed' WHERE id = :id")
    session.execute(closed, {"id": gone.account_id})
    assert notify_all(session, notes=[note(gone, "a"), note(one, "b")], now=NOW) == {"b"}
    assert inboxes(session) == {(one.account_id, "b")}


@pytest.mark.parametrize("times", [1, 2])
def test_of_many_only_who_asked_gets_a_text_and_only_once(session, times):
    some = [people.citizen(session=session) for _ in range(2)]
    notes = [note(some[0], "quiet"), note(some[1], "loud", sms=True)]
    for _ in range(times):
        notify_all(session, notes=[replace(one) for one in notes], now=NOW)
    texts = session.scalars(text("SELECT dedupe_key FROM messages.delivery WHERE kind = 'x'"))
    assert texts.all() == ["loud"]
