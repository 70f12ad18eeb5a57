"""Thin codes, which nothing is written of: what ends one is seen at the next check."""

from datetime import timedelta

import gate_world
import health_world
import people
import pytest
from family_world import agreed, rows, run
from health_world import agree, coloured
from inspector_world import check, looks, offline, outcome, post, upload
from phone import said_by
from showing_world import SCOPES, child_of, close_account, send

from citizen_cloud import clock, db
from citizen_cloud.credentials import compact, keys
from citizen_cloud.credentials.jobs import forget_expired
from citizen_cloud.credentials.services import revoking
from citizen_cloud.modules.health_code.queries.showable import Asking
from citizen_cloud.modules.health_code.services.codes import thin


@pytest.fixture
def gate():
    return post()


@pytest.fixture
def me(client):
    return coloured(people.citizen(), "green")


def code_of(client, who, person_id=None):
    answer = send(client, "GET", "/code", who, person_id)
    assert answer.status_code == 200, answer.json
    return answer.json["code"]


def given_ago(who, seconds, link_id=None, person=None):
    """Return a code that was given that long ago."""
    asked = Asking(
        account_id=who.account_id,
        device_id=who.device_id,
        person_id=(person or who).person_id,
        link_id=link_id,
    )
    with db.transaction() as session:
        return thin.give(session, asked, now=clock.now() - timedelta(seconds=seconds)).code.text


def turns(client, me):
    health_world.say(health_world.reported(me.person_id))


def turned_and_nobody_wrote_it_down(client, me):
    run("UPDATE health_code.standing SET colour = 'yellow'")


def takes_the_consent_back(client, me):
    # Nobody delivered the news yet.
    agree(me, granted=False)


def has_no_standing(client, me):
    run("DELETE FROM health_code.standing")


def loses_the_account(client, me):
    run("UPDATE accounts.account SET status = 'closed' WHERE id = :a", a=me.account_id)


def revokes_the_key(client, me):
    with db.transaction() as session:
        revoking.revoke_key(session, kid=keys.names()[0], reason="compromised", by="test")


def is_forgotten(client, me):
    close_account(client, me)


@pytest.mark.parametrize(
    "ends",
    [
        turns,
        turned_and_nobody_wrote_it_down,
        takes_the_consent_back,
        has_no_standing,
        loses_the_account,
        revokes_the_key,
        is_forgotten,
    ],
)
def test_whatever_ends_a_thin_code_is_seen_at_the_next_check(client, gate, me, ends):
    code, kept = code_of(client, me), code_of(client, coloured(people.citizen(), "green"))
    assert outcome(client, gate.someone, code) == "valid"
    ends(client, me)
    said = check(client, post().someone, code)
    assert (said["outcome"], said["colour"], said["name_masked"]) == ("revoked", None, None)
    if ends in (takes_the_consent_back, loses_the_account, is_forgotten):
        assert outcome(client, gate.someone, kept) == "valid"


def test_a_turn_that_is_due_is_seen_too(client, gate, me):
    code = code_of(client, me)
    turns(client, me)
    run("UPDATE health_code.standing SET colour = 'green', holds_until = statement_timestamp()")
    assert outcome(client, gate.someone, code) == "revoked"


def test_a_code_that_was_given_for_somebody_ends_with_that_very_link(client, gate):
    person = coloured(people.citizen(), "green")
    worker, other = agree(people.citizen()), agree(people.citizen())
    link_id = agreed(client, worker, person, scopes=SCOPES)
    agreed(client, other, person, scopes=SCOPES)
    mine, theirs = (code_of(client, one, person.person_id) for one in (worker, other))
    own = code_of(client, person)
    assert outcome(client, gate.someone, mine) == "valid"
    assert client.delete(f"/api/v1/me/proxies/{link_id}", headers=person.headers).status_code == 204
    elsewhere = post().someone
    assert outcome(client, elsewhere, mine) == "revoked"
    assert outcome(client, elsewhere, theirs) == "valid"
    assert outcome(client, elsewhere, own) == "valid"


@pytest.mark.parametrize(
    "change",
    [
        "scopes = '{masks}'",
        "expires_at = statement_timestamp()",
        "status = 'revoked', ended_at = statement_timestamp()",
    ],
)
def test_a_link_that_is_narrowed_or_over_ends_it_too(client, gate, change):
    guardian = people.citizen()
    child = child_of(client, guardian)
    code = code_of(client, guardian, child)
    assert outcome(client, gate.someone, code) == "valid"
    assert looks(child) == [("health_code.verify", "consent", ["name", "health"])]
    run(f"UPDATE families.link SET {change}")
    assert outcome(client, post().someone, code) == "revoked"


def test_for_a_ward_without_an_account_the_consent_of_who_acts_counts(client, gate):
    first, second = people.citizen(), people.citizen()
    child = child_of(client, first, second)
    mine, theirs = (code_of(client, one, child) for one in (first, second))
    agree(first, granted=False)
    assert outcome(client, gate.someone, mine) == "revoked"
    assert outcome(client, gate.someone, theirs) == "valid"


def test_a_code_that_we_did_not_sign_is_noticed(client, gate, me):
    said = said_by(compact.unpack(code_of(client, me)))
    kid = keys.names()[0]
    for change in ({"exp": said["exp"] + 60}, {"c": "red"}, {"jti": "A" * 22}):
        forged = gate_world.code("ht", kid=kid, key=keys.private_key(kid), said=said | change)
        assert outcome(client, gate.someone, compact.pack(forged)) == "signed_but_not_issued"
    assert rows(
        "SELECT count(*) FROM audit.entry WHERE action = 'health_code.signed_but_not_issued'"
    ) == [(3,)]


