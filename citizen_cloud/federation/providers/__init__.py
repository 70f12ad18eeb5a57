"""The ports to providers that citizens may sign in through; what is not configured is not there."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from citizen_cloud.config import FederationSettings, Settings, SettingsError
from citizen_cloud.federation.providers.alipay import Alipay
from citizen_cloud.federation.providers.upstream import Upstream
from citizen_cloud.federation.providers.wechat import WeChatMiniProgram
from citizen_cloud.federation.refusals import ProviderUnknown
from citizen_cloud.federation.rules import Kind, Started, Vouched
from citizen_cloud.text import Text


class Provider(Protocol):
    """Exchanges a code for somebody's name at the provider."""

    name: str
    kind: Kind
    title: Text

    def exchange(self, code: str, *, started: Started | None, now: datetime) -> Vouched:
        """Raise ``FederatedCodeInvalid`` or ``ProviderUnavailable``."""
        ...


@runtime_checkable
class Redirecting(Provider, Protocol):
    """A provider to whose own pages the citizen goes."""

    def authorize_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Return where to go. Raises ``ProviderUnavailable``."""
        ...


def from_settings(settings: Settings) -> tuple[Provider, ...]:
    """Return the configured providers. Raises ``SettingsError`` for one that is half configured."""
    given = settings.federation
    found: list[Provider] = []
    if _is_whole(given, "wechat_appid", "wechat_secret"):
        found.append(
            WeChatMiniProgram(
                appid=given.wechat_appid, secret=given.wechat_secret, url=given.wechat_url
            )
        )
        _check_addresses(settings, "wechat_url")
    if _is_whole(given, "alipay_app_id", "alipay_private_key", "alipay_public_key"):
        found.append(
            Alipay(
                app_id=given.alipay_app_id,
                private_key=given.alipay_private_key,
                public_key=given.alipay_public_key,
                url=given.alipay_url,
            )
        )
        _check_addresses(settings, "alipay_url")
    needed = ("issuer", "client_id", "client_secret", "redirect_url")
    if _is_whole(given, *(f"upstream_{name}" for name in needed)):
        _check_upstream(settings)
        found.append(Upstream(given))
    return tuple(found)


def _is_whole(given: FederationSettings, *names: str) -> bool:
    missing = [name for name in names if not getattr(given, name)]
    if missing and len(missing) < len(names):
        raise SettingsError(f"{_variable(missing[0])} is missing: {_variable(names[0])} needs it")
    return not missing


def _check_upstream(settings: Settings) -> None:
    given = settings.federation
    _is_whole(given, "upstream_authorize_url", "upstream_token_url", "upstream_jwks_url")
    if given.upstream_client_auth not in ("", "basic", "post"):
        raise SettingsError(f"{_variable('upstream_client_auth')} takes 'basic' or 'post'")
    optional = ("authorize_url", "token_url", "jwks_url", "userinfo_url")
    named = (f"upstream_{name}" for name in optional)
    _check_addresses(settings, "upstream_issuer", *(name for name in named if getattr(given, name)))


def _check_addresses(settings: Settings, *names: str) -> None:
    """Refuse an address without TLS in production: codes and secrets travel there."""
    allowed = ("https",) if settings.is_production else ("https", "http")
    for name in names:
        parts = urlsplit(getattr(settings.federation, name))
        if parts.scheme not in allowed or not parts.netloc:
            raise SettingsError(f"{_variable(name)} must be an https:// address")


def _variable(name: str) -> str:
    return "CITIZEN_CLOUD_" + name.upper()


_current: dict[str, Provider] = {}


def install(providers: Iterable[Provider]) -> None:
    """Make these the process's providers."""
    _current.clear()
    _current.update({provider.name: provider for provider in providers})


def offered() -> list[Provider]:
    """Return the providers of this installation."""
    return list(_current.values())


def provider_of(name: str) -> Provider:
    """Return a provider by name. Raises ``ProviderUnknown``."""
    if name not in _current:
        raise ProviderUnknown
    return _current[name]
