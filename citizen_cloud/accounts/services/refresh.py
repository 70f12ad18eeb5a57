"""Pass a refresh token on, once; its reuse ends the family."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import refresh_tokens
from citizen_cloud.accounts.refresh_tokens import RefreshToken
from citizen_cloud.accounts.refusals import AccountSuspended, RefreshInvalid
from citizen_cloud.accounts.rules.lifetimes import REFRESH_REPEAT
from citizen_cloud.accounts.services import devices, sign_ins
from citizen_cloud.accounts.services.devices import SIGN_INS_ENDED, DeviceProof, Registered
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.audit.services import record
from citizen_cloud.errors import Refusal
from citizen_cloud.jobs.services import announce

_LOCK = text(
    """
    SELECT s.account_id, s.device_id, s.refresh_number, s.refresh_hash, s.rotated_at, s.expires_at,
           a.kind, a.status, d.secret_hash, t,
           s.revoked_at IS NULL AND d.removed_at IS NULL AND a.status <> 'closed'
             AND s.expires_at > t AND (s.idle_expires_at IS NULL OR s.idle_expires_at > t)
             AS is_live
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           accounts.sign_in s
      JOIN accounts.account a ON a.id = s.account_id
      JOIN accounts.device d ON d.id = s.device_id
     WHERE s.id = :id FOR UPDATE OF s
    """
)
_ROTATE = text(
    """
    UPDATE accounts.sign_in SET refresh_number = :number, refresh_hash = :hash, rotated_at = :t
     WHERE id = :id
    """
)
_SEEN = text("UPDATE accounts.device SET last_seen_at = :t WHERE id = :id")


def refresh(
    session: Session,
    *,
    token: str,
    device: DeviceProof | None = None,
    now: datetime | None = None,
) -> Issued | Refusal:
    """Exchange a refresh token for its successor.

    The row lock makes parallel refreshes queue; the later ones find themselves one step behind
    and get the same successor. Reuse after 30 s, or from another device, revokes the family: this
    must be kept, so the refusal is returned and the route raises it after the commit. A request
    without a device proof counts as the device the token was given to.
    """
    sent = refresh_tokens.parse(token)
    row = _locked(session, sent, now)
    if sent is None or row is None or not row["is_live"]:
        return RefreshInvalid()
    number, stored = row["refresh_number"], bytes(row["refresh_hash"])
    is_present = sent.number == number and crypto.same(sent.hash, stored)
    after = None if is_present else refresh_tokens.present(sent, number=number, stored=stored)
    if not is_present and after is None:
        return RefreshInvalid()
    is_elsewhere = device is not None and not _is_same_device(row, device)
    if is_elsewhere or (after is not None and not _is_lost_answer(sent, row)):
        return _revoke_reused(session, sent, row, now)
    return _granted(row, after or _rotate(session, sent, row))


def _locked(session: Session, sent: RefreshToken | None, now: datetime | None) -> RowMapping | None:
    if sent is None:
        return None
    return session.execute(_LOCK, {"id": sent.sign_in_id, "now": now}).mappings().first()


def _is_lost_answer(sent: RefreshToken, row: RowMapping) -> bool:
    is_last = sent.number == row["refresh_number"] - 1
    return bool(is_last and row["t"] - row["rotated_at"] <= REFRESH_REPEAT)


def _is_same_device(row: RowMapping, device: DeviceProof) -> bool:
    is_secret = crypto.same(devices.secret_hash(device.secret), bytes(row["secret_hash"]))
    return bool(device.id == row["device_id"]) and is_secret


def _rotate(session: Session, sent: RefreshToken, row: RowMapping) -> RefreshToken:
    after = refresh_tokens.successor(sent)
    changed = {"id": sent.sign_in_id, "number": after.number, "hash": after.hash, "t": row["t"]}
    session.execute(_ROTATE, changed)
    session.execute(_SEEN, {"id": row["device_id"], "t": row["t"]})
    return after


def _granted(row: RowMapping, after: RefreshToken) -> Issued | Refusal:
    if row["status"] == "suspended":
        return AccountSuspended()
    left_s = max(1, int((row["expires_at"] - row["t"]).total_seconds()))
    device = Registered(id=row["device_id"])
    return sign_ins.issued(
        after, account_id=row["account_id"], device=device, now=row["t"], seconds=left_s
    )


def _revoke_reused(
    session: Session, sent: RefreshToken, row: RowMapping, now: datetime | None
) -> Refusal:
    sign_ins.revoke(session, sign_in_id=sent.sign_in_id, reason="refresh_reused", now=now)
    announce(session, SIGN_INS_ENDED, {"account_id": row["account_id"]}, lane="urgent")
    facts = {"number": sent.number, "present": row["refresh_number"]}
    act = sign_ins.act("refresh_reused", "stranger", row["account_id"], sent.sign_in_id, facts)
    record(session, act)
    return RefreshInvalid()
