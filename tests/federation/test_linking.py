"""Tickets, links and their end: once, for the right one, and told to the person."""

import secrets
from contextlib import contextmanager
from dataclasses import replace

import people
import pytest
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts.services import consents, sign_ins
from citizen_cloud.errors import NotFound, Refusal
from citizen_cloud.federation.refusals import (
    LinkRequired,
    LinkTicketInvalid,
)
from citizen_cloud.federation.rules import TITLES, Document, Vouched
from citizen_cloud.federation.services import attempts, identities, signing_in
from citizen_cloud.federation.services.attempts import Owed
from citizen_cloud.federation.services.signing_in import Arrival


def test_a_ticket_works_once(world):
    one, other = people.citizen(), people.citizen()
    ticket = world.ticket("wechat", "u-1")
    assert world.link(one.token, ticket).status_code == 201
    for again in (one, other):
        answer = world.link(again.token, ticket)
        assert (answer.status_code, answer.json["code"]) == (422, "link_ticket_invalid")


def test_a_stolen_ticket_of_a_registered_device_is_of_no_use(world):
    mine = world.by_code()
    world.prove(mine)
    ticket = world.ticket("wechat", "u-1", device=mine["device"])
    answer = world.link(people.citizen().token, ticket)
    assert (answer.status_code, answer.json["code"]) == (422, "link_ticket_invalid")
    assert world.link(mine["access_token"], ticket).status_code == 201


def test_a_device_that_does_not_prove_itself_binds_nothing(world):
    mine = world.by_code()
    world.prove(mine)
    forged = {**mine["device"], "secret": "x" * 43}
    ticket = world.ticket("wechat", "u-1", device=forged)
    assert world.link(people.citizen().token, ticket).status_code == 201


def test_a_ticket_is_over_after_ten_minutes(world):
    ticket = world.ticket("wechat", "u-1")
    with db.transaction() as session:
        session.execute(
            text("UPDATE federation.attempt SET expires_at = expires_at - interval '10 minutes'")
        )
    answer = world.link(people.citizen().token, ticket)
    assert answer.json["code"] == "link_ticket_invalid"


def test_a_state_is_no_ticket_and_a_ticket_no_state(world):
    started = world.ask("POST", "/auth/federated/start", {"provider": "oidc"}).json
    answer = world.link(people.citizen().token, started["state"])
    assert answer.json["code"] == "link_ticket_invalid"
    ticket = world.ticket("oidc", "u-1")
    body = {"provider": "oidc", "code": "x", "state": ticket}
    assert world.ask("POST", "/auth/federated/token", body).status_code == 401


def test_an_old_sign_in_must_show_its_factors_again(world):
    someone, ticket = people.citizen(), world.ticket("wechat", "u-1")
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.sign_in SET proved_at = proved_at - interval '6 minutes'")
        )
    answer = world.link(someone.token, ticket)
    assert (answer.status_code, answer.json["max_age_s"]) == (401, 300)


def test_one_identity_at_each_provider(world):
    someone, _ = world.linked("wechat", "u-1")
    second = world.link(someone.token, world.ticket("wechat", "u-2"))
    assert (second.status_code, second.json["code"]) == (409, "provider_already_linked")
    assert world.link(someone.token, world.ticket("alipay", "u-2")).status_code == 201


def test_two_tickets_of_one_identity_link_one_account(world):
    first, second = world.ticket("wechat", "u-1"), world.ticket("wechat", "u-1")
    one, other = people.citizen(), people.citizen()
    assert world.link(one.token, first).status_code == 201
    answer = world.link(other.token, second)
    assert (answer.status_code, answer.json["code"]) == (409, "identity_in_use")


def test_an_identity_written_under_an_older_look_up_key_is_still_one(world, settings):
    world.linked("wechat", "u-1")
    ticket_of_old = attempts_of("wechat", "u-1")
    rings = crypto.current()
    newer = secrets.token_bytes(32)
    turned = crypto.KeyRing({"k2": newer, **rings.lookups.keys})
    crypto._current[:] = [replace(rings, lookups=turned)]
    try:
        assert world.through("wechat", "u-1").status_code == 200
        answer = world.link(people.citizen().token, ticket_of_old)
        assert answer.json["code"] == "identity_in_use"
    finally:
        crypto._current[:] = [rings]


