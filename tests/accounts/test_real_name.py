"""Consent and the real-name step: one document, one person, proven on each device."""

import pytest
from sqlalchemy import text

from citizen_cloud.accounts.identity import (
    birth_on,
    document_number,
    masked_name,
    masked_names,
    name_of,
    people_by_document,
)
from citizen_cloud.accounts.refusals import VerifierUnavailable
from citizen_cloud.accounts.services import authenticate
from citizen_cloud.web import limits


def known(session, tokens):
    return authenticate(session.connection(), tokens["access_token"])


def level(world, tokens):
    me = world.get("/me", tokens["access_token"]).json
    return me["level"], me["real_name"]


def test_without_consent_nothing_is_read(world, told):
    token = world.sign_in()["access_token"]
    answer = world.prove(token, document_number="nonsense")
    assert (answer.status_code, answer.json["code"]) == (403, "consent_required")
    assert (answer.json["purpose"], answer.json["version"]) == ("real_name", 1)
    assert told.asked == []


def test_consent_is_given_read_and_withdrawn(world):
    token = world.sign_in()["access_token"]
    before, *_ = world.get("/me/consents", token).json
    assert (before["granted"], before["version"], before["title"]) == (False, 1, "实名认证")
    world.consent(token)
    given, *_ = world.get("/me/consents", token).json
    assert given["granted"] is True
    assert given["granted_at"].endswith("+08:00")
    choice = {"purpose": "real_name", "version": 1, "granted": False}
    assert world.post("/me/consents", choice, token).json["granted"] is False
    assert world.prove(token).json["code"] == "consent_required"
    world.consent(token)
    assert world.prove(token).status_code == 200


def test_another_version_than_the_present_one_is_no_consent(world):
    token = world.sign_in()["access_token"]
    answer = world.post("/me/consents", {"purpose": "real_name", "version": 2}, token)
    assert (answer.status_code, answer.json["code"]) == (409, "consent_outdated")
    assert answer.json["version"] == 1


def test_consent_to_an_older_version_does_not_open_the_step(world, session):
    token = world.sign_in()["access_token"]
    world.consent(token)
    session.execute(text("UPDATE accounts.consent SET version = 0"))
    assert world.prove(token).json["code"] == "consent_required"


def test_a_document_makes_a_person_of_level_two(world, session, told):
    tokens = world.sign_in()
    world.consent(tokens["access_token"])
    answer = world.prove(tokens["access_token"])
    assert answer.status_code == 200
    assert answer.json["name"] == "王*明"
    assert answer.json["level"] == 2
    assert told.asked == [
        {"document_type": "resident_id", "number": "11010519491231002X", "name": "王小明"}
    ]
    caller = known(session, tokens)
    identity = caller.person
    assert document_number(identity) == "11010519491231002X"
    assert (name_of(identity), masked_name(identity)) == ("王小明", "王*明")
    assert birth_on(identity).year == 1949
    assert masked_names(session, [identity.person_id]) == {identity.person_id: "王*明"}
    acts = session.execute(text("SELECT action, payload FROM audit.entry")).all()
    assert "accounts.real_name_proven" in {act.action for act in acts}
    assert "11010519491231002X" not in str(acts)


def test_the_document_lies_nowhere_in_clear(world, session):
    world.person()
    for table in ("accounts.person", "accounts.account", "jobs.outbox", "audit.entry"):
        stored = str(session.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).scalars().all())
        for secret in ("11010519491231002X", "王小明"):
            assert secret not in stored
            assert secret.encode().hex() not in stored


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("36042619910102009X", "check_digit"),
        ("360426199113010079", "birth_date"),
        ("990426199112010074", "area"),
        ("110111198012010078", "area"),
        ("110105491231002", "length"),
        ("１１０１０５１９４９１２３１００２Ｘ", "form"),
    ],
)
def test_a_bad_number_is_refused_with_its_part_and_never_repeated(world, number, part):
    token = world.sign_in()["access_token"]
    world.consent(token)
    answer = world.prove(token, document_number=number)
    assert (answer.status_code, answer.json["code"]) == (422, "id_number_invalid")
    assert answer.json["part"] == part
    assert answer.json["errors"][0]["pointer"] == "/document_number"
    assert number not in answer.text


@pytest.mark.parametrize(
    ("name", "part"), [("王小明а", "mixed_scripts"), ("王小😀", "character"), ("王", "length")]
)
def test_a_bad_name_is_refused_with_its_part(world, name, part):
    token = world.sign_in()["access_token"]
    world.consent(token)
    answer = world.prove(token, name=name)
    assert (answer.status_code, answer.json["code"]) == (422, "name_invalid")
    assert answer.json["part"] == part


def test_rare_characters_and_dots_are_kept(world, session):
    tokens = world.person(name="买买提・艾则孜")
    assert name_of(known(session, tokens).person) == "买买提·艾则孜"
    other = world.person(name="𠮷田", document_type="passport", document_number="tk1234567")
    assert name_of(known(session, other).person) == "𠮷田"
    assert document_number(known(session, other).person) == "TK1234567"


