"""What routes with codes share: drawing and sending one, and keeping what a refusal counts."""

import secrets
from typing import Any, TypeVar

from citizen_cloud import db
from citizen_cloud.accounts.refusals import SmsPaused
from citizen_cloud.accounts.rules.lifetimes import OTP_DIGITS
from citizen_cloud.accounts.rules.networks import network_of
from citizen_cloud.accounts.services import otp, sms_spend
from citizen_cloud.errors import Refusal
from citizen_cloud.web.context import address, language

Given = TypeVar("Given")


def network() -> str:
    """Return the network this request comes from."""
    return network_of(address())


def send_code(**facts: Any) -> otp.Challenge:
    """Draw a code and send it; ``facts`` are those of ``otp.request_code``.

    A spent budget is alarming, and the alarm must not be undone with the request.
    """
    code = f"{secrets.randbelow(10**OTP_DIGITS):0{OTP_DIGITS}d}"
    try:
        with db.transaction() as session:
            return otp.request_code(session, code=code, language=language(), **facts)
    except SmsPaused:
        with db.transaction() as session:
            sms_spend.raise_alarm(session)
        raise


def given(outcome: Given | Refusal) -> Given:
    """Raise a refusal only here, after the transaction that counted it."""
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome
