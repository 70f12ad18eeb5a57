import pytest

from citizen_cloud import crypto
from citizen_cloud.web import cursors
from citizen_cloud.web.context import preferred


@pytest.fixture(autouse=True)
def _keys(settings):
    crypto.configure(settings)


def test_a_cursor_comes_back_as_it_went():
    assert cursors.decode("a", cursors.encode("a", [1, "好", None])) == [1, "好", None]


@pytest.mark.parametrize("wrong", ["", "x", "!!!!", "AAAA" * 10, "é"])
def test_a_made_up_cursor_is_refused(wrong):
    with pytest.raises(cursors.BadCursor):
        cursors.decode("a", wrong)


def test_every_changed_character_is_noticed():
    good = cursors.encode("a", ["0192", 5])
    for place in range(len(good)):
        wrong = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        try:
            assert cursors.decode("a", wrong) == cursors.decode("a", good)
        except cursors.BadCursor:
            continue


def test_a_cursor_of_another_list_is_refused():
    with pytest.raises(cursors.BadCursor):
        cursors.decode("b", cursors.encode("a", [1]))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("zh-CN", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr", "zh"),
        ("fr,en;q=0.5", "en"),
        ("zh;q=0.1,en;q=0.9", "en"),
        ("zh-Hant-TW-x-💥", "zh"),
        ("en;q=abc", "zh"),
        ("," * 5_000, "zh"),
        ("*", "zh"),
    ],
)
def test_the_language_is_zh_unless_english_is_preferred(header, language):
    assert preferred(header) == language
