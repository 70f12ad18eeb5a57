"""The inbox as the app sees it."""

import callers
import pytest
from sqlalchemy import event

from citizen_cloud import db
from citizen_cloud.clock import now
from citizen_cloud.db import new_id
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.text import Text
from citizen_cloud.web import cursors

ROOT = "/api/v1/me/messages"


@pytest.fixture
def me(app):
    return callers.citizen()


def tell(account_id, count=1):
    with db.transaction() as session:
        for number in range(count):
            words = Text(f"消息 {number}", f"Message {number}")
            note = Note(
                account_id=account_id,
                kind="masks.booked",
                title=words,
                body=words,
                dedupe_key=f"{account_id}:{number}",
                subject_type="booking",
                subject_id=new_id(),
            )
            notify(session, note=note, now=now())


def get(client, me, query=""):
    answer = client.get(ROOT + query, headers=me.headers)
    assert answer.status_code == 200, answer.json
    return answer.json


def test_an_empty_inbox_is_a_page_like_any_other(client, me):
    assert get(client, me) == {"items": [], "next_cursor": None, "unread": 0}


def test_messages_come_newest_first_page_by_page(client, me):
    tell(me.account_id, 5)
    titles, path = [], f"{ROOT}?limit=2"
    while path:
        answer = client.get(path, headers=me.headers)
        titles += [item["title"]["zh"] for item in answer.json["items"]]
        assert answer.json["unread"] == 5
        link = answer.headers.get("Link")
        path = link[1 : link.index(">")] if link else None
    assert titles == [f"消息 {number}" for number in (4, 3, 2, 1, 0)]


def test_a_message_carries_what_a_tap_opens(client, me):
    tell(me.account_id)
    [item] = get(client, me)["items"]
    assert item["subject_type"] == "booking"
    assert item["created_at"].endswith("+08:00")
    assert item["read_at"] is None
    assert "dedupe_key" not in item
    assert "account_id" not in item


def test_reading_a_message_counts_once(client, me):
    tell(me.account_id, 2)
    newest, oldest = get(client, me)["items"]
    path = f"{ROOT}/{newest['id']}/read"
    first, again = (client.post(path, headers=me.headers) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json["read_at"] == again.json["read_at"] is not None
    assert get(client, me)["unread"] == 1
    unread = get(client, me, "?unread=true")
    assert [item["id"] for item in unread["items"]] == [oldest["id"]]


def test_the_count_is_right_where_the_page_is_empty(client, me):
    tell(me.account_id, 2)
    first = get(client, me, "?limit=1")
    with db.transaction() as session:
        session.connection().exec_driver_sql(
            "DELETE FROM messages.message WHERE title ->> 'zh' = '消息 0'"
        )
    rest = get(client, me, f"?limit=1&cursor={first['next_cursor']}")
    assert (rest["items"], rest["unread"]) == ([], 1)


def test_somebody_elses_message_looks_like_none(client, me):
    other = callers.citizen()
    tell(other.account_id)
    [theirs] = get(client, other)["items"]
    answers = [
        client.post(f"{ROOT}/{message_id}/read", headers=me.headers).json
        for message_id in (theirs["id"], new_id())
    ]
    assert [answer["code"] for answer in answers] == ["not_found"] * 2
    assert get(client, me)["items"] == []
    assert get(client, other)["unread"] == 1


def test_the_inbox_is_one_statement_beside_the_gates(client, me, database):
    tell(me.account_id, 3)
    seen = []
    event.listen(
        database.connection,
        "before_cursor_execute",
        lambda *a: seen.append(a[2]) if "SAVEPOINT" not in a[2] else None,
    )
    get(client, me)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?unread=yes", 422),
        ("?unread=1", 422),
        ("?limit=0", 422),
        ("?limit=101", 422),
        ("?cursor=x", 400),
        ("?x=1", 422),
        ("?limit=1&limit=2", 400),
    ],
)
def test_a_query_that_means_nothing_is_refused(client, me, query, status):
    assert client.get(ROOT + query, headers=me.headers).status_code == status


def test_a_cursor_of_another_list_is_refused(client, me):
    made = cursors.encode("staff", [new_id()])
    assert client.get(f"{ROOT}?cursor={made}", headers=me.headers).json["code"] == "cursor_invalid"


def test_nobody_reads_without_signing_in(client, me):
    assert client.get(ROOT).status_code == 401
    assert client.post(f"{ROOT}/{new_id()}/read").status_code == 401


def test_answers_are_kept_by_nobody(client, me):
    assert client.get(ROOT, headers=me.headers).headers["Cache-Control"] == "no-store"
