import pytest

from citizen_cloud.accounts.rules.phones import canonical_phone, masked_phone


@pytest.mark.parametrize(
    "spelt",
    [
        "13800138000",
        "+8613800138000",
        "8613800138000",
        "+86 138 0013 8000",
        "138-0013-8000",
        "0086 13800138000",
        "１３８００１３８０００",
        "＋８６ １３８００１３８０００",
    ],
)
def test_every_spelling_of_a_phone_is_one_key(spelt):
    assert canonical_phone(spelt) == "+8613800138000"


@pytest.mark.parametrize("virtual", ["17012345678", "17112345678", "16712345678", "16212345678"])
def test_virtual_operators_are_mobile(virtual):
    assert canonical_phone(virtual) == f"+86{virtual}"


@pytest.mark.parametrize(
    "spelt",
    [
        "01088886666",
        "+86 10 8888 6666",
        "4008001234",
        "8008201234",
        "95588",
        "114",
        "12345678901",
        "123456789012",
        "1380013800",
        "+1 900 555 0100",
        "13800138000 ext 5",
        "13800138000;ext=5",
        "1-800-FLOWERS",
        "١٣٨٠٠١٣٨٠٠٠",
        "13800138000\n",
        "",
        "+",
        "138" * 20,
    ],
)
def test_what_cannot_be_texted_is_no_phone(spelt):
    assert canonical_phone(spelt) is None


def test_neighbours_numbers_keep_their_country():
    assert canonical_phone("+85291234567") == "+85291234567"
    assert canonical_phone("+886912345678") == "+886912345678"


def test_a_phone_is_shown_with_its_middle_hidden():
    assert masked_phone("+8613800138000") == "138****8000"
    assert masked_phone("+85291234567") == "+852****4567"
