"""Take what an authority system reports: signed, counted, row by row, all or nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import clock, crypto
from citizen_cloud.accounts.refusals import IdNumberInvalid, NameInvalid
from citizen_cloud.accounts.rules.documents import DOCUMENT_TYPES
from citizen_cloud.accounts.services import real_name
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.jobs.services import announce
from citizen_cloud.modules.health_code.queries.batches import BatchRow, batch, of_reference
from citizen_cloud.modules.health_code.rules import signatures
from citizen_cloud.modules.health_code.rules.batches import Fact, Fault, Report, Row, fact_of
from citizen_cloud.modules.health_code.rules.power_refusals import (
    BatchRejected,
    BatchReused,
    SignatureWrong,
)
from citizen_cloud.modules.health_code.services.power.alarms import Alarm, ring
from citizen_cloud.modules.health_code.services.reports import placing, releasing, sources
from citizen_cloud.modules.health_code.services.reports.reported import Reported
from citizen_cloud.modules.health_code.services.reports.sources import Registered
from citizen_cloud.text import Language


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A batch as it came. ``content`` is what was signed: the JSON body, or the file."""

    account_id: UUID
    reference: str
    content: bytes
    signature: str
    rows: Sequence[Row] = field(repr=False)
    # Rows that could not even be taken apart
    broken: Sequence[Fault] = ()
    partial: bool = False
    language: Language = "zh"

    @property
    def signed(self) -> bytes:
        """Return what the source put its name to."""
        return signatures.message(self.reference, self.content, partial=self.partial)


def take(session: Session, sent: Sent, *, now: datetime | None = None) -> BatchRow:
    """Take what the rows say, or have it wait for two approvers above the source's cap.

    Whom the rows name is looked up later (``placing``), so that neither the answer nor the time
    it takes tells whether somebody lives here. The same batch again is the same answer. Raises
    ``NoSource``, ``SignatureWrong``, ``BatchReused``, and ``BatchRejected`` with the report where
    a row is wrong and ``partial`` was not asked for; then nothing at all is changed.
    """
    source = authenticated(session, sent)
    sources.lock(session, source.id)
    digest = crypto.current().lasting_hash("health_code.batch", sent.signed.hex())
    known = of_reference(session, source_id=source.id, reference=sent.reference)
    if known is not None:
        if known.content_hash != digest:
            raise BatchReused
        return known
    at = now or session.execute(text("SELECT statement_timestamp()")).scalar_one()
    read = _read(sent, source, at)
    if read.report.faults and not sent.partial:
        raise _rejected(read.report, sent.language, source)
    return _keep(session, source, sent.reference, digest, read, at)


