from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from citizen_cloud.accounts.rules import totp
from citizen_cloud.accounts.rules.lifetimes import LIFETIMES, lock_after
from citizen_cloud.accounts.rules.passwords import common_passwords, may_be_password

NOW = datetime(2026, 3, 2, 1, 0, 15, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXP" * 2


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "四月的风吹过海边", "x" * 64, "Zq8!mmk2", "é" * 9, " " * 9],
)
def test_a_long_uncommon_password_needs_no_other_quality(password):
    assert may_be_password(password, username="li.wei")


@pytest.mark.parametrize(
    "password",
    [
        "short12",
        "x" * 129,
        "password",
        "PASSWORD1",
        "woaini1314",
        "12345678",
        "li.weili",
        "Li.WeiLi",
    ],
)
def test_short_endless_common_and_own_names_are_no_passwords(password):
    assert not may_be_password(password, username="li.weili")


def test_the_list_holds_the_three_thousand_commonest():
    assert len(common_passwords()) >= 3000


def test_staff_and_admins_end_when_idle_and_citizens_do_not():
    assert LIFETIMES["citizen"].total == timedelta(days=30)
    assert LIFETIMES["citizen"].idle is None
    assert (LIFETIMES["staff"].total, LIFETIMES["staff"].idle) == (
        timedelta(hours=12),
        timedelta(minutes=30),
    )
    assert (LIFETIMES["admin"].total, LIFETIMES["admin"].idle) == (
        timedelta(hours=8),
        timedelta(minutes=15),
    )


def test_failures_pause_an_account_for_longer_and_longer():
    assert lock_after(4) is None
    assert [lock_after(n) / timedelta(minutes=1) for n in (5, 6, 7, 8, 9, 50)] == [
        1,
        2,
        4,
        8,
        15,
        15,
    ]


def test_a_code_belongs_to_its_step_or_a_neighbour():
    generator = pyotp.TOTP(SECRET)
    present = int(NOW.timestamp()) // 30
    for away in (-1, 0, 1):
        code = generator.generate_otp(present + away)
        assert totp.step_of(SECRET, code, NOW) == present + away
    for away in (-3, -2, 2, 3):
        assert totp.step_of(SECRET, generator.generate_otp(present + away), NOW) is None


def test_the_enrolment_address_names_issuer_and_user():
    uri = totp.enrolment_uri(SECRET, "li.wei")
    assert uri.startswith("otpauth://totp/")
    assert SECRET in uri
    assert "li.wei" in uri
