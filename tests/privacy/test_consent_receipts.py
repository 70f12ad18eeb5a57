"""Every yes and every no leaves a receipt, which stays when the next one comes."""

import people
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts.rules.consents import PURPOSES

API = "/api/v1/me/consents"


@pytest.fixture
def someone(app):
    return people.citizen(1)


def say(client, who, *, granted, version=1):
    sent = {"purpose": "real_name", "version": version, "granted": granted}
    return client.post(API, json=sent, headers=who.headers)


def receipts(client, who, query=""):
    return client.get(f"{API}/receipts{query}", headers=who.headers).json


def test_yes_no_and_yes_again_leave_three(client, someone):
    for granted in (True, False, True):
        assert say(client, someone, granted=granted).status_code == 200
    third, second, first = receipts(client, someone)["items"]
    assert [one["event_state"] for one in (first, second, third)] == [
        "withdrawn",
        "refused",
        "given",
    ]
    # The yes ended when the no was said.
    assert first["withdrawn_at"] == second["event_time"]
    assert third["withdrawn_at"] is None
    for one in (first, second, third):
        assert one["consent_method"] == "app"
        assert one["purpose"]["purpose_id"] == "real_name"
        assert one["notice"]["digest"] == PURPOSES["real_name"].digest.hex()
        assert one["pii_controller"]["zh"]
        assert len(one["purpose"]["pii_categories"]) == 2


def test_receipts_are_paged_and_nobody_elses(client, someone):
    for granted in (True, False):
        say(client, someone, granted=granted)
    page = receipts(client, someone, "?limit=1")
    rest = receipts(client, someone, f"?limit=1&cursor={page['next_cursor']}")
    assert [page["items"][0]["event_state"], rest["items"][0]["event_state"]] == [
        "refused",
        "withdrawn",
    ]
    assert rest["next_cursor"] is None
    assert receipts(client, people.citizen(1))["items"] == []


def test_a_refused_answer_leaves_none(client, someone):
    assert say(client, someone, granted=True, version=2).status_code == 409
    assert receipts(client, someone)["items"] == []


def test_no_to_a_version_long_gone_claims_no_words(client, someone):
    assert say(client, someone, granted=False, version=7).status_code == 200
    assert receipts(client, someone)["items"][0]["notice"]["digest"] is None


def test_a_receipt_and_what_holds_now_are_written_together_or_not_at_all(someone, monkeypatch):
    from citizen_cloud.accounts.services import consents

    monkeypatch.setattr(consents, "record", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), db.transaction() as session:
        consents.answer_consent(
            session, account_id=someone.account_id, purpose="real_name", version=1, granted=True
        )
    with db.transaction() as session:
        for table in ("consent", "consent_receipt"):
            assert session.scalar(text(f"SELECT count(*) FROM accounts.{table}")) == 0
