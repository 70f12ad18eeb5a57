"""The next holder of a number signs in to the last one's account: to see and to end nothing."""

import people
import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.federation.rules import TITLES
from citizen_cloud.federation.services import identities
from citizen_cloud.federation.services.attempts import Owed


@pytest.fixture
def owner(app):
    return people.citizen()


@pytest.fixture
def holder(owner):
    """A sign-in by the number alone, on a device where no document was shown."""
    with db.transaction() as session:
        return people._sign_in(session, owner.account_id, "citizen", "sms")


@pytest.fixture
def ask(client):
    def send(method, path, someone, body=None):
        return client.open("/api/v1" + path, method=method, json=body, headers=someone.headers)

    return send


def is_step_up(answer):
    return (answer.status_code, answer.json["code"]) == (401, "step_up_required")


def linked(owner):
    with db.transaction() as session:
        return identities.link(
            session,
            owed=Owed(provider="wechat", subject="u-1"),
            account_id=owner.account_id,
            title=TITLES["wechat"],
            now=clock.now(),
        )


def test_a_closure_is_neither_seen_nor_undone(ask, owner, holder):
    assert ask("POST", "/me/closure", owner, {}).status_code == 202
    with db.transaction() as session:
        newcomer = people._sign_in(session, owner.account_id, "citizen", "sms")
    assert is_step_up(ask("GET", "/me/closure", newcomer))
    assert is_step_up(ask("DELETE", "/me/closure", newcomer))
    with db.transaction() as session:
        assert session.scalar(text("SELECT status FROM privacy.closure")) == "cooling"


def test_the_ways_in_through_others_are_neither_seen_nor_removed(ask, owner, holder):
    path = f"/me/federated-identities/{linked(owner)}"
    assert is_step_up(ask("GET", "/me/federated-identities", holder))
    assert is_step_up(ask("GET", path, holder))
    assert is_step_up(ask("DELETE", path, holder))
    assert ask("GET", path, owner).status_code == 200
    assert ask("DELETE", path, owner).status_code == 204


def test_a_consent_that_holds_is_not_withdrawn_and_the_owner_keeps_level_2(ask, owner, holder):
    yes = {"purpose": "real_name", "version": 1, "granted": True}
    no = {**yes, "granted": False}
    assert ask("POST", "/me/consents", owner, yes).status_code == 200
    assert is_step_up(ask("POST", "/me/consents", holder, no))
    assert ask("GET", "/me", owner).json["level"] == 2
    assert ask("POST", "/me/consents", owner, no).status_code == 200
    assert ask("GET", "/me", owner).json["level"] == 1
    # Taken back already: saying so again is no harm, and repeats a lost answer.
    assert ask("POST", "/me/consents", owner, no).status_code == 200


def test_receipts_from_before_the_device_are_not_shown(ask, owner):
    yes = {"purpose": "real_name", "version": 1, "granted": True}
    ask("POST", "/me/consents", owner, yes)
    with db.transaction() as session:
        newcomer = people._sign_in(session, owner.account_id, "citizen", "sms")
    assert ask("GET", "/me/consents/receipts", newcomer).json["items"] == []
    assert len(ask("GET", "/me/consents/receipts", owner).json["items"]) == 1
    ask("POST", "/me/consents", newcomer, yes)
    assert len(ask("GET", "/me/consents/receipts", newcomer).json["items"]) == 1


def test_wishes_for_another_name_are_not_seen(ask, owner, holder):
    assert is_step_up(ask("GET", "/me/name-corrections", holder))
    assert ask("GET", "/me/name-corrections", owner).status_code == 200