def authenticated(session: Session, sent: Sent) -> Registered:
    """Return the source whose key signed it. Raises ``NoSource``, ``SignatureWrong``, which rings.

    For a file this comes before anything of it is read.
    """
    source = sources.source_of(session, sent.account_id)
    is_genuine = signatures.is_signed(
        algorithm=source.algorithm,
        public_key=source.public_key,
        signature=signatures.decoded(sent.signature) or b"",
        signed=sent.signed,
    )
    if not is_genuine:
        alarm = Alarm(
            what="signature_invalid",
            actor_kind="service",
            actor_id=source.account_id,
            unit_id=source.unit_id,
            facts={"source_id": str(source.id)},
        )
        raise SignatureWrong().but_record(partial(ring, alarm=alarm))
    return source


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What the rows say, and what became of each."""

    report: Report
    reported: Sequence[Reported]


def _read(sent: Sent, source: Registered, now: datetime) -> _Read:
    report = Report(rows_in=len(sent.rows) + len(sent.broken), faults=list(sent.broken))
    today, read = clock.local_day(now), dict[tuple[Any, ...], Reported]()
    for row in sent.rows:
        fact = fact_of(row, kinds=source.kinds, now=now)
        if isinstance(fact, Fault):
            report.faults.append(fact)
            continue
        claim = _claim(fact, today)
        if isinstance(claim, Fault):
            report.faults.append(claim)
            continue
        one = Reported.of(fact, claim)
        key = (one.trace, one.kind, one.occurred_at)
        if key in read:
            report.faults.append(Fault(row=row.number, field=None, code="repeated"))
        else:
            read[key] = one
    return _Read(report=report, reported=list(read.values()))


def _claim(fact: Fact, today: Any) -> Claim | Fault:
    cells, number = fact.row.cells, fact.row.number
    if cells["document_type"] not in DOCUMENT_TYPES:
        return Fault(row=number, field="document_type", code="document_invalid")
    try:
        return real_name.claim(
            document_type=cells["document_type"],
            number=cells["document_number"],
            name=cells["name"],
            today=today,
        )
    except IdNumberInvalid:
        return Fault(row=number, field="document_number", code="document_invalid")
    except NameInvalid:
        return Fault(row=number, field="name", code="name_invalid")


def _rejected(report: Report, language: Language, source: Registered) -> BatchRejected:
    """Return the refusal with its report, and keep that it was asked."""
    refusal = BatchRejected(rejected=report.rejected, report=_shown(report, language))
    facts = {"rows_in": report.rows_in, "rejected": report.rejected}
    return refusal.but_record(partial(record, act=_act(source, "refused", None, facts)))


def _shown(report: Report, language: Language) -> dict[str, Any]:
    return {
        "rows_in": report.rows_in,
        "accepted": report.accepted,
        "rejected": report.rejected,
        "errors": [Fault(**fault).as_json(language) for fault in report.stored()["errors"]],
    }


# What waited for approvers was not sent on the source's own word.
_WITHIN_HOUR = text(
    """
    SELECT coalesce(sum(accepted), 0) FROM health_code.batch
     WHERE source_id = :source_id AND status IN ('received','applied')
       AND received_at > cast(:now AS timestamptz) - interval '1 hour'
    """
)
_KEEP = text(
    """
    INSERT INTO health_code.batch
           (id, source_id, reference, content_hash, rows_in, accepted, rejected, report, status,
            rows_sealed, received_at)
    VALUES (:id, :source_id, :reference, :digest, :rows_in, :accepted, :rejected,
            cast(:report AS jsonb), :status, :rows, :now)
    """
)


def _keep(  # noqa: PLR0917 - one row's worth
    session: Session,
    source: Registered,
    reference: str,
    digest: bytes,
    read: _Read,
    now: datetime,
) -> BatchRow:
    report, reported = read.report, read.reported
    asked = {"source_id": source.id, "now": now}
    before = int(session.execute(_WITHIN_HOUR, asked).scalar_one())
    is_within = before + len(reported) <= source.cap_per_hour
    batch_id = new_id()
    facts = {
        **asked,
        "id": batch_id,
        "reference": reference,
        "digest": digest,
        "rows_in": report.rows_in,
        "accepted": report.accepted,
        "rejected": report.rejected,
        "report": json.dumps(report.stored()),
        "status": "received" if is_within else "waiting",
        "rows": placing.sealed(batch_id, reported),
    }
    session.execute(_KEEP, facts)
    record(session, _act(source, "received", batch_id, facts))
    if is_within:
        announce(session, placing.RECEIVED, {"batch_id": batch_id})
    else:
        releasing.ask(session, batch_id=batch_id, source=source, reference=reference, now=now)
    return batch(session, batch_id)


def _act(source: Registered, verb: str, batch_id: UUID | None, facts: dict[str, Any]) -> Act:
    names = ("rows_in", "accepted", "rejected", "status")
    return Act(
        actor_kind="service",
        actor_id=source.account_id,
        action=f"health_code.batch_{verb}",
        object_type="batch",
        object_id=batch_id,
        organisation_id=source.unit_id,
        payload={"source_id": source.id, **{n: facts[n] for n in names if n in facts}},
    )
