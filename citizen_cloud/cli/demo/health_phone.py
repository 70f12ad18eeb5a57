"""A phone as the app has it: a device key, a show key per code, and showing without a server."""

from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.compact import pack_shown

Key = ec.EllipticCurvePrivateKey
HALF = 32


def _point(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _signed(key: Key, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big")


class Phone:
    """One phone; its keys never leave it."""

    def __init__(self) -> None:
        self._device_key = ec.generate_private_key(ec.SECP256R1())
        self._show_key = ec.generate_private_key(ec.SECP256R1())

    def registration(self, challenge: str) -> dict[str, str]:
        """Return the public key, and the proof that it is held."""
        point = _point(self._device_key)
        message = proofs.device_message(proofs.from_text(challenge), point)
        return {
            "public_key": proofs.to_text(point),
            "proof": proofs.to_text(_signed(self._device_key, message)),
        }

    def asking(self) -> dict[str, str]:
        """Return the show key, signed for by the device key."""
        point = _point(self._show_key)
        proof = _signed(self._device_key, proofs.key_message(point))
        return {"show_key": proofs.to_text(point), "proof": proofs.to_text(proof)}

    def show(self, credential: str, at: datetime, *, nonce: bytes, place_id: UUID) -> str:
        """Return what the screen draws now, bound to a gate's number and its place."""
        step = int(at.timestamp()) // proofs.STEP_S
        message = proofs.show_message("hc", credential, step, nonce=nonce, place_id=place_id)
        signature = _signed(self._show_key, message)
        return pack_shown(
            credential, step=step, signature=signature, nonce=nonce, place_id=place_id
        )
