"""A gate with every server stopped: what it lets pass, and why it refuses the rest."""

import subprocess
import sys
from datetime import timedelta

import gate_world as world
import pytest
from gate_world import NOW, gate
from joserfc import jws as joserfc_jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey
from phone import Phone

from citizen_cloud.credentials.compact import pack, scan
from citizen_cloud.credentials.verifier import Gate, Outcome, SnapshotInvalid
from citizen_cloud.credentials.verifier.outcomes import WORDS

NONCE = bytes(range(16))
PURE = """
import sys
from citizen_cloud.credentials import verifier
behind = {"flask", "flask_smorest", "sqlalchemy", "marshmallow", "redis", "gevent", "psycopg",
          "werkzeug", "structlog", "citizen_cloud.db", "citizen_cloud.config"}
print(sorted(behind & set(sys.modules)))
"""


def outcome(text, *, at=NOW, verifier=None, **asked):
    return (verifier or gate(**asked)).check(text, now=at).outcome


@pytest.fixture
def phone():
    return Phone()


def test_a_good_code_is_accepted_and_says_no_more_than_its_colour(phone):
    jws = world.credential(phone, c="yellow")
    verdict = gate().check(phone.show(jws, NOW), now=NOW)
    assert verdict.outcome is Outcome.VALID
    assert (verdict.type, verdict.colour, verdict.name) == ("hc", "yellow", None)
    assert verdict.as_of == NOW.replace(microsecond=0) - timedelta(minutes=5)
    assert verdict.status_as_of == NOW
    assert verdict.jti == world.jti_of(jws)
    assert verdict.step == int(NOW.timestamp()) // 30


def test_thin_and_paper_codes_count_without_proof_where_a_gate_takes_them():
    thin, paper = world.thin(), world.paper()
    assert outcome(thin) is Outcome.VALID
    verdict = gate().check(paper, now=NOW)
    assert (verdict.outcome, verdict.name) == (Outcome.VALID, "王*")
    only_devices = frozenset({"hc"})
    assert outcome(thin, types=only_devices) is Outcome.WRONG_TYPE
    assert outcome(paper, types=only_devices) is Outcome.WRONG_TYPE
    assert outcome(thin, at=NOW + timedelta(seconds=60)) is Outcome.EXPIRED


def test_each_refusal_has_its_own_reason(phone):
    jws = world.credential(phone)
    old = world.credential(phone, iat=NOW - timedelta(hours=24))
    early = world.credential(phone, iat=NOW + timedelta(seconds=6))
    good = phone.show(jws, NOW)
    revoked = gate(snap=world.snapshot(void=[world.jti_of(jws), *map(world.jti_of, [old])]))
    stale = gate(snap=world.snapshot(at=NOW - timedelta(hours=6, seconds=1)))
    other_city = world.credential(phone, kid="c.k1", key=world.SECOND_KEY)
    unknown = world.credential(phone, kid="c.k2")
    here = gate()
    assert here.check(good, now=NOW).outcome is Outcome.VALID
    answers = {
        "expired": outcome(phone.show(old, NOW)),
        "not_yet_valid": outcome(phone.show(early, NOW)),
        "invalid_signature": outcome(phone.show(other_city, NOW)),
        "revoked": outcome(good, verifier=revoked),
        "wrong_type": outcome(world.voucher()),
        "unknown_issuer": outcome(phone.show(unknown, NOW)),
        "wrong_device": outcome(phone.show(jws, NOW, key=Phone().device_key)),
        "stale_proof": outcome(good, at=NOW + timedelta(seconds=61)),
        "stale_status": outcome(good, verifier=stale),
        "replayed": outcome(good, verifier=here),
        "wrong_nonce": outcome(good, nonce=NONCE),
        "wrong_venue": outcome(phone.show(jws, NOW, place_id=world.some_place())),
        "malformed": outcome("CC2:" + good[5:]),
    }
    assert {name: str(said) for name, said in answers.items()} == {name: name for name in answers}


def test_every_outcome_has_words_for_the_person_at_the_gate():
    assert WORDS.keys() == set(Outcome)
    assert all(words.zh and words.en for words in WORDS.values())
    assert len({words.zh for words in WORDS.values()}) == len(Outcome)


