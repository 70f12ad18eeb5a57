"""The way out for texts: an HTTP gateway, or for the embedded run a file of JSON lines."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import httpx

from citizen_cloud.config import Settings, SettingsError

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
DEADLINE_S = 10.0
LONGEST_ANSWER = 65_536
LONGEST_REASON = 60


@dataclass(frozen=True, kw_only=True)
class SmsText:
    """One text. ``dedupe_id`` lets a gateway drop a repeat."""

    to: str
    text: str
    dedupe_id: str


class SenderFailure(Exception):
    """The text may be tried again; ``reason`` holds no phone and no words of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason[:LONGEST_REASON]


class PermanentFailure(SenderFailure):
    """The gateway will never take this text."""


class SmsSender(Protocol):
    """Anything that sends one text or raises ``SenderFailure``."""

    def send(self, sms: SmsText) -> None:
        """Hand one text over."""
        ...


class HttpSms:
    """A gateway that takes ``POST {to, text, dedupe_id}`` with a bearer token.

    2xx with ``{"accepted": true}`` is success; any other 2xx body is not believed. 4xx other than
    408 and 429 is final, everything else is tried again. An answer that is long, or drips for
    more than ten seconds, is none.
    """

    def __init__(self, url: str, token: str | None) -> None:
        # Unpacked answers only: what is read is as long as what was sent.
        headers = {"Accept-Encoding": "identity"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._url = url
        self._client = httpx.Client(timeout=TIMEOUT, headers=headers, follow_redirects=False)

    def send(self, sms: SmsText) -> None:
        """Hand one text to the gateway."""
        try:
            with self._client.stream("POST", self._url, json=asdict(sms)) as answer:
                content = _read(answer)
        except httpx.HTTPError as error:
            raise SenderFailure(type(error).__name__) from error
        if answer.is_success and _is_accepted(content):
            return
        is_final = answer.is_client_error and answer.status_code not in (
            httpx.codes.REQUEST_TIMEOUT,
            httpx.codes.TOO_MANY_REQUESTS,
        )
        kind = PermanentFailure if is_final else SenderFailure
        raise kind(f"gateway answered {answer.status_code}")


def _read(answer: httpx.Response) -> bytes:
    deadline = time.monotonic() + DEADLINE_S
    content = b""
    for chunk in answer.iter_raw():
        content += chunk
        if len(content) > LONGEST_ANSWER or time.monotonic() > deadline:
            raise SenderFailure("gateway answered without end")
    return content


def _is_accepted(content: bytes) -> bool:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and answer.get("accepted") is True


class LogSms:
    """Appends one JSON line a text to a file only its owner reads; for the embedded run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, sms: SmsText) -> None:
        """Append one line; the lock keeps lines of several workers whole."""
        line = json.dumps(asdict(sms), ensure_ascii=False) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            # Codes stand in it: also a file that was there before is the owner's alone.
            os.fchmod(file.fileno(), 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line)

    def forget(self, phone: str) -> int:
        """Take out every line to a phone; return how many. Other lines stay byte for byte."""
        if not self._path.exists():
            return 0
        with self._path.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            lines = file.readlines()
            kept = [line for line in lines if json.loads(line)["to"] != phone]
            file.seek(0)
            file.writelines(kept)
            file.truncate()
        return len(lines) - len(kept)


def forget(phone: str) -> None:
    """Forget what was texted to a phone, where texts end in a file of ours and not at a gateway."""
    for sender in _installed:
        if isinstance(sender, LogSms):
            sender.forget(phone)


def from_settings(settings: Settings) -> SmsSender:
    """Return the sender of an installation: the gateway where one is named, else the file."""
    if settings.sms_url is not None:
        return HttpSms(settings.sms_url, settings.sms_token)
    if settings.is_production or settings.sms_log is None:
        message = "CITIZEN_CLOUD_SMS_URL is needed to send texts"
        raise SettingsError(message)
    return LogSms(settings.sms_log)


_installed: list[SmsSender] = []


def install(sender: SmsSender) -> None:
    """Make a sender the process's own."""
    _installed[:] = [sender]


def current() -> SmsSender:
    """Return the process's sender; only the job worker has one."""
    return _installed[0]
