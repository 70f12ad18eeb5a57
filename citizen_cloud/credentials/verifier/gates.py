"""A gate: what it asks of a code, and the whole decision with every server stopped."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from citizen_cloud.credentials.claims import Claims
from citizen_cloud.credentials.proofs import LONGEST_NONCE
from citizen_cloud.credentials.verifier import memory
from citizen_cloud.credentials.verifier.outcomes import Outcome
from citizen_cloud.credentials.verifier.reading import SKEW, Reading, at, unfold
from citizen_cloud.credentials.verifier.showing import Asked, shown
from citizen_cloud.credentials.verifier.snapshots import Snapshot, SnapshotInvalid

HEALTH_CODES = frozenset({"hc", "ht", "hp"})
MAX_AGE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a gate accepts. With a nonce it refuses every code that is not bound to it."""

    place_id: UUID | None = None
    nonce: bytes | None = None
    types: frozenset[str] = HEALTH_CODES
    # How old the status list may be; after that nobody is let in on its word.
    max_age: timedelta = MAX_AGE

    def __post_init__(self) -> None:
        """Refuse what no phone could answer. Raises ``ValueError``: at the start, not at a scan."""
        if self.nonce is not None and not 1 <= len(self.nonce) <= LONGEST_NONCE:
            raise ValueError(f"a nonce is 1 to {LONGEST_NONCE} bytes")

    def asked(self) -> tuple[bytes, ...]:
        """Return what of it decides whether a code passes, beside the code."""
        place = self.place_id.bytes if self.place_id else b""
        return (self.nonce or b"", place, ",".join(sorted(self.types)).encode())


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer. Colour and name are there only where the code is valid.

    ``as_of`` is when the colour was written into the code, ``status_as_of`` the age of the
    snapshot it was checked against. ``jti`` and ``step`` are known once the signature is proven.
    """

    outcome: Outcome
    status_as_of: datetime
    type: str | None = None
    colour: str | None = None
    name: str | None = None
    as_of: datetime | None = None
    jti: UUID | None = None
    step: int | None = None


def _seen() -> memory.Recent[memory.Showing, bool]:
    return memory.Recent(kept=memory.REPLAY_WINDOW, most=memory.MOST_SEEN)


def _answers() -> memory.Recent[memory.Scan, Verdict]:
    return memory.Recent(kept=memory.ANSWERS_KEPT, most=memory.MOST_ANSWERS)


@dataclass
class OfflineVerifier:
    """One verifier with its memory. Not for several threads at once."""

    snapshot: Snapshot
    gate: Gate = field(default_factory=Gate)
    seen: memory.Recent[memory.Showing, bool] = field(default_factory=_seen)
    answers: memory.Recent[memory.Scan, Verdict] = field(default_factory=_answers)

    def renew(self, snapshot: Snapshot) -> None:
        """Go by a newer snapshot. Raises ``SnapshotInvalid`` for an older one."""
        if snapshot.number < self.snapshot.number:
            raise SnapshotInvalid("older than the one held here")
        self.snapshot = snapshot

    def check(self, text: str, *, now: datetime, scan_id: str | None = None) -> Verdict:
        """Say what a scanned text is worth here and now. Never raises, whatever the text.

        A repeated ``scan_id`` of the same text repeats its answer: a scanner that tries again is
        no second visitor.
        """
        asked = self.gate.asked()
        key = memory.scan_key(scan_id, text, asked) if scan_id is not None else None
        before = self.answers.get(key, now) if key is not None else None
        if before is not None:
            return before
        verdict = self._decide(text, now)
        if key is not None:
            self.answers.put(key, verdict, now)
        return verdict

    def _decide(self, text: str, now: datetime) -> Verdict:
        known = self.snapshot
        reading = unfold(
            text, types=self.gate.types, keys=known.keys, revoked=known.revoked_keys.keys()
        )
        claims = reading.claims
        if claims is None:
            return Verdict(outcome=reading.outcome, status_as_of=known.issued_at)
        step = reading.proof.step if reading.proof else None
        outcome = self._outcome(reading, claims, now)
        if outcome is Outcome.VALID:
            outcome = self._first_time(memory.showing_key(claims.jti, step), now)
        is_valid = outcome is Outcome.VALID
        return Verdict(
            outcome=outcome,
            status_as_of=known.issued_at,
            type=claims.type,
            colour=claims.colour if is_valid else None,
            name=claims.name if is_valid else None,
            as_of=claims.issued_at,
            jti=claims.jti,
            step=step,
        )

    def _outcome(self, reading: Reading, claims: Claims, now: datetime) -> Outcome:
        """Go through what can be wrong, in the order a clerk should hear it."""
        asked = Asked(nonce=self.gate.nonce, place_id=self.gate.place_id)
        outcome = shown(reading, claims, asked, now)
        if outcome is Outcome.VALID:
            outcome = at(claims, now)
        if outcome is not Outcome.VALID:
            return outcome
        if self.snapshot.is_void(claims.jti) or self.snapshot.is_ended(claims):
            return Outcome.REVOKED
        return Outcome.VALID if self._is_fresh(now) else Outcome.STALE_STATUS

    def _is_fresh(self, now: datetime) -> bool:
        """Say whether the snapshot counts; one from the future shows that the clock is wrong."""
        return -SKEW <= now - self.snapshot.issued_at <= self.gate.max_age

    def _first_time(self, showing: memory.Showing, now: datetime) -> Outcome:
        if self.seen.get(showing, now):
            return Outcome.REPLAYED
        self.seen.put(showing, True, now)  # noqa: FBT003 - that it was seen is all there is
        return Outcome.VALID