def test_a_photographed_code_is_refused_a_minute_later(phone):
    begins = NOW.replace(second=0)
    text = phone.show(world.credential(phone), begins)
    assert outcome(text, at=begins + timedelta(seconds=59)) is Outcome.VALID
    for late in (61, 90, 3600):
        assert outcome(text, at=begins + timedelta(seconds=late)) is Outcome.STALE_PROOF


def test_a_photographed_code_is_refused_at_another_gate_with_a_nonce(phone):
    jws = world.credential(phone)
    for_one = phone.show(jws, NOW, nonce=NONCE)
    assert outcome(for_one, nonce=NONCE) is Outcome.VALID
    assert outcome(for_one, nonce=bytes(16)) is Outcome.WRONG_NONCE
    assert outcome(for_one) is Outcome.WRONG_NONCE
    assert outcome(phone.show(jws, NOW), nonce=NONCE) is Outcome.WRONG_NONCE


def test_a_gate_with_a_nonce_takes_nothing_that_cannot_answer_it():
    for text in (world.thin(), world.paper()):
        assert outcome(text, nonce=NONCE) is Outcome.WRONG_NONCE


def test_a_hint_that_fits_by_chance_proves_nothing(phone):
    """The hints are two bytes outside every signature; what decides is the show signature."""
    jws = world.credential(phone)
    shown = scan(phone.show(jws, NOW, nonce=NONCE))
    other = bytes(16)
    forged = world.shown_again(jws, shown.proof, nonce=other)
    assert outcome(forged, nonce=other) is Outcome.WRONG_DEVICE
    unbound = scan(phone.show(jws, NOW))
    assert outcome(world.shown_again(jws, unbound.proof, nonce=other), nonce=other) is (
        Outcome.WRONG_DEVICE
    )


def test_a_code_from_another_device_key_is_refused(phone):
    jws = world.credential(phone)
    thief = Phone()
    assert outcome(thief.show(jws, NOW, key=thief.device_key)) is Outcome.WRONG_DEVICE
    # The device key itself is not the show key either.
    assert outcome(phone.show(jws, NOW, key=phone.device_key)) is Outcome.WRONG_DEVICE


def test_a_credential_without_a_showing_counts_nowhere(phone):
    assert outcome(pack(world.credential(phone))) is Outcome.WRONG_DEVICE


def test_a_showing_is_no_proof_for_another_credential_of_the_same_phone(phone):
    first, second = world.credential(phone), world.credential(phone)
    shown = scan(phone.show(first, NOW))
    assert outcome(world.shown_again(second, shown.proof)) is Outcome.WRONG_DEVICE


def test_a_showing_for_a_place_counts_there_only(phone):
    place, other = world.some_place(), world.some_place()
    jws = world.credential(phone)
    bound = phone.show(jws, NOW, nonce=NONCE, place_id=place)
    assert outcome(bound, nonce=NONCE, place_id=place) is Outcome.VALID
    assert outcome(bound, nonce=NONCE, place_id=other) is Outcome.WRONG_VENUE
    assert outcome(bound, nonce=NONCE) is Outcome.WRONG_VENUE
    assert outcome(phone.show(jws, NOW), place_id=place) is Outcome.VALID


def test_a_phone_whose_clock_is_off_by_a_step_still_passes():
    for offset, said in ((4, "valid"), (-30, "valid"), (-95, "stale_proof"), (40, "stale_proof")):
        phone = Phone(offset_s=offset)
        at = NOW.replace(second=27)
        assert outcome(phone.show(world.credential(phone), at), at=at) == said, offset


def test_the_same_showing_passes_once_at_one_verifier(phone):
    jws = world.credential(phone)
    here, there = gate(), gate()
    text = phone.show(jws, NOW)
    assert outcome(text, verifier=here) is Outcome.VALID
    assert outcome(text, verifier=here) is Outcome.REPLAYED
    # Honest about its limit: another gate without a nonce knows nothing of it.
    assert outcome(text, verifier=there) is Outcome.VALID
    later = NOW + timedelta(seconds=30)
    assert outcome(phone.show(jws, later), at=later, verifier=here) is Outcome.VALID


