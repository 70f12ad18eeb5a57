"""A phone as the app has it: a device key, a fresh show key per credential, and showing offline."""

import base64
import json
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.compact import pack_shown


def compressed(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def signed(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def said_by(jws: str) -> dict:
    """Return the claims of a JWS as the app reads them, nothing proven."""
    part = jws.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Phone:
    """One device. ``offset_s`` is how far its clock is ahead."""

    def __init__(self, *, offset_s: float = 0):
        self.offset_s = offset_s
        self.device_key = ec.generate_private_key(ec.SECP256R1())
        self._show_keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    @property
    def public_key(self) -> str:
        """What ``POST /devices`` takes as ``public_key``."""
        return proofs.to_text(compressed(self.device_key))

    def registering(self, challenge: str) -> str:
        """What ``POST /devices`` takes as ``proof``; the challenge as the server wrote it."""
        raw = proofs.from_text(challenge)
        message = proofs.device_message(raw, compressed(self.device_key))
        return proofs.to_text(signed(self.device_key, message))

    def fresh_key(self) -> dict:
        """What ``POST /credential`` takes: a show key never used before, signed for."""
        key = ec.generate_private_key(ec.SECP256R1())
        point = compressed(key)
        self._show_keys[proofs.to_text(point)] = key
        proof = signed(self.device_key, proofs.key_message(point))
        return {"show_key": proofs.to_text(point), "proof": proofs.to_text(proof)}

    def show(
        self,
        credential: str,
        at: datetime,
        *,
        nonce: bytes | None = None,
        place_id: UUID | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
        step: int | None = None,
    ) -> str:
        """Return the text of the QR code that the app draws now, without asking any server.

        ``credential`` is the compact JWS. ``key`` shows with another key than the credential's,
        as a thief of the credential alone would.
        """
        key = key or self._show_keys[said_by(credential)["k"]]
        if step is None:
            step = int((at.timestamp() + self.offset_s) // proofs.STEP_S)
        message = proofs.show_message("hc", credential, step, nonce=nonce, place_id=place_id)
        return pack_shown(
            credential,
            step=step,
            signature=signed(key, message),
            nonce=nonce,
            place_id=place_id,
        )
