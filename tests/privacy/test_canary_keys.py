"""What every room sealed about the canary is declared, is written anew, and opens afterwards."""

from dataclasses import replace

import canary
import pytest

from citizen_cloud import crypto
from citizen_cloud.cli import keys
from citizen_cloud.cli.keys.rewriting import rewrite
from citizen_cloud.cli.keys.standing import UNKNOWN, count
from citizen_cloud.crypto import draw_key

# Nobody has these while the canary sings: a clerk's second factors, a message on its way.
EMPTY = {
    "accounts.account.display_name_sealed",
    "accounts.account.totp_sealed",
    "accounts.account.next_totp_sealed",
    "health_code.visit_opening.case_sealed",
    "jobs.outbox.secret",
    "messages.delivery.secret",
    "oidc.signing_key.private_sealed",
    "organisations.invitation.note_sealed",
}


@pytest.fixture
def turned(settings):
    """Hold new keys first, as after a promotion; then, once written anew, those alone."""
    before = crypto.current()
    new = {"field_keys": draw_key("k9"), "lookup_keys": draw_key("k9")}

    def turn(*, alone):
        old = {} if alone else {name: "," + getattr(settings, name) for name in new}
        rings = {name: key + old.get(name, "") for name, key in new.items()}
        crypto.configure(replace(settings, **rings))

    yield turn
    crypto._current[:] = [before]


def test_every_sealed_column_of_every_room_has_a_value_of_the_canary_or_of_those_around_it(me):
    counted = count(keys.declared())
    empty = {place for place, by_kid in counted.fields.items() if not by_kid}
    assert empty <= EMPTY
    assert counted.lookups["federation.identity.subject_index"]
    assert UNKNOWN not in counted.needed("lookup")


def test_after_a_rewrite_new_keys_alone_open_and_find_all_of_it(me, turned):
    held = canary.found(me.values)
    turned(alone=False)
    tally = rewrite(keys.declared(), batch=50, tell=lambda _: None)
    assert (tally.missed, tally.unreadable) == (0, 0)
    turned(alone=True)
    assert canary.found(me.values) == held
    counted = count(keys.declared())
    assert set(counted.needed("field")) == set(counted.needed("lookup")) == {"k9"}
    canary.close(me)
    assert canary.found(me.values) == set()
