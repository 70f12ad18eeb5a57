"""Whether a credential is shown by the phone it was issued to, now, here, to this gate."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.claims import PROVEN, Claims
from citizen_cloud.credentials.compact import Proof
from citizen_cloud.credentials.verifier.outcomes import Outcome
from citizen_cloud.credentials.verifier.reading import Reading


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a gate asks a showing to be bound to."""

    nonce: bytes | None = None
    place_id: UUID | None = None


def shown(reading: Reading, claims: Claims, asked: Asked, now: datetime) -> Outcome:
    """Say whether a showing counts at this gate; ``reading`` is one that ``unfold`` accepted."""
    if claims.type in PROVEN:
        if reading.proof is None or claims.show_key is None:
            # The credential alone: what a thief of the phone's files would have.
            return Outcome.WRONG_DEVICE
        return _proven(reading.jws, reading.proof, claims.type, claims.show_key, asked, now)
    # Without a proof nothing can answer the gate's nonce.
    return Outcome.WRONG_NONCE if asked.nonce else Outcome.VALID


def _proven(  # noqa: PLR0917 - one showing
    jws: str, proof: Proof, type_: str, show_key: bytes, asked: Asked, now: datetime
) -> Outcome:
    other = _bound_elsewhere(proof, asked)
    if other is None:
        message = proofs.show_message(
            type_,
            jws,
            proof.step,
            nonce=asked.nonce if proof.nonce_hint is not None else None,
            place_id=asked.place_id if proof.place_hint is not None else None,
        )
        if not proofs.is_signed(show_key, proof.signature, message):
            return Outcome.WRONG_DEVICE
    if not proofs.is_current(proof.step, now):
        return Outcome.STALE_PROOF
    if other is None and asked.nonce and proof.nonce_hint is None:
        return Outcome.WRONG_NONCE
    return other or Outcome.VALID


def _bound_elsewhere(proof: Proof, asked: Asked) -> Outcome | None:
    """Say what the showing is bound to that this gate did not ask for.

    Such a one cannot be checked here: the gate does not know what was signed. The hints refuse;
    they never accept, so a false one gains nothing.
    """
    if proof.nonce_hint is not None and not (
        asked.nonce and proofs.hint(asked.nonce) == proof.nonce_hint
    ):
        return Outcome.WRONG_NONCE
    if proof.place_hint is not None and not (
        asked.place_id and proofs.hint(asked.place_id.bytes) == proof.place_hint
    ):
        return Outcome.WRONG_VENUE
    return None
