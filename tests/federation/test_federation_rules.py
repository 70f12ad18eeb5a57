"""What is vouched for, judged without a database or a network."""

from datetime import UTC, datetime

import pytest

from citizen_cloud.federation.rules import (
    assurance_level,
    challenge_of,
    document_of,
    is_recent,
    is_subject,
)

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def test_the_challenge_is_the_one_of_rfc_7636():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("claims", "level"),
    [
        ({"assurance_level": "L2"}, 2),
        ({"assurance_level": "l3"}, 3),
        ({"assurance_level": 1}, 1),
        ({"assurance_level": 2}, 2),
        ({"assurance_level": "3"}, 3),
        ({"acr": "urn:gov:assurance:L2"}, 2),
        ({"acr": "https://id.example/acr/loa3"}, 3),
        ({"acr": "urn:example:ial2"}, 2),
        ({"assurance_level": "L1", "acr": "urn:x:L3"}, 1),
        # What is not understood is the lowest, never the highest.
        ({}, 1),
        ({"assurance_level": None, "acr": "urn:x:L3"}, 1),
        ({"assurance_level": True}, 1),
        ({"assurance_level": 2.0}, 1),
        ({"assurance_level": 22}, 1),
        ({"assurance_level": "L22"}, 1),
        ({"assurance_level": "L4"}, 1),
        ({"assurance_level": "level two"}, 1),
        ({"assurance_level": "Ｌ２"}, 1),
        ({"assurance_level": "L2\n"}, 1),
        ({"assurance_level": ["L3"]}, 1),
        ({"acr": "2012"}, 1),
        ({"acr": "phr3"}, 1),
    ],
)
def test_levels_are_read_narrowly(claims, level):
    assert assurance_level(claims) == level


def test_a_document_counts_from_level_two_on():
    claims = {"document_number": "1", "name": "王小明", "document_type": "passport"}
    assert document_of({**claims, "assurance_level": 1}) is None
    assert document_of({**claims, "assurance_level": 2}).document_type == "passport"
    for missing in ("document_number", "name"):
        assert document_of({**claims, "assurance_level": 2, missing: None}) is None
    assert document_of({**claims, "assurance_level": 2, "document_type": 5}) is None


def test_factors_are_recent_for_five_minutes():
    now = int(NOW.timestamp())
    assert is_recent(now, NOW)
    assert is_recent(now - 300, NOW)
    for wrong in (now - 301, now + 1, None, str(now), float(now), True, []):
        assert not is_recent(wrong, NOW)


def test_a_subject_is_short_and_printable():
    assert is_subject("o6_bmjrPTlm6_2sgVt7hMZOPfL2M")
    for wrong in ("", "x" * 256, "a b", "a\n", "控", 5, None, ["a"]):
        assert not is_subject(wrong)