def test_the_upstream_decides_whether_name_and_document_belong_together(world, told):
    token = world.sign_in()["access_token"]
    world.consent(token)
    told.answer = False
    answer = world.prove(token)
    assert (answer.status_code, answer.json["code"]) == (422, "real_name_mismatch")
    told.answer = VerifierUnavailable(retry_after=30)
    answer = world.prove(token)
    assert (answer.status_code, answer.json["code"]) == (503, "verifier_unavailable")
    assert answer.headers["Retry-After"] == "30"
    told.answer = True
    assert world.prove(token).status_code == 200


def test_a_document_bound_elsewhere_is_refused_alike_whoever_holds_it(world):
    world.person()
    world.person(document_type="passport", document_number="E12345678", name="李明")
    bodies = []
    for changes in ({}, {"name": "李大明"}, {"document_number": "11010519491231002x"}):
        token = world.sign_in()["access_token"]
        world.consent(token)
        answer = world.prove(token, **changes)
        assert answer.status_code == 409
        bodies.append({**answer.json, "trace_id": ""})
    assert bodies[0]["code"] == "document_in_use"
    assert all(body == bodies[0] for body in bodies)


def test_the_same_step_again_changes_nothing(world, session):
    tokens = world.person()
    again = world.prove(tokens["access_token"])
    assert again.status_code == 200
    assert session.scalar(text("SELECT count(*) FROM accounts.person")) == 1


def test_a_recycled_phone_does_not_open_the_last_holders_data(world, helpers):
    phone = helpers.new_phone()
    owner = world.person(phone)
    stranger = world.sign_in(phone)
    assert level(world, stranger) == (1, "unconfirmed")
    shown = world.get("/me", stranger["access_token"]).json
    assert (shown["name"], shown["person_id"]) == (None, None)
    other = world.prove(
        stranger["access_token"],
        document_type="passport",
        document_number="E12345678",
        name="李明",
    )
    assert other.json["code"] == "account_has_person"
    assert world.prove(stranger["access_token"], name="李明").json["code"] == "real_name_mismatch"
    assert level(world, stranger) == (1, "unconfirmed")
    assert level(world, owner) == (2, "confirmed")


def test_the_owner_confirms_the_document_on_a_new_device(world, helpers):
    phone = helpers.new_phone()
    world.person(phone)
    new = world.sign_in(phone)
    assert world.prove(new["access_token"]).status_code == 200
    assert level(world, new) == (2, "confirmed")
    assert level(world, world.sign_in(phone, device=new["device"])) == (2, "confirmed")


def test_the_new_holder_of_a_number_opens_an_account_of_their_own(world, helpers):
    phone = helpers.new_phone()
    world.person(phone)
    new = world.sign_in(phone, new_account=True)
    world.consent(new["access_token"])
    answer = world.prove(
        new["access_token"], document_type="passport", document_number="E12345678", name="李明"
    )
    assert answer.status_code == 200
    assert level(world, new) == (2, "confirmed")


def test_a_counter_finds_a_person_by_any_form_of_the_document(world, session):
    tokens = world.person()
    person_id = known(session, tokens).person.person_id
    for number in (
        "11010519491231002X",
        "11010519491231002x",
        "110105491231002",
        " 110105491231002",
    ):
        assert people_by_document(session, "resident_id", number) == {person_id}
        assert people_by_document(session, None, number) == {person_id}
    assert people_by_document(session, "passport", "11010519491231002X") == set()
    assert people_by_document(session, None, "44011320141005001X") == set()
    assert people_by_document(session, None, "' OR 1=1") == set()


def test_a_counter_finds_both_people_whose_documents_bear_one_number(world, session):
    tokens = [
        world.person(document_type=kind, document_number="12345678", name=name)
        for kind, name in (("passport", "John Smith"), ("taiwan_permit", "林志明"))
    ]
    people = {known(session, one).person.person_id for one in tokens}
    assert people_by_document(session, None, "12345678") == people
    assert len(people_by_document(session, "passport", "12345678")) == 1


def test_a_retried_step_gets_the_first_answer(world):
    tokens = world.sign_in()
    token = tokens["access_token"]
    world.consent(token)
    body = {
        "document_type": "resident_id",
        "document_number": "11010519491231002X",
        "name": "王小明",
    }
    answers = [
        world.post("/me/real-name", body, token, **{"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_staff_are_no_persons(world):
    token = world.enrolled()[3]["access_token"]
    assert world.prove(token).status_code == 403
    assert (
        world.post("/me/consents", {"purpose": "real_name", "version": 1}, token).status_code == 403
    )


def test_unknown_members_are_refused(world):
    token = world.sign_in()["access_token"]
    answer = world.prove(token, level=3)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/level"


def test_a_document_is_not_guessed_on_a_phone_that_was_found(world, told):
    told.answer = False
    token = world.sign_in()["access_token"]
    world.consent(token)
    codes = []
    for _ in range(21):
        # Each try in a minute of its own.
        held = world.client.application.extensions[limits.EXTENSION]._memory._held
        for key in [key for key in held if "/minute" in key]:
            del held[key]
        codes.append(world.prove(token).json["code"])
    assert codes == ["real_name_mismatch"] * 20 + ["rate_limited"]
    assert len(told.asked) == 20
