"""The proof that a module and what it held are gone: counts, what stays and why, names nobody."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import present_head, seal
from citizen_cloud.credentials import statements
from citizen_cloud.credentials.services import revoked_keys
from citizen_cloud.credentials.verifier import Keys
from citizen_cloud.errors import NotFound
from citizen_cloud.privacy.owners import Ending
from citizen_cloud.registry import purging
from citizen_cloud.registry.discovery import NAME
from citizen_cloud.registry.purging import Purge
from citizen_cloud.text import Text

TYPE = "destruction-certificate"
ISSUER = "citizen-cloud"
KEPT = (
    Text(
        "审计记录中何时由谁做了何事,不含所涉的人",
        "The audit trail: who did what when, without whom it was about",
    ),
    Text(
        "审批记录中谁同意了某一事项及其摘要值,不含内容",
        "Who agreed to proposals, with their digest, without what they said",
    ),
    Text(
        "账号、实名信息与代办关系,属于全部服务",
        "Accounts, identities and who may act for whom, which belong to all services",
    ),
    Text(
        "重复提交审批事项时的应答(至多一天)、换发凭证的内部通知(仅含编号,至多一周)",
        "Answers to repeated proposals, a day at most; news of codes issued anew, ids only, a week",
    ),
    Text(
        "哪些类型的码已随服务终止及其时间,供核验点拒收",
        "Which types of codes ended with the service, and when: every verifier refuses them by it",
    ),
    Text("备份中的副本,至备份到期", "Copies in backups, until those are over"),
)


def destruction_certificate(session: Session, ending: Ending, purge: Purge) -> tuple[str, datetime]:
    """Sign what went and what stays, with the head of the audit chain; return it and the time."""
    seal(session)
    head = present_head(session)
    now: datetime = session.execute(text("SELECT statement_timestamp()")).scalar_one()
    counts = {name: count for name, count in purge.progress.items() if "." in name}
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "jti": str(purge.id),
        "iat": int(now.timestamp()),
        "module": ending.name,
        "title": ending.title.as_json(),
        "approval": str(purge.approval_id),
        "ordered_at": int(purge.ordered_at.timestamp()),
        "erased": [{"what": name, "rows": count} for name, count in sorted(counts.items())],
        "kept": [each.as_json() for each in (*KEPT, *ending.sunset.kept)],
        "audit_head": None if head is None else {"number": head.number, "hash": head.hash.hex()},
    }
    return statements.sign(claims, type=TYPE, revoked=revoked_keys(session)), now


def certificate_of(session: Session, module: str) -> dict[str, Any]:
    """Return the certificate of a module that is gone. Raises ``NotFound``."""
    # What names no module, a NUL for one, must not reach the database.
    purge = purging.purge_of(session, module) if NAME.fullmatch(module) else None
    if purge is None or purge.certificate is None:
        raise NotFound
    return {
        "module": module,
        "finished_at": purge.finished_at,
        "certificate": purge.certificate,
    }


def read_destruction(text_form: str, *, keys: Keys) -> dict[str, Any]:
    """Return what a genuine certificate says. Raises ``statements.StatementInvalid``."""
    return statements.read(text_form.strip(), type=TYPE, keys=keys)
