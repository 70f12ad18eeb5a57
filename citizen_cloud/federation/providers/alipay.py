"""Alipay: ``alipay.system.oauth.token`` at the open platform's gateway.

Requests are signed with the application's key, answers with Alipay's (RSA2: PKCS #1 v1.5 over
SHA-256). The answer's signature covers the *characters* of the response object as they came, so it
is cut out and checked before it is parsed, and nothing but the checked characters is believed.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from citizen_cloud.clock import local
from citizen_cloud.config import SettingsError
from citizen_cloud.federation.providers.wire import Wire
from citizen_cloud.federation.refusals import FederatedCodeInvalid
from citizen_cloud.federation.rules import TITLES, Kind, Started, Vouched, is_subject

METHOD = "alipay.system.oauth.token"
RESPONSE = '"alipay_system_oauth_token_response"'
FEWEST_BITS = 2048
CODE_REFUSED = frozenset({"isv.code-invalid", "isv.code-used", "isv.code-expired"})


class Alipay:
    """Exchanges the code of ``my.getAuthCode``."""

    name = "alipay"
    kind: Kind = "mini_program"
    title = TITLES["alipay"]

    def __init__(
        self, *, app_id: str, private_key: str, public_key: str, url: str, wire: Wire | None = None
    ) -> None:
        self._app_id = app_id
        self._private = _private_key(private_key)
        self._public = _public_key(public_key)
        self._url = url
        self._wire = wire or Wire(self.name)

    def exchange(self, code: str, *, started: Started | None, now: datetime) -> Vouched:
        """Return whose code it is.

        Raises ``FederatedCodeInvalid`` or ``ProviderUnavailable``; an answer whose signature is
        missing or wrong is none. Alipay logs in silently, so this is never fresh.
        """
        answer = self._wire.ask("POST", self._url, data=self._signed(code, now))
        if not answer.is_success:
            raise self._wire.failed(f"status {answer.status}")
        said = self._wire.object_of(answer.content)
        if "error_response" in said:
            self._refuse(said["error_response"])
        return Vouched(subject=self._subject(self._checked(answer.content, said.get("sign"))))

    def _signed(self, code: str, now: datetime) -> dict[str, str]:
        asked = {
            "app_id": self._app_id,
            "charset": "utf-8",
            "code": code,
            "format": "JSON",
            "grant_type": "authorization_code",
            "method": METHOD,
            "sign_type": "RSA2",
            "timestamp": local(now).strftime("%Y-%m-%d %H:%M:%S"),
            "version": "1.0",
        }
        signature = self._private.sign(signed_content(asked), PKCS1v15(), hashes.SHA256())
        return {**asked, "sign": base64.b64encode(signature).decode()}

    def _refuse(self, error: Any) -> None:
        """Tell a refused code from trouble; an error needs no signature, for it opens nothing."""
        sub_code = error.get("sub_code") if isinstance(error, dict) else None
        if isinstance(sub_code, str) and sub_code in CODE_REFUSED:
            raise FederatedCodeInvalid
        raise self._wire.failed("error_response")

    def _checked(self, content: bytes, sign: Any) -> dict[str, Any]:
        """Return the response object, parsed from the very characters that are signed."""
        try:
            signed = response_part(content.decode("utf-8"))
            signature = base64.b64decode(sign, validate=True)
            self._public.verify(signature, signed.encode(), PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError, TypeError):
            raise self._wire.failed("signature") from None
        return self._wire.object_of(signed.encode())

    def _subject(self, said: dict[str, Any]) -> str:
        """Return who it is; newer applications get an open_id, older ones a user_id."""
        for name in ("open_id", "user_id"):
            value = said.get(name)
            subject = f"{name}:{value}"
            if isinstance(value, str) and value and is_subject(subject):
                return subject
        raise self._wire.failed("no open_id")


def signed_content(asked: Mapping[str, str]) -> bytes:
    """Return what a request's signature covers: sorted, unencoded, without blanks and ``sign``."""
    pairs = (f"{key}={value}" for key, value in sorted(asked.items()) if value and key != "sign")
    return "&".join(pairs).encode()


def response_part(text: str) -> str:
    """Return the characters of the response object, as they came. Raises ``ValueError``."""
    start = text.index(RESPONSE) + len(RESPONSE)
    start = text.index("{", start)
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


def _private_key(words: str) -> RSAPrivateKey:
    name = "CITIZEN_CLOUD_ALIPAY_PRIVATE_KEY"
    try:
        raw = _bytes_of(words)
        is_pem = raw.startswith(b"-----")
        key = (
            serialization.load_pem_private_key(raw, None)
            if is_pem
            else serialization.load_der_private_key(raw, None)
        )
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey) or key.key_size < FEWEST_BITS:
        raise SettingsError(f"{name}: an RSA key of {FEWEST_BITS} bits or more, PEM or base64")
    return key


def _public_key(words: str) -> RSAPublicKey:
    name = "CITIZEN_CLOUD_ALIPAY_PUBLIC_KEY"
    try:
        raw = _bytes_of(words)
        is_pem = raw.startswith(b"-----")
        key = (
            serialization.load_pem_public_key(raw)
            if is_pem
            else serialization.load_der_public_key(raw)
        )
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < FEWEST_BITS:
        raise SettingsError(f"{name}: an RSA key of {FEWEST_BITS} bits or more, PEM or base64")
    return key


def _bytes_of(words: str) -> bytes:
    """Return PEM as it is, and the one line of base64 that Alipay's tools print as DER."""
    if words.strip().startswith("-----"):
        return words.strip().encode()
    try:
        return base64.b64decode("".join(words.split()), validate=True)
    except binascii.Error as error:
        raise ValueError from error