def test_a_signature_in_its_other_form_is_the_same_showing(phone):
    """ECDSA: (r, n - s) verifies where (r, s) does; it must not pass twice for that."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    jws = world.credential(phone)
    text = phone.show(jws, NOW)
    proof = scan(text).proof
    s = int.from_bytes(proof.signature[32:], "big")
    mirrored = proof.signature[:32] + (order - s).to_bytes(32, "big")
    here = gate()
    assert outcome(text, verifier=here) is Outcome.VALID
    again = world.shown_again(jws, proof, signature=mirrored)
    assert again != text
    assert outcome(again, verifier=here) is Outcome.REPLAYED


def test_paper_is_forgotten_after_two_minutes_and_passes_again():
    here, text = gate(), world.paper()
    for seconds, said in ((0, "valid"), (119, "replayed"), (120, "valid")):
        assert outcome(text, at=NOW + timedelta(seconds=seconds), verifier=here) == said


def test_a_repeated_scan_repeats_its_answer(phone):
    here, text = gate(), phone.show(world.credential(phone), NOW)
    first = here.check(text, now=NOW, scan_id="s1")
    assert first.outcome is Outcome.VALID
    assert here.check(text, now=NOW + timedelta(minutes=5), scan_id="s1") == first
    assert here.check(text, now=NOW, scan_id="s2").outcome is Outcome.REPLAYED
    # The id is the scanner's word; it makes no other code good.
    assert here.check(world.voucher(), now=NOW, scan_id="s1").outcome is Outcome.WRONG_TYPE


def test_a_scan_id_used_anew_much_later_is_a_new_scan():
    here, text = gate(), world.paper()
    assert here.check(text, now=NOW, scan_id="1").outcome is Outcome.VALID
    later = NOW + timedelta(hours=7)
    assert here.check(text, now=later, scan_id="1").outcome is Outcome.STALE_STATUS


def test_what_a_gate_remembers_is_bounded(monkeypatch):
    here = gate()
    here.seen.most = here.answers.most = 10
    for number in range(30):
        assert here.check(world.paper(), now=NOW, scan_id=str(number)).outcome is Outcome.VALID
    assert len(here.seen.entries) == len(here.answers.entries) == 10


def test_a_revoked_key_makes_all_its_codes_void_whatever_their_signature(phone):
    snap = world.snapshot(kids=("c.k1", "c.k2"), revoked_keys=("c.k1",))
    text = phone.show(world.credential(phone), NOW)
    assert outcome(text, snap=snap) is Outcome.REVOKED
    assert outcome(phone.show(world.credential(phone, kid="c.k2"), NOW), snap=snap) is (
        Outcome.VALID
    )
    assert outcome(world.paper(key=world.TRUST_KEY), snap=snap) is Outcome.REVOKED


def test_a_key_of_trust_signs_no_code(phone):
    text = phone.show(world.credential(phone, kid="c.k1", key=world.TRUST_KEY), NOW)
    assert outcome(text) is Outcome.INVALID_SIGNATURE
    roots = world.code("ht", key=world.TRUST_KEY)
    assert outcome(pack(roots.replace(roots.split(".", maxsplit=1)[0], world.header("t.k1")))) is (
        Outcome.UNKNOWN_ISSUER
    )


def test_the_age_of_the_status_list_is_the_gates_patience(phone):
    jws = world.credential(phone)
    for age, patience, said in (
        (timedelta(hours=6), timedelta(hours=6), "valid"),
        (timedelta(hours=6, seconds=1), timedelta(hours=6), "stale_status"),
        (timedelta(minutes=11), timedelta(minutes=10), "stale_status"),
        # A clock set back would make every old list look fresh.
        (timedelta(minutes=-1), timedelta(hours=6), "stale_status"),
    ):
        here = gate(snap=world.snapshot(at=NOW - age), max_age=patience)
        verdict = here.check(phone.show(jws, NOW), now=NOW)
        assert (verdict.outcome, verdict.colour is None) == (said, said != "valid"), age
        assert verdict.status_as_of == NOW - age


def test_an_old_list_still_knows_who_is_void(phone):
    jws = world.credential(phone)
    snap = world.snapshot(at=NOW - timedelta(hours=9), void=[world.jti_of(jws)])
    assert outcome(phone.show(jws, NOW), snap=snap) is Outcome.REVOKED


def test_a_gate_goes_forward_only(phone):
    here = gate(snap=world.snapshot(number=7))
    jws = world.credential(phone)
    here.renew(world.snapshot(number=8, void=[world.jti_of(jws)]))
    with pytest.raises(SnapshotInvalid):
        here.renew(world.snapshot(number=7))
    assert outcome(phone.show(jws, NOW), verifier=here) is Outcome.REVOKED


# RFC 9864 renames the algorithm of RFC 8037; the header of our codes is fixed.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_a_jose_library_that_we_do_not_sign_with_checks_the_same_code(phone):
    ours, other = (
        OKPKey.import_key(world.jwk("c.k1", key))
        for key in (world.CREDENTIAL_KEY, world.SECOND_KEY)
    )
    for text in (phone.show(world.credential(phone), NOW), world.thin(), world.paper()):
        rebuilt = scan(text).jws
        parsed = joserfc_jws.deserialize_compact(rebuilt, ours, algorithms=["EdDSA"])
        assert parsed.payload.startswith(b'{"jti":"')
        with pytest.raises(BadSignatureError):
            joserfc_jws.deserialize_compact(rebuilt, other, algorithms=["EdDSA"])


def test_nothing_of_a_server_stands_behind_the_verifier():
    done = subprocess.run(
        [sys.executable, "-P", "-c", PURE], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_code_is_decided_in_a_few_signature_checks(phone, record_property):
    """Held as a ratio to the two signatures in it, so that no machine is slow; 50 ms is far off."""
    here = gate(snap=world.snapshot(void=[world.jti_of(world.paper_jws()) for _ in range(2000)]))
    jws = world.credential(phone)
    texts = [phone.show(jws, NOW) for _ in range(60)]
    here.check(texts[0], now=NOW)
    each, alone = (
        min(timed(text) for text in texts)
        for timed in (
            lambda text: world.took(lambda: here.check(text, now=NOW)),
            lambda text: world.took(lambda: world.signature_checks(jws, text)),
        )
    )
    record_property("facts", f"{each * 1000:.2f} ms, its signatures {alone * 1000:.2f} ms")
    assert each < 8 * alone
    assert each < 0.05


def test_a_code_of_a_service_that_ended_is_revoked_whenever_it_was_issued():
    ended = world.snapshot(said={"ended_types": {"hp": None}})
    for begins in (NOW - timedelta(days=90), NOW):
        assert outcome(world.paper(iat=begins), verifier=gate(snap=ended)) is Outcome.REVOKED
    assert outcome(world.thin(), verifier=gate(snap=ended)) is Outcome.VALID


@pytest.mark.parametrize(("seconds", "expected"), [(-1, "revoked"), (0, "valid"), (1, "valid")])
def test_a_service_that_began_again_counts_from_its_very_second(seconds, expected):
    begun = NOW - timedelta(hours=1)
    again = world.snapshot(said={"ended_types": {"hp": int(begun.timestamp())}})
    code = world.paper(iat=begun + timedelta(seconds=seconds))
    assert outcome(code, verifier=gate(snap=again)) == expected


def test_an_end_is_known_also_where_the_list_is_too_old_to_say_valid():
    old = world.snapshot(at=NOW - timedelta(days=1), said={"ended_types": {"hp": None}})
    assert outcome(world.paper(), verifier=gate(snap=old)) is Outcome.REVOKED
    assert outcome(world.thin(), verifier=gate(snap=old)) is Outcome.STALE_STATUS


@pytest.mark.parametrize("nonce", [b"", bytes(33), bytes(300)])
def test_a_nonce_no_phone_could_answer_is_refused_when_the_gate_is_set_up(nonce):
    """An empty one would count as none at all, and a long one fail at the first visitor."""
    with pytest.raises(ValueError, match="1 to 32 bytes"):
        Gate(nonce=nonce)


def test_an_answer_to_one_number_is_none_to_the_next_whatever_the_scan_id(phone):
    """A scanner that names all its scans alike must not let the last visitor's screen in again."""
    text = phone.show(world.credential(phone), NOW, nonce=NONCE)
    here = gate(nonce=NONCE)
    assert here.check(text, now=NOW, scan_id="s").outcome is Outcome.VALID
    for other, said in (
        (Gate(nonce=bytes(16)), Outcome.WRONG_NONCE),
        (Gate(nonce=NONCE, types=frozenset({"hp"})), Outcome.WRONG_TYPE),
    ):
        here.gate = other
        assert here.check(text, now=NOW, scan_id="s").outcome is said
    here.gate = Gate(nonce=NONCE)
    assert here.check(text, now=NOW, scan_id="s").outcome is Outcome.VALID
