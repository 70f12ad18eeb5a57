"""A recovery ends every other way in too: what a lost phone, or its finder, still holds."""

import partners
import people
import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.app import contributions
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.federation.refusals import LinkRequired
from citizen_cloud.federation.rules import TITLES, Vouched
from citizen_cloud.federation.services import attempts, identities, signing_in
from citizen_cloud.federation.services.attempts import Owed
from citizen_cloud.federation.services.signing_in import Arrival
from citizen_cloud.jobs.dispatch import dispatch

OWED = Owed(provider="wechat", subject="openid-of-the-finder")


@pytest.fixture
def person(hall):
    return people.citizen()


def recover(hall, person):
    case = hall.recovery(person)
    answer = hall.decide(case.json["id"])
    assert answer.status_code == 200, answer.json


def work():
    """Let the worker hand out what was announced."""
    while dispatch(handlers_of(contributions())):
        pass


def link(person):
    with db.transaction() as session:
        identities.link(
            session,
            owed=OWED,
            account_id=person.account_id,
            title=TITLES["wechat"],
            now=clock.now(),
        )


def through_wechat():
    arrival = Arrival(
        provider="wechat", title=TITLES["wechat"], vouched=Vouched(subject=OWED.subject)
    )
    with db.transaction() as session:
        return signing_in.sign_in(session, arrival=arrival, now=clock.now())


def test_the_app_on_the_lost_phone_vouches_for_nobody_any_more(hall, person):
    link(person)
    token = through_wechat().access_token
    recover(hall, person)
    assert isinstance(through_wechat(), LinkRequired)
    bearer = {"Authorization": f"Bearer {token}"}
    assert hall.client.get("/api/v1/me", headers=bearer).status_code == 401


def test_a_ticket_for_the_account_is_over_with_it(hall, person):
    with db.transaction() as session:
        attempts.give_ticket(session, owed=OWED, account_id=person.account_id, person_key=None)
    recover(hall, person)
    with db.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM federation.attempt")) == 0


def test_partners_the_lost_phone_is_signed_in_to_are_signed_out(hall, person):
    flow = partners.Flow(hall.client)
    site = partners.register(people.pharmacy("海天医院"))
    tokens = flow.tokens(site, person)
    unused = flow.code(site, person)
    assert flow.userinfo(tokens["access_token"]).status_code == 200
    recover(hall, person)
    work()
    assert flow.userinfo(tokens["access_token"]).status_code == 401
    assert flow.refresh(site, tokens["refresh_token"]).status_code == 400
    assert flow.exchange(site, unused).status_code == 400


def test_a_closure_the_finder_asked_for_is_undone(hall, person):
    assert hall.post("/me/closure", {}, person).status_code == 202
    recover(hall, person)
    work()
    with db.transaction() as session:
        status = session.scalar(text("SELECT status FROM privacy.closure"))
        kinds = session.scalars(
            text("SELECT kind FROM messages.message WHERE account_id = :a"),
            {"a": person.account_id},
        ).all()
    assert status == "undone"
    assert "privacy.closure_undone" in kinds


def test_a_closure_asked_for_after_the_recovery_stays(hall, person):
    recover(hall, person)
    with db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO privacy.closure (id, account_id, person_id, secret_hash, "
                "requested_at, due_at) SELECT uuidv7(), id, person_id, 'x', "
                "clock_timestamp() + interval '1 second', clock_timestamp() + interval '9 days' "
                "FROM accounts.account WHERE id = :a"
            ),
            {"a": person.account_id},
        )
    work()
    with db.transaction() as session:
        assert session.scalar(text("SELECT status FROM privacy.closure")) == "cooling"
