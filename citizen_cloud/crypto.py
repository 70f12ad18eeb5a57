"""Field encryption, blind indexes and keyed hashes over key rings.

AES-256-GCM with the field's place (``table:column:row``) as associated data, so that a value
copied to another row or column does not open; HMAC-SHA256 for look-ups. Algorithms come from the
``cryptography`` package; nothing here invents one.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from citizen_cloud.config import Settings, SettingsError

KEY_BYTES = 32
NONCE_BYTES = 12
LONGEST_KID = 32
# The name stands in every code; a longer one would push a shown code past QR version 13 at level M.
LONGEST_CODE_KID = 10


class Undecryptable(Exception):
    """A sealed value does not open: wrong place, unknown key, or changed bytes."""


@dataclass(frozen=True)
class KeyRing:
    """Named 32-byte keys; the first is used to write, all are used to read."""

    keys: dict[str, bytes]

    @property
    def primary(self) -> tuple[str, bytes]:
        """Return the (kid, key) that new values are written with."""
        return next(iter(self.keys.items()))


def parse_ring(text: str, name: str) -> KeyRing:
    """Read ``kid:base64`` entries separated by commas or line ends.

    Raises ``SettingsError`` naming the setting, never showing a key.
    """
    keys: dict[str, bytes] = {}
    for entry in text.replace("\n", ",").split(","):
        if not entry.strip():
            continue
        kid, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not kid.isascii() or not 1 <= len(kid) <= LONGEST_KID or len(key) != KEY_BYTES:
            message = f"{name}: each entry is kid:base64 of {KEY_BYTES} bytes"
            raise SettingsError(message)
        keys[kid] = key
    if not keys:
        message = f"{name}: at least one key is needed"
        raise SettingsError(message)
    return KeyRing(keys)


def _short_named(text: str, name: str) -> KeyRing:
    """Read a ring whose names are written into codes. Raises ``SettingsError``."""
    ring = parse_ring(text, name)
    for kid in ring.keys:
        if len(kid) > LONGEST_CODE_KID or not kid.replace("-", "").replace("_", "").isalnum():
            message = (
                f"{name}: a key is named with at most {LONGEST_CODE_KID} letters, digits, - and _"
            )
            raise SettingsError(message)
    return ring


def _only_key(text: str, name: str) -> KeyRing:
    """Read a ring that never rotates: another key would give everybody a second quota."""
    ring = parse_ring(text, name)
    if len(ring.keys) > 1:
        message = f"{name}: exactly one key; it never rotates"
        raise SettingsError(message)
    return ring


def draw_key(kid: str = "k1") -> str:
    """Return a fresh ring entry from the operating system's randomness."""
    return f"{kid}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


