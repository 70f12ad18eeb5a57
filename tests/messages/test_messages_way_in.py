"""An account is told when something about its way in changed."""

import typing

import people
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts.services import factor_news
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.messages.contribution import contribution
from citizen_cloud.messages.way_in import BY_TEXT, WORDS

HANDLERS = {name: [handler] for name, handler in contribution.handlers.items()}


def test_there_are_words_for_everything_that_is_announced():
    assert set(WORDS) == set(typing.get_args(factor_news.What))
    assert set(WORDS) >= BY_TEXT
    assert factor_news.EVENT in HANDLERS


@pytest.mark.parametrize("what", WORDS)
def test_the_inbox_says_what_changed_and_a_shut_out_citizen_gets_a_text(fresh_database, what):
    someone = people.citizen()
    with db.transaction() as session:
        factor_news.tell(session, account_id=someone.account_id, what=what, left=3)
    assert dispatch(HANDLERS) == 1
    with db.transaction() as session:
        row = session.execute(
            text("SELECT kind, body FROM messages.message WHERE account_id = :a"),
            {"a": someone.account_id},
        ).one()
        texts = session.scalar(text("SELECT count(*) FROM messages.delivery"))
    assert row.kind == "accounts.way_in_changed"
    assert "{" not in row.body["zh"] + row.body["en"]
    assert texts == (what in BY_TEXT)
