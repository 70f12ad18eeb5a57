"""What ends in the city's own app ends at partners with the next request, and stays ended."""

import people
import pytest
from partners import change
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.services import consents, phones, recovery, sign_ins, statuses
from citizen_cloud.accounts.services.officials import Official
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.app import contributions
from citizen_cloud.db import new_id
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.manifest import Event
from citizen_cloud.oidc.services.ending import recovered


@pytest.fixture
def app_of(client):
    """Return what the citizen does in the city's app."""

    class App:
        def post(self, someone, path, body=None):
            answer = client.post(f"/api/v1/me{path}", json=body, headers=someone.headers)
            assert answer.status_code in (200, 202, 204), answer.text

        def remove(self, someone, device_id):
            answer = client.delete(f"/api/v1/me/devices/{device_id}", headers=someone.headers)
            assert answer.status_code == 204, answer.text

        def log_out(self, someone):
            answer = client.post("/api/v1/auth/logout", headers=someone.headers)
            assert answer.status_code == 204, answer.text

    return App()


def elsewhere(someone):
    """Return the same account, signed in on another device where the document was shown."""
    with db.transaction() as session:
        other = people._sign_in(session, someone.account_id, "citizen", "sms")
        session.execute(
            text("UPDATE accounts.device SET proven_at = statement_timestamp() WHERE id = :id"),
            {"id": other.device_id},
        )
    return other


def is_over(flow, site, told, code):
    """Return whether nothing of a sign-in works: access, refresh, introspection, a code."""
    told_of = flow.client.post(
        "/oauth2/introspect", data={"token": told["refresh_token"]}, headers=site.basic
    ).json
    works = {
        flow.userinfo(told["access_token"]).status_code == 200,
        flow.refresh(site, told["refresh_token"]).status_code == 200,
        flow.exchange(site, code).status_code == 200,
        told_of["active"],
    }
    assert len(works) == 1, works
    return not works.pop()


@pytest.fixture
def signed_in_at(flow, site):
    """Return a function that signs in at the partner and returns how to ask whether it is over."""

    def sign_in(someone, **options):
        told = flow.tokens(site, someone, **options)
        code = flow.code(site, someone, **options)
        return lambda: is_over(flow, site, told, code)

    return sign_in


def test_signing_out_of_the_app_ends_what_that_sign_in_gave(signed_in_at, app_of, citizen):
    other = elsewhere(citizen)
    mine, others = signed_in_at(citizen), signed_in_at(other)
    app_of.log_out(citizen)
    assert mine()
    assert not others()


def test_removing_a_stolen_device_ends_what_the_thief_gave_himself(signed_in_at, app_of, citizen):
    thief = elsewhere(citizen)
    mine, his = signed_in_at(citizen), signed_in_at(thief)
    app_of.remove(citizen, thief.device_id)
    assert his()
    assert not mine()


def test_signing_out_everywhere_means_partners_too(signed_in_at, app_of, citizen):
    both = signed_in_at(citizen), signed_in_at(elsewhere(citizen))
    app_of.post(citizen, "/sign-out-everywhere", {"keep_this": False})
    assert [over() for over in both] == [True, True]


def test_what_was_suspended_does_not_come_back_to_life(signed_in_at, citizen):
    over = signed_in_at(citizen)
    for status in ("suspended", "active"):
        with db.transaction() as session:
            statuses.set_status(
                session,
                account_id=citizen.account_id,
                status=status,
                reason="stolen",
                actor_kind="admin",
                actor_id=None,
            )
        assert over(), status


def test_another_number_ends_the_other_devices_sign_ins(flow, site, signed_in_at, citizen):
    other = elsewhere(citizen)
    mine, others = flow.tokens(site, citizen), signed_in_at(other)
    sign_in_id = sign_in_of(citizen)
    number = "+8613900002222"
    challenge = new_id()
    change(
        "INSERT INTO accounts.otp_challenge "
        "(id, purpose, code_hash, expires_at, phone_index, phone_sealed, allowance) "
        "VALUES (:id, 'new_phone', '', statement_timestamp() + interval '1 minute', '', '', '')",
        id=challenge,
    )
    with db.transaction() as session:
        phones.change_phone(
            session,
            account_id=citizen.account_id,
            sign_in_id=sign_in_id,
            proven=ProvenPhone(phone=number, challenge_id=challenge),
        )
    assert others()
    assert flow.userinfo(mine["access_token"]).json["phone_number"] == number