@dataclass(frozen=True)
class Crypto:
    """The rings of one installation and what is done with them."""

    fields: KeyRing
    lookups: KeyRing
    quota: KeyRing
    tokens: KeyRing
    credentials: KeyRing
    # Signs what verifiers are told of the keys above; never a code.
    trust: KeyRing

    def seal(self, value: str, *, place: str) -> bytes:
        """Encrypt a value for one place, ``table:column:row``."""
        kid, key = self.fields.primary
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, value.encode(), place.encode())
        return kid.encode() + b"." + nonce + sealed

    def open(self, sealed: bytes, *, place: str) -> str:
        """Decrypt a value read from its place. Raises ``Undecryptable``."""
        kid, _, rest = bytes(sealed).partition(b".")
        key = self.fields.keys.get(kid.decode("ascii", "replace"))
        if key is None:
            raise Undecryptable(place)
        try:
            opened = AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise Undecryptable(place) from error
        return opened.decode()

    def seal_block(self, block: bytes, *, kind: str) -> bytes:
        """Encrypt sixteen bytes as sixteen others, which only we can open: a name, not a text.

        Nothing proves that a block was sealed here: what is in it must be checked by whoever
        opens it. The same block is the same name, so it holds something that never comes again.
        """
        return _blocks(self.fields.primary[1], kind).encryptor().update(block)

    def open_block(self, sealed: bytes, *, kind: str) -> list[bytes]:
        """Decrypt a block under every key still held, present one first; one of them is right."""
        return [_blocks(key, kind).decryptor().update(sealed) for key in self.fields.keys.values()]

    def is_present(self, sealed: bytes) -> bool:
        """Return whether a value was sealed with the key that writes now."""
        return sealed.startswith(self.fields.primary[0].encode() + b".")

    def lookup(self, kind: str, value: str) -> bytes:
        """Return the blind index of a value under the present key (32 bytes)."""
        return _keyed(self.lookups.primary[1], kind, value)

    def lookups_of(self, kind: str, value: str) -> list[bytes]:
        """Return the blind indexes under every key still held, present one first."""
        return [_keyed(key, kind, value) for key in self.lookups.keys.values()]

    def counter(self, kind: str, value: str) -> bytes:
        """Return the blind index that short-lived counts are kept under.

        While two keys are held, some processes write with one and some with the other. A count
        must be one: it stays with the key whose name comes first, whatever the order in the ring.
        """
        kid = min(self.lookups.keys, key=lambda name: (len(name), name))
        return _keyed(self.lookups.keys[kid], kind, value)

    def lock_numbers(self, kind: str, value: str) -> list[int]:
        """Return the numbers of advisory locks on a value, to be taken in this order.

        One per key: processes that hold different rings share at least one of them.
        """
        digests = self.lookups_of(kind, value)
        return sorted(int.from_bytes(each[:8], "big", signed=True) for each in digests)

    def person_key(self, document_type: str, number: str) -> bytes:
        """Return the quota key of a person: the same for ever, so no second quota exists."""
        return _keyed(self.quota.primary[1], "person:" + document_type, number)

    def lasting_hash(self, kind: str, value: str) -> bytes:
        """Return what stays of words that are forgotten: nobody with a dump can try words on it."""
        return _keyed(self.quota.primary[1], "lasting:" + kind, value)

    def keyed_hash(self, kind: str, value: str) -> bytes:
        """Hash a short secret (an OTP) so that a dump does not reveal it."""
        return _keyed(self.lookups.primary[1], "secret:" + kind, value)

    def keyed_hashes(self, kind: str, value: str) -> list[bytes]:
        """Return the hashes under every key still held: what a secret on its way may lie under."""
        return self.lookups_of("secret:" + kind, value)


def _keyed(key: bytes, kind: str, value: str) -> bytes:
    return hmac.digest(key, kind.encode() + b"\x00" + value.encode(), hashlib.sha256)


@lru_cache(maxsize=64)
def _blocks(key: bytes, kind: str) -> Cipher[modes.ECB]:
    """Return AES-256 under a key of this purpose alone."""
    # One block is all there ever is: the bare permutation is what is wanted.
    return Cipher(algorithms.AES256(_keyed(key, "block", kind)), modes.ECB())  # noqa: S305


def same(left: bytes, right: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(left, right)


_current: list[Crypto] = []


def configure(settings: Settings) -> Crypto:
    """Read the rings of a settings object and make them the process's own."""
    crypto = Crypto(
        fields=parse_ring(settings.field_keys, "CITIZEN_CLOUD_FIELD_KEYS"),
        lookups=parse_ring(settings.lookup_keys, "CITIZEN_CLOUD_LOOKUP_KEYS"),
        quota=_only_key(settings.quota_key, "CITIZEN_CLOUD_QUOTA_KEY"),
        tokens=parse_ring(settings.token_keys, "CITIZEN_CLOUD_TOKEN_KEYS"),
        credentials=_short_named(settings.credential_keys, "CITIZEN_CLOUD_CREDENTIAL_KEYS"),
        trust=parse_ring(settings.trust_keys, "CITIZEN_CLOUD_TRUST_KEYS"),
    )
    _current[:] = [crypto]
    return crypto


def current() -> Crypto:
    """Return the process's rings; an unconfigured process is a programming error."""
    return _current[0]
