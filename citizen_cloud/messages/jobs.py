"""What the messages room does on events: one-time codes become texts."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import queue_text
from citizen_cloud.text import Text

OTP_WORDS = Text(
    "【市民云】验证码 {code}，5 分钟内有效。请勿告诉任何人。",
    "[Citizen Cloud] Your code is {code}, valid for 5 minutes. Tell nobody.",
)
OTP_LIFE = timedelta(minutes=5)


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