def attempts_of(provider, subject):
    with db.transaction() as session:
        return attempts.give_ticket(
            session,
            owed=Owed(provider=provider, subject=subject),
            account_id=None,
            person_key=None,
        ).token


def test_a_repeated_request_gets_the_same_link(world):
    someone, ticket = people.citizen(), world.ticket("wechat", "u-1")
    answers = [
        world.client.post(
            "/api/v1/me/federated-identities",
            json={"link_ticket": ticket},
            headers=someone.key("once"),
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_the_person_is_told_in_the_inbox_and_by_text(world, rows):
    mine = world.by_code()
    world.prove(mine)
    assert world.link(mine["access_token"], world.ticket("wechat", "u-1")).status_code == 201
    inbox = world.ask("GET", "/me/messages", token=mine["access_token"]).json
    assert [one["kind"] for one in inbox["items"]] == ["federation.linked"]
    assert "微信" in str(inbox["items"][0])
    kinds = rows("SELECT kind FROM messages.delivery WHERE kind LIKE 'federation%'")
    assert kinds == [{"kind": "federation.linked"}]


def test_the_list_shows_the_own_ones_page_by_page(world):
    someone, first = world.linked("wechat", "u-1")
    _, second = world.linked("alipay", "u-1", someone)
    world.linked("wechat", "u-2")
    shown, cursor = [], ""
    for _ in range(2):
        query = "?limit=1" + (f"&cursor={cursor}" if cursor else "")
        page = world.ask("GET", "/me/federated-identities" + query, token=someone.token).json
        shown += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert [one["id"] for one in shown] == [second, first]
    assert shown[1]["title"] == {"zh": "微信", "en": "WeChat"}
    assert shown[1]["last_used_at"] is None
    world.through("wechat", "u-1")
    one = world.ask("GET", f"/me/federated-identities/{first}", token=someone.token).json
    assert one["last_used_at"] is not None


def test_a_removed_link_opens_nothing_and_its_sign_ins_end_at_once(world, rows):
    someone, wechat = world.linked("wechat", "u-1")
    world.linked("alipay", "u-1", someone)
    ended = world.through("wechat", "u-1").json["access_token"]
    kept = world.through("alipay", "u-1").json["access_token"]
    path = f"/me/federated-identities/{wechat}"
    assert world.ask("DELETE", path, token=people.citizen().token).status_code == 404
    assert world.me(ended).status_code == 200
    assert world.ask("DELETE", path, token=someone.token).status_code == 204
    assert world.me(ended).status_code == 401
    assert world.me(kept).status_code == 200
    assert world.me(someone.token).status_code == 200
    assert world.ask("DELETE", path, token=someone.token).status_code == 404
    assert world.ask("GET", path, token=someone.token).status_code == 404
    assert world.through("wechat", "u-1").json["code"] == "link_required"
    (row,) = rows(f"SELECT * FROM federation.identity WHERE id = '{wechat}'")
    assert row["subject_index"] is row["subject_sealed"] is None
    why = rows("SELECT revoked_because AS why FROM accounts.sign_in WHERE revoked_at IS NOT NULL")
    assert why == [{"why": "identity_removed"}]


def test_what_was_removed_can_be_linked_again_by_somebody_else(world):
    someone, identity = world.linked("wechat", "u-1")
    world.ask("DELETE", f"/me/federated-identities/{identity}", token=someone.token)
    other, _ = world.linked("wechat", "u-1")
    token = world.through("wechat", "u-1").json["access_token"]
    assert world.me(token).json["account_id"] == str(other.account_id)


# Races, with real connections.


def link(someone, ticket):
    """Do what the route does."""
    with db.transaction() as session:
        owed = attempts.take_ticket(
            session,
            ticket=ticket,
            account_id=someone.account_id,
            person_key=someone.person_key,
        )
        if owed is None:
            raise LinkTicketInvalid
        return identities.link(
            session,
            owed=owed,
            account_id=someone.account_id,
            title=TITLES["wechat"],
            now=clock.now(),
        )


def sign_in(subject, **said):
    arrival = Arrival(
        provider="wechat", title=TITLES["wechat"], vouched=Vouched(subject=subject, **said)
    )
    with db.transaction() as session:
        outcome = signing_in.sign_in(session, arrival=arrival, now=clock.now())
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def remove(someone, identity_id):
    with db.transaction() as session:
        identities.remove(
            session, account_id=someone.account_id, identity_id=identity_id, now=clock.now()
        )


def live(fresh):
    with fresh.owner() as connection:
        return connection.scalar(
            text("SELECT count(*) FROM federation.identity WHERE removed_at IS NULL")
        )


def kinds(results):
    return sorted(
        type(result).__name__ if isinstance(result, Exception) else "done" for result in results
    )


def test_a_document_counts_only_together_with_its_level(fresh_database):
    someone = people.citizen()
    document = Document(document_type="resident_id", number=someone.document_number, name="王小明")
    with db.transaction() as session:
        consents.answer_consent(
            session, account_id=someone.account_id, purpose="real_name", version=1, granted=True
        )
    with pytest.raises(LinkRequired):
        sign_in("u-1", level=1, document=document)
    assert live(fresh_database) == 0
    assert sign_in("u-1", level=2, document=document)
    assert live(fresh_database) == 1


def test_one_ticket_in_twenty_hands_links_one_account(fresh_database, race):
    everybody = [people.citizen() for _ in range(20)]
    ticket = attempts_of("wechat", "u-1")
    results = race([lambda one=one: link(one, ticket) for one in everybody])
    assert kinds(results) == ["LinkTicketInvalid"] * 19 + ["done"]
    assert live(fresh_database) == 1


def test_twenty_tickets_of_one_identity_link_one_account(fresh_database, race):
    everybody = [people.citizen() for _ in range(20)]
    tickets = [attempts_of("wechat", "u-1") for _ in everybody]
    pairs = zip(everybody, tickets, strict=True)
    results = race([lambda one=one, ticket=ticket: link(one, ticket) for one, ticket in pairs])
    assert kinds(results) == ["IdentityInUse"] * 19 + ["done"]
    assert live(fresh_database) == 1


def test_one_account_with_twenty_tickets_gets_one_identity(fresh_database, race):
    someone = people.citizen()
    tickets = [attempts_of("wechat", f"u-{number}") for number in range(20)]
    results = race([lambda ticket=ticket: link(someone, ticket) for ticket in tickets])
    assert kinds(results) == ["ProviderAlreadyLinked"] * 19 + ["done"]
    assert live(fresh_database) == 1


@pytest.mark.parametrize("turn", range(3))
def test_no_sign_in_survives_the_removal_it_races_with(fresh_database, race, turn):
    someone = people.citizen()
    identity_id = link(someone, attempts_of("wechat", "u-1"))
    race([*[lambda: sign_in("u-1")] * 10, lambda: remove(someone, identity_id)])
    with fresh_database.owner() as connection:
        alive = connection.scalar(
            text(
                "SELECT count(*) FROM accounts.sign_in WHERE amr = 'wechat' AND revoked_at IS NULL"
            )
        )
    assert alive == 0
    with pytest.raises(LinkRequired):
        sign_in("u-1")


def test_no_link_is_made_by_a_sign_in_that_ended_meanwhile(world, rows):
    someone, ticket = people.citizen(), world.ticket("wechat", "u-1")
    # What the gate lets in just before, and the route then finds ended.
    with patched_gate(someone):
        answer = world.link(someone.token, ticket)
    assert answer.status_code == 401
    assert rows("SELECT 1 FROM federation.identity") == []


@contextmanager
def patched_gate(someone):
    """End somebody's sign-ins between the gate and the route."""
    require = sign_ins.require_live

    def require_live(session, **asked):
        sign_ins.end_others(session, account_id=someone.account_id, keep=None, reason="recovered")
        require(session, **asked)

    sign_ins.require_live = require_live
    try:
        yield
    finally:
        sign_ins.require_live = require


def test_parallel_removals_remove_once(fresh_database, race):
    someone = people.citizen()
    identity_id = link(someone, attempts_of("wechat", "u-1"))
    results = race([lambda: remove(someone, identity_id)] * 10)
    assert kinds(results) == sorted([NotFound.__name__] * 9 + ["done"])
