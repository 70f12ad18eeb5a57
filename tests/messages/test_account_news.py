"""News of accounts: told to the inbox, and to the number that was left."""

import json

import pytest
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.jobs.services import announce
from citizen_cloud.messages.account_news import HANDLERS

OLD = "+8613900001234"


def happens(name, account_id, secret=None, times=1):
    with db.transaction() as session:
        announce(session, name, {"account_id": account_id, "device_id": "x"}, secret=secret)
    for _ in range(times):
        dispatch({name: [HANDLERS[name]]})
        with db.transaction() as session:
            session.execute(text("UPDATE jobs.outbox SET done_at = NULL WHERE secret IS NULL"))


def inbox(client, me):
    return client.get("/api/v1/me/messages", headers=me.headers).json["items"]


def texts():
    with db.transaction() as session:
        rows = session.execute(text("SELECT id, secret FROM messages.delivery")).all()
        return [
            json.loads(
                crypto.current().open(row.secret, place=f"messages.delivery:secret:{row.id}")
            )
            for row in rows
        ]


@pytest.fixture
def me(app):
    import callers

    return callers.citizen()


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_each_event_is_one_message_in_the_inbox(client, me, name):
    happens(name, me.account_id, times=2)
    [message] = inbox(client, me)
    assert message["kind"] == name
    assert message["title"].keys() == {"zh", "en"}


@pytest.mark.parametrize(("language", "word"), [("zh", "不再使用本号码"), ("en", "no longer uses")])
def test_the_old_number_is_texted_in_the_accounts_language(client, me, language, word):
    happens("accounts.phone_changed", me.account_id, {"phone": OLD, "language": language})
    [sent] = texts()
    assert sent["to"] == OLD
    assert word in sent["text"]
    assert "0001234" not in json.dumps(inbox(client, me))


def test_an_account_that_had_no_number_gets_the_message_only(client, me):
    happens("accounts.phone_changed", me.account_id)
    assert texts() == []
    assert len(inbox(client, me)) == 1
