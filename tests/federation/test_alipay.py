"""Alipay's gateway: signed both ways, and nothing unsigned is believed."""

import base64
import json

import pytest
import stubs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from citizen_cloud import clock
from citizen_cloud.config import SettingsError
from citizen_cloud.federation.providers.alipay import Alipay, response_part, signed_content
from citizen_cloud.federation.refusals import FederatedCodeInvalid, ProviderUnavailable


def exchange(port, code):
    return port.exchange(code, started=None, now=clock.now())


def test_a_signed_answer_under_text_html_is_believed(alipay, alipay_port):
    vouched = exchange(alipay_port, alipay.code_for("0741-user/x"))
    assert (vouched.subject, vouched.level, vouched.is_fresh) == ("open_id:0741-user/x", 1, False)
    method, _, query, form, _ = alipay.asked[0]
    assert (method, query) == ("POST", {})
    assert form["sign_type"] == "RSA2"


def test_an_older_application_gets_a_user_id_which_is_another_name(alipay, alipay_port):
    alipay.id_name = "user_id"
    assert exchange(alipay_port, alipay.code_for("2088102")).subject == "user_id:2088102"


def test_a_wrong_and_a_used_code_are_one_refusal(alipay, alipay_port):
    with pytest.raises(FederatedCodeInvalid):
        exchange(alipay_port, "never-given")
    code = alipay.code_for("u")
    exchange(alipay_port, code)
    with pytest.raises(FederatedCodeInvalid):
        exchange(alipay_port, code)


@pytest.mark.parametrize(
    "sub_code", ["isp.unknow-error", "isv.invalid-signature", "isv.missing-code", "", 5, None, []]
)
def test_every_other_error_is_the_providers_trouble(alipay, alipay_port, sub_code):
    alipay.error = sub_code
    if sub_code is None:
        alipay.instead = stubs.status(200, b'{"error_response": null}')
    with pytest.raises(ProviderUnavailable):
        exchange(alipay_port, alipay.code_for("u"))


def whole(raw, sign):
    return f'{{"{stubs.TOKEN_RESPONSE}":{raw},"sign":"{sign}"}}'


def decoy(alipay):
    """Return an answer that shows what was signed and asks to believe something else."""
    return lambda raw, sign: (
        f'{{"x":{{"{stubs.TOKEN_RESPONSE}":{raw}}},'
        f'"{stubs.TOKEN_RESPONSE}":{{"open_id":"mallory"}},"sign":"{sign}"}}'
    )


MOODS = {
    "unsigned": lambda _: lambda raw, _sign: f'{{"{stubs.TOKEN_RESPONSE}":{raw}}}',
    "empty signature": lambda _: lambda raw, _sign: whole(raw, ""),
    "no base64": lambda _: lambda raw, _sign: whole(raw, "***"),
    "signature is a number": lambda _: (
        lambda raw, _s: f'{{"{stubs.TOKEN_RESPONSE}":{raw},"sign":5}}'
    ),
    "another's key": lambda a: lambda raw, _sign: whole(raw, a.sign(raw, "mallory")),
    "our own key": lambda a: lambda raw, _sign: whole(raw, a.sign(raw, "alipay-app")),
    "changed name": lambda _: lambda raw, sign: whole(raw.replace("victim", "mallory"), sign),
    "one blank more": lambda _: lambda raw, sign: whole(raw.replace(", ", ",  "), sign),
    "written anew": lambda _: lambda raw, sign: whole(json.dumps(json.loads(raw)), sign),
    "another object's": lambda a: lambda raw, _sign: whole(raw, a.sign('{"open_id":"victim"}')),
    "no object": lambda a: lambda _raw, _sign: whole('"victim"', a.sign('"victim"')),
    "no name in it": lambda a: lambda _raw, _sign: whole("{}", a.sign("{}")),
}


@pytest.mark.parametrize("mood", MOODS)
def test_an_answer_that_is_not_alipays_word_for_word_is_none(alipay, alipay_port, mood):
    alipay.mood = MOODS[mood](alipay)
    with pytest.raises(ProviderUnavailable):
        exchange(alipay_port, alipay.code_for("victim"))


def test_only_the_signed_characters_are_believed(alipay, alipay_port):
    alipay.mood = decoy(alipay)
    assert exchange(alipay_port, alipay.code_for("victim")).subject == "open_id:victim"


def test_the_signature_covers_the_answer_as_it_came():
    raw = '{"a":"x\\/y", "b":{"c":"}"}}'
    assert response_part(f'{{"alipay_system_oauth_token_response" : {raw},"sign":"s"}}') == raw
    for text in ("", "{}", '{"alipay_system_oauth_token_response":', '{"sign":"s"}'):
        with pytest.raises(ValueError):  # noqa: PT011 - any
            response_part(text)


def test_a_request_is_signed_sorted_without_blanks_and_without_its_signature():
    asked = {"b": "2", "a": "1 &=", "sign": "s", "empty": "", "sign_type": "RSA2"}
    assert signed_content(asked) == b"a=1 &=&b=2&sign_type=RSA2"


def line(key):
    raw = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return base64.b64encode(raw).decode()


def configured(private, public):
    return Alipay(app_id="1", private_key=private, public_key=public, url="https://x.test")


def test_keys_are_read_as_pem_and_as_the_one_line_of_alipays_tools(alipay):
    key = stubs.key("alipay-app")
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public_pem = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    configured(pem, public_pem)
    configured(line(key), alipay.public_line)
    configured(line(key)[:64] + "\n" + line(key)[64:], alipay.public_line)


@pytest.mark.parametrize("kind", ["nonsense", "short", "ec", "public"])
def test_a_key_that_cannot_serve_is_named_and_never_shown(alipay, kind):
    bad = {
        "nonsense": "bm90IGEga2V5",
        "short": line(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 - refused
        "ec": line(ec.generate_private_key(ec.SECP256R1())),
        "public": alipay.public_line,
    }[kind]
    with pytest.raises(SettingsError, match="CITIZEN_CLOUD_ALIPAY_PRIVATE_KEY") as caught:
        configured(bad, alipay.public_line)
    assert bad not in str(caught.value)
    with pytest.raises(SettingsError, match="CITIZEN_CLOUD_ALIPAY_PUBLIC_KEY"):
        configured(alipay.app_private_line, alipay.app_private_line)