def sign_in_of(someone):
    with db.transaction() as session:
        return session.scalar(
            text("SELECT id FROM accounts.sign_in WHERE device_id = :id"), {"id": someone.device_id}
        )


def test_a_closing_account_is_signed_out_at_partners(signed_in_at, app_of, citizen):
    over = signed_in_at(citizen)
    app_of.post(citizen, "/closure")
    assert over()


def withdraw_real_name(someone):
    with db.transaction() as session:
        consents.answer_consent(
            session,
            account_id=someone.account_id,
            purpose="real_name",
            version=1,
            granted=False,
        )


def test_without_consent_to_the_real_name_no_partner_is_told_it(signed_in_at, citizen):
    over = signed_in_at(citizen, scopes=("openid", "profile", "document"))
    withdraw_real_name(citizen)
    assert over()
    # Who shows the document again opens nothing that was given before.
    change("UPDATE accounts.device SET proven_at = statement_timestamp()")
    assert over()
    assert not signed_in_at(citizen)()


def test_a_sign_in_that_knew_no_person_goes_on_without_the_real_name(signed_in_at):
    newcomer = people.citizen(1)
    over = signed_in_at(newcomer, scopes=("openid", "phone"))
    withdraw_real_name(newcomer)
    assert not over()


def recover(someone):
    official = Official(kind="staff", id=new_id(), organisation_id=people.hall(), case_id=new_id())
    with db.transaction() as session:
        recovery.recover(
            session,
            person_id=someone.person_id,
            phone=people.new_phone(),
            official=official,
        )


def announced():
    with db.transaction() as session:
        row = session.execute(
            text("SELECT * FROM jobs.outbox WHERE event = 'accounts.recovered'")
        ).one()
    return Event(
        id=row.id, name=row.event, payload=row.payload, secret=None, created_at=row.created_at
    )


def reasons_of(someone):
    with db.transaction() as session:
        return session.scalars(
            text("SELECT revoked_because FROM oidc.issuance WHERE account_id = :id ORDER BY id"),
            {"id": someone.account_id},
        ).all()


def test_a_recovery_at_a_counter_ends_every_sign_in_at_partners_at_once(
    flow, site, signed_in_at, citizen
):
    neighbour = people.citizen()
    thief = elsewhere(citizen)
    all_of_it = signed_in_at(citizen), signed_in_at(thief)
    theirs = signed_in_at(neighbour)
    recover(citizen)
    # Before any worker hears of it
    assert [over() for over in all_of_it] == [True, True]
    assert not theirs()
    handlers = {
        name: [handler]
        for one in contributions()
        if one.name == "oidc"
        for name, handler in one.handlers.items()
    }
    while dispatch(handlers):
        pass
    assert reasons_of(citizen) == ["recovered"] * 4
    assert set(reasons_of(neighbour)) == {None}


def test_a_late_or_repeated_event_ends_nothing_the_owner_did_since(flow, site, citizen, session):
    old = flow.tokens(site, citizen)
    recover(citizen)
    event = announced()
    owner = elsewhere(citizen)
    since = flow.tokens(site, owner)
    for _ in range(2):
        with db.transaction() as opened:
            recovered(opened, event, clock.now())
    assert flow.userinfo(old["access_token"]).status_code == 401
    assert flow.userinfo(since["access_token"]).status_code == 200
    assert reasons_of(citizen) == ["recovered", None]
    acts = session.scalars(
        text("SELECT object_id FROM audit.entry WHERE action = 'oidc.sign_ins_ended'")
    ).all()
    assert acts == [citizen.account_id]


def test_a_yes_that_is_on_its_way_while_the_device_is_removed_gives_nothing(
    flow, site, citizen, app_of
):
    """The decision was let in, then the sign-in ended, then the code was written."""
    code = flow.code(site, citizen)
    with db.transaction() as session:
        sign_ins.revoke(session, sign_in_id=sign_in_of(citizen), reason="device_removed")
    assert flow.exchange(site, code).json["error"] == "invalid_grant"


def test_forgetting_old_sign_ins_is_not_held_up_by_what_they_gave(flow, site, citizen):
    told = flow.tokens(site, citizen)
    change("DELETE FROM accounts.sign_in WHERE account_id = :id", id=citizen.account_id)
    # What nobody can vouch for any more is over.
    assert flow.userinfo(told["access_token"]).status_code == 401
