"""What this room holds of a person is given to them and forgotten with them."""

import json
from datetime import timedelta

import people
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.federation.contribution import contribution
from citizen_cloud.federation.jobs import forget_attempts
from citizen_cloud.federation.services import attempts
from citizen_cloud.federation.services.attempts import Owed
from citizen_cloud.manifest import Subject

HELD = contribution.personal_data


def ticket(**bound):
    facts = {"account_id": None, "person_key": None, **bound}
    with db.transaction() as session:
        return attempts.give_ticket(
            session, owed=Owed(provider="alipay", subject="canary-2"), **facts
        )


def bundle_of(someone):
    found = []
    for subject in (Subject(account_id=someone.account_id), Subject(person_id=someone.person_id)):
        with db.transaction() as session:
            found.append(HELD.export(session, subject))
    assert found[0] == found[1]
    return found[0]


def test_the_bundle_holds_every_row_opened(world, rows):
    someone, first = world.linked("wechat", "canary-1")
    world.ask("DELETE", f"/me/federated-identities/{first}", token=someone.token)
    world.linked("wechat", "canary-1", someone)
    ticket(account_id=someone.account_id)
    ticket(person_key=someone.person_key)
    world.linked("wechat", "somebody-else")
    ticket()
    bundle = bundle_of(someone)
    json.dumps(bundle, default=str)
    assert [one["subject"] for one in bundle["identities"]] == [None, "canary-1"]
    assert len(bundle["attempts"]) == 2
    assert rows("SELECT count(*) AS n FROM federation.identity") == [{"n": 3}]


def test_erasure_leaves_no_row_of_the_person_and_all_of_others(world, rows):
    someone, _ = world.linked("wechat", "canary-1")
    other, _ = world.linked("wechat", "somebody-else")
    ticket(account_id=someone.account_id)
    ticket(person_key=someone.person_key)
    ticket(account_id=other.account_id)
    with db.transaction() as session:
        assert HELD.erase(session, Subject(person_id=someone.person_id), clock.now()) == 3
    assert bundle_of(someone) == {"identities": [], "attempts": []}
    left = rows("SELECT account_id FROM federation.identity")
    assert left == [{"account_id": other.account_id}]
    assert rows("SELECT account_id FROM federation.attempt") == left
    assert world.through("wechat", "canary-1").json["code"] == "link_required"


def test_every_sealed_column_is_declared_and_opens_at_its_place(world, rows):
    world.linked("wechat", "canary-1")
    ticket()
    declared = {(one.table, one.column): one.place for one in contribution.sealed}
    columns = rows(
        "SELECT table_schema || '.' || table_name AS t, column_name AS c FROM "
        "information_schema.columns WHERE table_schema = 'federation' AND column_name LIKE '%_sealed'"
    )
    assert {(one["t"], one["c"]) for one in columns} == declared.keys()
    for (table, column), place in declared.items():
        for row in rows(f"SELECT * FROM {table}"):
            assert crypto.current().open(row[column], place=place.format(**row))


def test_what_is_over_is_forgotten(world, rows):
    someone, identity = world.linked("wechat", "canary-1")
    world.linked("alipay", "canary-1", someone)
    world.ask("DELETE", f"/me/federated-identities/{identity}", token=someone.token)
    ticket()
    now = clock.now()
    assert forget_attempts(now) == 0
    assert forget_attempts(now + timedelta(minutes=11)) == 1
    assert forget_attempts(now + timedelta(days=184)) == 1
    assert rows("SELECT provider FROM federation.identity") == [{"provider": "alipay"}]


def test_the_first_link_of_a_new_person_is_audited_without_the_subject(world, rows):
    someone, identity = world.linked("wechat", "canary-1")
    (entry,) = rows(
        "SELECT actor_id, object_id, payload::text AS p FROM audit.entry "
        "WHERE action = 'federation.linked'"
    )
    assert entry["actor_id"] == someone.account_id
    assert str(entry["object_id"]) == identity
    assert "canary" not in entry["p"]


def test_the_same_name_at_two_providers_has_two_indexes(world, rows):
    someone = people.citizen()
    world.linked("wechat", "same", someone)
    world.linked("oidc", "same", someone)
    found = rows("SELECT DISTINCT subject_index FROM federation.identity")
    assert len(found) == 2


def test_closing_the_door_to_a_provider_keeps_what_is_linked(world):
    from citizen_cloud.federation import providers

    someone, _ = world.linked("wechat", "canary-1")
    providers.install([])
    items = world.ask("GET", "/me/federated-identities", token=someone.token).json["items"]
    assert [one["title"]["en"] for one in items] == ["WeChat"]


def test_a_link_of_an_unknown_person_is_never_made(world):
    """The database itself: an identity needs an account."""
    with db.transaction() as session:
        nullable = session.scalar(
            text(
                "SELECT is_nullable FROM information_schema.columns WHERE table_schema = "
                "'federation' AND table_name = 'identity' AND column_name = 'account_id'"
            )
        )
    assert nullable == "NO"
