from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citizen_cloud.accounts.rules.documents import (
    DocumentFault,
    birth_on,
    document_number,
    matching_number,
)

TODAY = date(2026, 3, 2)
GOOD = [
    "11010519491231002X",
    "44011320141005001X",
    "360426199101010071",
    "33050219880702447X",
]


def resident(number):
    return document_number("resident_id", number, today=TODAY)


def part_of(number, document_type="resident_id", today=TODAY):
    with pytest.raises(DocumentFault) as caught:
        document_number(document_type, number, today=today)
    assert number not in str(caught.value) or not number
    return caught.value.part


@pytest.mark.parametrize("number", GOOD)
def test_real_numbers_are_accepted(number):
    assert resident(number) == number


def test_a_small_x_is_stored_as_a_capital_one():
    assert resident("11010519491231002x") == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("36042619910102009X", "check_digit"),
        ("330502198807024471", "check_digit"),
        ("360426199113010079", "birth_date"),
        ("990426199112010074", "area"),
        ("110111198012010078", "area"),
        ("000000000000000000", "birth_date"),
        ("110105194902300028", "birth_date"),
        ("11010519491231002", "length"),
        ("11010519491231002XX", "length"),
        ("110105491231002", "length"),
        ("", "length"),
        ("１１０１０５１９４９１２３１００２Ｘ", "form"),
        ("11010519491231002X\n", "length"),
        ("1101051949123100\n2", "form"),
        (" 1010519491231002X", "form"),
        ("11010519491231002Y", "form"),
        ("1101O519491231002X", "form"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "form"),
    ],
)
def test_a_bad_number_is_refused_with_the_part(number, part):
    assert part_of(number) == part


def test_nobody_is_born_tomorrow_or_is_older_than_anybody_was():
    born = "44011320141005001X"
    assert part_of(born, today=date(2014, 10, 4)) == "birth_date"
    assert document_number("resident_id", born, today=date(2014, 10, 5)) == born
    assert part_of(born, today=date(2165, 1, 1)) == "birth_date"


def test_codes_of_the_first_numbers_hold_for_those_born_before():
    # Haishu district got its code in 1983; its elders were numbered from 1984 on.
    longer = "33020319700101001"
    number = matching_number("resident_id", longer[:6] + longer[8:])
    assert resident(number) == number


def test_permits_numbered_like_residents_are_accepted():
    assert resident("830000199201300022") == "830000199201300022"


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_fault(text):
    try:
        stored = resident(text)
    except DocumentFault:
        return
    assert stored.isascii()
    assert len(stored) == 18


@given(st.sampled_from(GOOD), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_never_makes_another_person(number, place, character):
    changed = number[:place] + character + number[place + 1 :]
    if changed == number:
        return
    with pytest.raises(DocumentFault):
        resident(changed)


def test_fifteen_digits_match_the_eighteen_digit_form():
    assert matching_number("resident_id", "110105491231002") == "11010519491231002X"
    assert matching_number("resident_id", "11010519491231002x") == "11010519491231002X"
    assert matching_number("resident_id", "11010549123100") is None


@pytest.mark.parametrize(
    ("document_type", "number", "stored"),
    [
        ("passport", "E12345678", "E12345678"),
        ("passport", "ej1234567", "EJ1234567"),
        ("passport", "123456789", "123456789"),
        ("passport", "C01X00T47", "C01X00T47"),
        ("hk_macau_permit", "H12345678", "H12345678"),
        ("hk_macau_permit", "m1234567801", "M1234567801"),
        ("taiwan_permit", "12345678", "12345678"),
        ("taiwan_permit", "0012345601B", "0012345601B"),
        ("foreign_resident_card", "USA110062010218", "USA110062010218"),
    ],
)
def test_other_documents_are_judged_by_their_own_form(document_type, number, stored):
    assert document_number(document_type, number, today=TODAY) == stored


@pytest.mark.parametrize(
    ("document_type", "number"),
    [
        ("passport", "E123"),
        ("passport", "11010519491231002X"),
        ("passport", "110105491231002"),
        ("passport", "E123456789"),
        ("passport", "ABCDEFGHI"),
        ("passport", "Е12345678"),
        ("passport", "E1234567８"),
        ("passport", "E12345678\n"),
        ("hk_macau_permit", "A12345678"),
        ("hk_macau_permit", "H1234567"),
        ("taiwan_permit", "1234567"),
        ("foreign_resident_card", "US1110062010218"),
    ],
)
def test_a_form_that_no_such_document_has_is_refused(document_type, number):
    assert part_of(number, document_type) == "form"


def test_the_new_card_of_foreign_residents_is_checked_like_a_resident_number():
    longer = "91184019800707123"
    check = next(digit for digit in "0123456789X" if _is_card(longer + digit))
    card = longer + check
    assert birth_on("foreign_resident_card", card) == date(1980, 7, 7)
    other = "0" if check != "0" else "1"
    assert part_of(longer + other, "foreign_resident_card") == "check_digit"
    assert part_of("911840198013071239", "foreign_resident_card") == "birth_date"


def _is_card(number):
    try:
        return document_number("foreign_resident_card", number, today=TODAY) == number
    except DocumentFault:
        return False


def test_a_renewed_permit_is_the_same_person():
    assert matching_number("hk_macau_permit", "H1234567801") == "H12345678"
    assert matching_number("hk_macau_permit", "H1234567802") == "H12345678"


def test_birth_dates_are_told_only_by_numbers_that_hold_one():
    assert birth_on("resident_id", "11010519491231002X") == date(1949, 12, 31)
    assert birth_on("passport", "E12345678") is None
    assert birth_on("foreign_resident_card", "USA110062010218") is None
