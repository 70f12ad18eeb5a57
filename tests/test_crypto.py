from dataclasses import replace

import pytest

from citizen_cloud import crypto
from citizen_cloud.config import SettingsError
from citizen_cloud.crypto import Undecryptable, draw_key, parse_ring


def test_a_sealed_value_opens_in_its_own_place_only(settings):
    rings = crypto.configure(settings)
    sealed = rings.seal("11010519491231002X", place="accounts.person:document:1")
    assert b"11010519491231002X" not in sealed
    assert rings.open(sealed, place="accounts.person:document:1") == "11010519491231002X"
    with pytest.raises(Undecryptable):
        rings.open(sealed, place="accounts.person:document:2")


def test_a_changed_byte_or_an_unknown_index_does_not_open(settings):
    rings = crypto.configure(settings)
    sealed = rings.seal("x", place="p")
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"k9" + sealed[2:], b"", b"k1."):
        with pytest.raises(Undecryptable):
            rings.open(wrong, place="p")


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key(settings):
    old = crypto.configure(settings)
    sealed = old.seal("x", place="p")
    ringed = f"{draw_key('k2')},{settings.field_keys}"
    new = crypto.configure(replace(settings, field_keys=ringed))
    assert new.open(sealed, place="p") == "x"
    assert new.seal("x", place="p").startswith(b"k2.")
    crypto.configure(settings)


def test_a_block_is_sealed_as_long_as_it_is_for_one_purpose_under_the_key_that_writes(settings):
    block = bytes(range(16))
    old = crypto.configure(settings).seal_block(block, kind="a")
    assert len(old) == 16
    assert crypto.current().open_block(old, kind="a") == [block]
    assert crypto.current().open_block(old, kind="b") != [block]
    ringed = f"{draw_key('k2')},{settings.field_keys}"
    new = crypto.configure(replace(settings, field_keys=ringed))
    assert new.seal_block(block, kind="a") != old
    assert new.open_block(old, kind="a")[1] == block
    crypto.configure(settings)


def test_the_quota_key_is_one_and_never_rotates(settings):
    two = f"{settings.quota_key},{draw_key('k2')}"
    with pytest.raises(SettingsError, match="exactly one"):
        crypto.configure(replace(settings, quota_key=two))
    crypto.configure(settings)


@pytest.mark.parametrize("wrong", ["", "k1", "k1:", "k1:AAAA", ":" + "A" * 44, "k1:" + "ä" * 44])
def test_a_ring_that_cannot_be_read_names_the_setting_and_shows_no_key(wrong):
    with pytest.raises(SettingsError, match="CITIZEN_CLOUD_X") as caught:
        parse_ring(wrong, "CITIZEN_CLOUD_X")
    assert "AAAA" not in str(caught.value)


@pytest.mark.parametrize("kid", ["k2345678901", 'k"', "k 1"])
def test_a_key_of_codes_is_named_so_that_a_code_fits_its_picture(settings, kid):
    long = f"{draw_key(kid)},{settings.credential_keys}"
    with pytest.raises(SettingsError, match="CITIZEN_CLOUD_CREDENTIAL_KEYS") as refused:
        crypto.configure(replace(settings, credential_keys=long))
    assert long.partition(":")[2][:43] not in str(refused.value)
    fits = f"{draw_key('k234567890')},{settings.credential_keys}"
    assert crypto.configure(replace(settings, credential_keys=fits)).credentials
    crypto.configure(settings)