def test_a_show_leaves_nothing_behind(client, me):
    """Not a row, not a number that was counted up: who showed a code, and when, nobody finds."""
    tables = rows(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
        "WHERE schemaname IN ('credentials', 'health_code', 'audit', 'jobs')"
    )

    def counts():
        return [
            rows(f"SELECT count(*), sum(hashtext(t::text)) FROM {name} t") for (name,) in tables
        ]

    before = counts()
    code_of(client, me)
    assert counts() == before


def uploaded(client, who, code, ago):
    scan = offline(code, at=clock.now() - timedelta(seconds=ago))
    (item,) = upload(client, who, scan)["items"]
    return item["outcome"], item["is_conflict"]


MINUTES = 20 * 60


def test_an_uploaded_scan_is_good_where_everything_ended_later(client, gate, me):
    code = given_ago(me, MINUTES)
    agree(me, granted=False)
    turns(client, me)
    assert uploaded(client, gate.someone, code, MINUTES - 30) == ("valid", False)
    assert looks(me.person_id) == [("health_code.verify", "consent", ["health"])]
    assert uploaded(client, gate.someone, code, MINUTES - 61) == ("expired", True)


def test_an_uploaded_scan_is_good_where_the_link_ended_later(client, gate):
    guardian = people.citizen()
    child = child_of(client, guardian)
    ((link_id,),) = rows("SELECT id FROM families.link")
    asked = Asking(
        account_id=guardian.account_id,
        device_id=guardian.device_id,
        person_id=child,
        link_id=link_id,
    )
    with db.transaction() as session:
        given_at = clock.now() - timedelta(seconds=MINUTES)
        code = thin.give(session, asked, now=given_at).code.text
    ended_at = clock.now() - timedelta(seconds=MINUTES - 20)
    run("UPDATE families.link SET status = 'revoked', ended_at = :at", at=ended_at)
    assert uploaded(client, gate.someone, code, MINUTES - 10) == ("valid", False)
    assert uploaded(client, post().someone, code, MINUTES - 30) == ("revoked", True)


@pytest.mark.parametrize(
    "change",
    [
        "accounts.consent SET withdrawn_at",
        "health_code.standing SET colour = 'red', changed_at",
    ],
)
def test_an_uploaded_scan_of_what_had_ended_before_is_a_conflict(client, gate, me, change):
    code = given_ago(me, MINUTES)
    at = clock.now() - timedelta(seconds=MINUTES - 20)
    run(f"UPDATE {change} = :at", at=at)
    assert uploaded(client, gate.someone, code, MINUTES - 10) == ("valid", False)
    assert uploaded(client, post().someone, code, MINUTES - 30) == ("revoked", True)


@pytest.mark.parametrize("begin", [0, 2**32, 2**33 - 61])
def test_a_forged_code_of_another_age_does_not_hinder_the_scans_beside_it(client, gate, me, begin):
    """Whoever has a signing key writes any second, also one that no id of ours can hold."""
    kid, good = keys.names()[0], code_of(client, me)
    said = said_by(compact.unpack(good)) | {"iat": begin, "exp": begin + 60}
    forged = compact.pack(gate_world.code("ht", kid=kid, key=keys.private_key(kid), said=said))
    assert outcome(client, gate.someone, forged) == ("expired" if begin == 0 else "not_yet_valid")
    told = upload(client, gate.someone, offline(forged), offline(good))["items"]
    assert told[0]["outcome"] in {"expired", "not_yet_valid"}
    assert told[1]["outcome"] == "valid"


def recorded(me, ago):
    """Return a thin code as 0.3.0 gave it: drawn at random, and written down."""
    kid, at = keys.names()[0], (clock.now() - timedelta(seconds=ago)).replace(microsecond=0)
    life = timedelta(seconds=60)
    code = gate_world.code("ht", kid=kid, key=keys.private_key(kid), iat=at, life=life)
    run(
        "INSERT INTO credentials.credential (jti, type, subject_id, holder_id, kid, issued_at, "
        "not_before, expires_at, claims) "
        "VALUES (:jti, 'ht', :jti, :person_id, :kid, :at, :at, :until, '{\"c\": \"green\"}')",
        jti=gate_world.jti_of(code),
        person_id=me.person_id,
        kid=kid,
        at=at,
        until=at + life,
    )
    return compact.pack(code)


def test_gates_tell_of_thin_codes_of_before_the_upgrade_and_nobody_is_alarmed(client, gate, me):
    assert uploaded(client, gate.someone, recorded(me, MINUTES), MINUTES - 30) == ("valid", False)
    assert looks(me.person_id) == [("health_code.verify", "consent", ["health"])]
    assert outcome(client, gate.someone, recorded(me, 5)) == "valid"
    revoked = recorded(me, 5)
    run("UPDATE credentials.credential SET revoked_at = statement_timestamp()")
    assert outcome(client, gate.someone, revoked) == "revoked"
    assert rows("SELECT count(*) FROM audit.entry WHERE action LIKE '%not_issued'") == [(0,)]
    run("UPDATE credentials.credential SET expires_at = expires_at - interval '3 days'")
    forget_expired(clock.now())
    assert rows("SELECT count(*) FROM credentials.credential") == [(0,)]


def test_a_link_whose_number_ends_in_zeros_is_a_link_like_any_other(client, gate):
    """One of sixteen million: its bearer would never pass a door, or pass when it is over."""
    guardian = people.citizen()
    child = child_of(client, guardian)
    run("UPDATE families.link SET id = cast(left(id::text, 30) || '000000' AS uuid)")
    assert outcome(client, gate.someone, code_of(client, guardian, child)) == "valid"
    code = code_of(client, guardian, child)
    run("UPDATE families.link SET status = 'revoked', ended_at = statement_timestamp()")
    assert outcome(client, gate.someone, code) == "revoked"
