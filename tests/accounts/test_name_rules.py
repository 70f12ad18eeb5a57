import pytest

from citizen_cloud.accounts.identity import mask_name
from citizen_cloud.accounts.rules.names import NameFault, matching_name, real_name


@pytest.mark.parametrize(
    "name",
    [
        "王小明",
        "王明",
        "𠮷田",
        "李𫟼",
        "张\U00031350",
        "王\u4dae",
        "李〇",
        "买买提·艾则孜",
        "阿卜杜拉·本·穆罕默德·阿勒萨尼",
        "O'Brien Patrick",
        "Jean-Luc Müller",
        "Martin Luther King, Jr.",
        "赵C",
        "Алексей",
        "ئابدۇللا",
        "བསྟན་འཛིན".replace("་", " "),
        "欧阳" + "娜" * 48,
    ],
)
def test_every_real_name_is_accepted(name):
    assert real_name(name)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("王", "length"),
        ("王" * 51, "length"),
        ("  王 ", "length"),
        ("王小明😀", "character"),
        ("王❤明", "character"),
        ("王小明2", "character"),
        ("王<b>明", "character"),
        ("王\ufe0f明", "character"),
        ("王\ue863明", "character"),
        ("··", "character"),
        ("王小明а", "mixed_scripts"),
        ("Аlice", "mixed_scripts"),
        ("Αlice", "mixed_scripts"),
        ("王カ明", "mixed_scripts"),
    ],
)
def test_what_no_document_bears_is_refused_with_the_part(name, part):
    with pytest.raises(NameFault) as caught:
        real_name(name)
    assert caught.value.part == part


def test_one_dot_is_kept_however_it_was_typed():
    spelt = {real_name(f"买买提{dot}艾则孜") for dot in "·•・‧"}
    assert spelt == {"买买提·艾则孜"}


def test_names_are_kept_composed():
    assert real_name("Mu\u0308ller Jo") == "Müller Jo"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("买买提·艾则孜", "买买提・艾则孜"),
        ("买买提·艾则孜", "买买提 · 艾则孜"),
        ("John Smith", "JOHN  SMITH"),
        ("O'Brien", "O’Brien"),
    ],
)
def test_spellings_of_one_name_match(one, other):
    assert matching_name(one) == matching_name(other)


def test_different_names_do_not_match():
    assert matching_name("王小明") != matching_name("王晓明")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("王小明", "王*明"), ("王明", "王*"), ("欧阳娜娜", "欧**娜"), ("𠮷田光", "𠮷*光"), ("", "*")],
)
def test_a_name_is_shown_with_its_middle_hidden(name, shown):
    assert mask_name(name) == shown
