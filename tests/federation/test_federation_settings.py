"""A provider is there when it is configured, whole and safe; half of one stops the start."""

from dataclasses import replace

import pytest
import stubs

from citizen_cloud.config import FederationSettings, SettingsError, load_settings
from citizen_cloud.federation import providers

NEEDED = {
    "DATABASE_URL": "postgresql://x",
    "CITIZEN_CLOUD_ENV": "embedded",
    "CITIZEN_CLOUD_TOKEN_KEYS": "k",
    "CITIZEN_CLOUD_FIELD_KEYS": "k",
    "CITIZEN_CLOUD_LOOKUP_KEYS": "k",
    "CITIZEN_CLOUD_QUOTA_KEY": "k",
    "CITIZEN_CLOUD_CREDENTIAL_KEYS": "k",
    "CITIZEN_CLOUD_TRUST_KEYS": "k",
}
UPSTREAM = {
    "upstream_issuer": "https://id.example",
    "upstream_client_id": "city",
    "upstream_client_secret": "s",
    "upstream_redirect_url": "https://city.example/in",
}


def configured(settings, production=False, **given):
    environment = "production" if production else "embedded"
    return providers.from_settings(
        replace(settings, environment=environment, federation=FederationSettings(**given))
    )


def test_nothing_configured_is_nothing_offered(settings):
    assert configured(settings) == ()


def test_each_is_there_when_it_is_whole(settings):
    found = configured(
        settings,
        production=True,
        wechat_appid="wx",
        wechat_secret="s",  # noqa: S106 - of nobody
        alipay_app_id="1",
        alipay_private_key=stubs.Alipay.app_private_line.fget(None),
        alipay_public_key=stubs.Alipay.public_line.fget(None),
        **UPSTREAM,
    )
    assert [each.name for each in found] == ["wechat", "alipay", "oidc"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"wechat_appid": "wx"}, "WECHAT_SECRET"),
        ({"wechat_secret": "s"}, "WECHAT_APPID"),
        ({"alipay_app_id": "1", "alipay_public_key": "x"}, "ALIPAY_PRIVATE_KEY"),
        ({**UPSTREAM, "upstream_client_secret": ""}, "UPSTREAM_CLIENT_SECRET"),
        ({**UPSTREAM, "upstream_redirect_url": ""}, "UPSTREAM_REDIRECT_URL"),
        ({**UPSTREAM, "upstream_token_url": "https://x.test/t"}, "UPSTREAM_AUTHORIZE_URL"),
        ({**UPSTREAM, "upstream_client_auth": "none"}, "UPSTREAM_CLIENT_AUTH"),
        ({**UPSTREAM, "upstream_issuer": "id.example"}, "UPSTREAM_ISSUER"),
        ({**UPSTREAM, "upstream_userinfo_url": "file:///etc"}, "UPSTREAM_USERINFO_URL"),
        ({"wechat_appid": "w", "wechat_secret": "s", "wechat_url": "x"}, "WECHAT_URL"),
    ],
)
def test_half_a_provider_is_named(settings, given, named):
    with pytest.raises(SettingsError, match=f"CITIZEN_CLOUD_{named}"):
        configured(settings, **given)


def test_production_speaks_tls_only(settings):
    plain = {**UPSTREAM, "upstream_issuer": "http://id.example"}
    assert configured(settings, **plain)
    with pytest.raises(SettingsError, match="UPSTREAM_ISSUER"):
        configured(settings, production=True, **plain)


def test_secrets_come_from_files_too(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CITIZEN_CLOUD_WECHAT_APPID", "wx")
    monkeypatch.setenv("CITIZEN_CLOUD_WECHAT_SECRET_FILE", str(secret))
    found = load_settings().federation
    assert (found.wechat_appid, found.wechat_secret) == ("wx", "from-a-file")
    assert found.upstream_scope == "openid"
