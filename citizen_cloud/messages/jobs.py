"""What the room does by itself: texts go out, one-time codes among them; old news is forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.rules.lifetimes import OTP_LIFE
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Event
from citizen_cloud.messages import senders
from citizen_cloud.messages.models import Delivery, Message
from citizen_cloud.messages.senders import PermanentFailure, SenderFailure, SmsSender
from citizen_cloud.messages.services.deliveries import Due, Outcome, claim_due, queue_text, settle
from citizen_cloud.text import Text

# Three rounds of a gateway that answers at the last moment end well within the claim.
BATCH = 24
AT_ONCE = 8
KEEP_DAYS = 365
OTP_WORDS = Text(
    "【市民云】验证码 {code}，5 分钟内有效。请勿告诉任何人。",
    "[Citizen Cloud] Your code is {code}, valid for 5 minutes. Tell nobody.",
)

log = structlog.get_logger(__name__)


def text_one_time_code(session: Session, event: Event, now: datetime) -> None:
    """Turn a requested code into a text that is dropped when the code has expired."""
    del now
    if event.secret is None:
        return
    words = OTP_WORDS.in_language(event.secret.get("language", "zh"))
    queue_text(
        session,
        phone=event.secret["phone"],
        words=words.format(code=event.secret["code"]),
        kind=event.name,
        key=f"{event.name}:{event.id}",
        until=event.created_at + OTP_LIFE,
    )


def deliver_due(now: datetime) -> int:
    """Send the texts that are due; return how many were taken up.

    Claimed in one transaction, sent outside any, settled in another: a slow gateway holds no
    lock, and holds up few. At least once: the gateway tells repeats apart by the dedupe id.
    """
    del now
    with db.transaction() as session:
        claimed = claim_due(session, most=BATCH)
    if not claimed:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(claimed))) as pool:
        outcomes = list(pool.map(partial(_attempt, senders.current()), claimed))
    with db.transaction() as session:
        settle(session, list(zip(claimed, outcomes, strict=True)))
    return len(claimed)


def _attempt(sender: SmsSender, due: Due) -> Outcome:
    """Try one text. Never raises: one bad text must not keep the others."""
    if due.is_expired:
        return Outcome(status="expired")
    if due.sms is None:
        return Outcome(status="failed", error="undecryptable")
    try:
        sender.send(due.sms)
    except PermanentFailure as error:
        log.warning("sms_refused", kind=due.kind, reason=error.reason)
        return Outcome(status="failed", error=error.reason)
    except Exception as error:  # noqa: BLE001 - a full disk as well as a gateway's whim
        reason = error.reason if isinstance(error, SenderFailure) else type(error).__name__
        log.warning("sms_put_off", kind=due.kind, attempts=due.attempts, reason=reason)
        return Outcome(status="later", error=reason)
    return Outcome(status="sent")


def forget_old(now: datetime) -> int:
    """Delete messages and deliveries that are older than a year; return how many."""
    oldest = now - timedelta(days=KEEP_DAYS)
    with db.transaction() as session:
        counts = [
            rows_changed(session, delete(table).where(table.created_at < oldest))
            for table in (Message, Delivery)
        ]
    return sum(counts)
