"""Consent receipts as programs read them."""

from typing import Any

from citizen_cloud.accounts.rules.consents import PURPOSES
from citizen_cloud.web.fields import Both, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Outgoing, page_of

SCHEMA_VERSION = "ISO-27560-TS"
STATES = ("given", "withdrawn", "refused")


class ReceiptPurposeSchema(Outgoing):
    """What was agreed to, in the version that was shown."""

    purpose_id = Str(max_length=32, metadata={"example": "real_name"})
    version = Int(minimum=1, metadata={"example": 1})
    title = Both(metadata={"example": {"zh": "实名认证", "en": "Real-name verification"}})
    lawful_basis = OneOf("consent")
    pii_categories = ListOf(Both(), max_length=20)


class ReceiptNoticeSchema(Outgoing):
    """The words that were shown, by their fingerprint."""

    digest_algorithm = OneOf("sha-256")
    digest = Str(
        max_length=64,
        allow_none=True,
        metadata={
            "description": "Of `[purpose, version, title zh, en, text zh, en]` as JSON; null where "
            "another version than the present one was withdrawn, or for receipts made up later",
            "example": "5f" * 32,
        },
    )


class ConsentReceiptSchema(Outgoing):
    """One answer to one purpose; the names follow ISO/IEC TS 27560."""

    record_id = Uuid()
    schema_version = OneOf(SCHEMA_VERSION)
    event_state = OneOf(*STATES, metadata={"example": "given"})
    event_time = Instant()
    consent_method = OneOf(
        "app",
        "counter",
        "before_receipts",
        metadata={
            "description": "`before_receipts`: written later from what was stored",
            "example": "app",
        },
    )
    withdrawn_at = Instant(allow_none=True)
    pii_controller = Both(metadata={"example": {"zh": "市民云运营机构", "en": "The operator"}})
    purpose = Part(ReceiptPurposeSchema)
    notice = Part(ReceiptNoticeSchema)


ConsentReceiptPageSchema = page_of(ConsentReceiptSchema)


def receipt_json(row: dict[str, Any]) -> dict[str, Any]:
    """Return what ``ConsentReceiptSchema`` dumps."""
    purpose = PURPOSES[row["purpose"]]
    given = "given" if row["withdrawn_at"] is None else "withdrawn"
    return {
        "record_id": row["id"],
        "schema_version": SCHEMA_VERSION,
        "event_state": given if row["granted"] else "refused",
        "event_time": row["at"],
        "consent_method": row["method"],
        "withdrawn_at": row["withdrawn_at"],
        "pii_controller": purpose.controller.as_json(),
        "purpose": {
            "purpose_id": purpose.name,
            "version": row["version"],
            "title": purpose.title.as_json(),
            "lawful_basis": "consent",
            "pii_categories": [each.as_json() for each in purpose.categories],
        },
        "notice": {"digest_algorithm": "sha-256", "digest": row["text_digest"]},
    }
