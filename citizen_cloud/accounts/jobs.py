"""Scheduled work of the accounts room."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.db import rows_changed

# A code is over after five minutes and a day's counters after that day; sign-ins and resets are
# kept as long as logs must be (Cybersecurity Law: six months), looks at people as long as
# assessments of the handling of their data (PIPL article 56).
_FORGET = (
    text("DELETE FROM accounts.otp_challenge WHERE expires_at < :now - interval '1 day'"),
    text("DELETE FROM accounts.otp_day WHERE day_on < cast(:now AS date) - 3"),
    text("DELETE FROM accounts.network_hour WHERE hour_at < :now - interval '1 day'"),
    text("DELETE FROM accounts.sms_hour WHERE hour_at < :now - interval '1 day'"),
    text("DELETE FROM accounts.sign_in WHERE expires_at < :now - interval '183 days'"),
    text("DELETE FROM accounts.reset WHERE expires_at < :now - interval '183 days'"),
    text("DELETE FROM accounts.binding WHERE expires_at < :now AND bound_at IS NULL"),
    text("DELETE FROM accounts.data_access WHERE at < :now - interval '3 years'"),
)


def forget_codes(now: datetime) -> int:
    """Delete codes, counters and sign-ins whose time is over; return how many."""
    with db.transaction() as session:
        return sum(rows_changed(session, each, {"now": now}) for each in _FORGET)
