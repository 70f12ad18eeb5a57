"""What a check comes to, from what the code proves and what the city knows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from citizen_cloud.credentials.verifier.outcomes import WORDS, Outcome
from citizen_cloud.credentials.verifier.reading import Reading, at
from citizen_cloud.credentials.verifier.showing import Asked, shown
from citizen_cloud.errors import Conflict
from citizen_cloud.text import Text

SHARED = "share"
SOURCES: Mapping[str, str] = {"hc": "device", "ht": "thin", "hp": "paper"}
NOT_HERE = Text(
    "本场所不接受此类码，请用应用出示", "This place does not take codes of this kind; use the app"
)
# A gate that is alone knows of itself only; the city knows of every door.
SHOWN = Text(
    "此码已在本处或别处核验过，请出示新码",
    "Checked already, here or at another door; show a new code",
)


class ScanIdReused(Conflict):
    """A scan id names one scan of one code."""

    code = "scan_id_reused"
    title = Text("扫描编号重复", "Scan id used before")
    detail = Text(
        "该扫描编号已用于另一个码，请生成新的编号。",
        "This scan id was used for another code; draw a new one for each scan.",
    )


@dataclass(frozen=True, kw_only=True)
class Door:
    """What a place asks of the codes it takes; without a place everything is taken."""

    place_id: UUID | None = None
    accepts_thin: bool = True
    accepts_paper: bool = True
    needs_nonce: bool = False

    def takes(self, source: str) -> bool:
        """Return whether codes of a kind are taken at all."""
        return {"thin": self.accepts_thin, "paper": self.accepts_paper}.get(source, True)

    def is_unasked(self, source: str, nonce: bytes | None) -> bool:
        """Return whether a nonce was due and the gate asked for none; paper answers none."""
        return self.needs_nonce and nonce is None and source != "paper"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the issuance record says of a code, as of the instant that counts."""

    is_as_issued: bool
    is_void: bool
    is_key_revoked: bool


def outcome_of(
    reading: Reading, record: Record, door: Door, nonce: bytes | None, when: datetime
) -> Outcome:
    """Say what a code is worth: a gate's own order, and then what only the city knows."""
    claims = reading.claims
    if claims is None:
        return reading.outcome
    if record.is_key_revoked:
        return Outcome.REVOKED
    source = SOURCES[claims.type]
    if not door.takes(source):
        return Outcome.WRONG_TYPE
    outcome = shown(reading, claims, Asked(nonce=nonce, place_id=door.place_id), when)
    if outcome is Outcome.VALID and door.is_unasked(source, nonce):
        outcome = Outcome.WRONG_NONCE
    if outcome is Outcome.VALID:
        outcome = at(claims, when)
    if outcome is not Outcome.VALID:
        return outcome
    # Records of codes that ended long ago are forgotten, hence behind the code's own end.
    if not record.is_as_issued:
        return Outcome.SIGNED_BUT_NOT_ISSUED
    return Outcome.REVOKED if record.is_void else Outcome.VALID


def reason_for(outcome: Outcome, source: str | None) -> Text:
    """Return what the inspector tells the person."""
    if outcome is Outcome.WRONG_TYPE and source is not None:
        return NOT_HERE
    if outcome is Outcome.REPLAYED and source in {"thin", "device"}:
        return SHOWN
    return WORDS[outcome]
