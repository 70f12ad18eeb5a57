"""The environment, read once into one frozen object; secrets also from ``*_FILE``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from environs import EnvError, FileAwareEnv

Environment = Literal["embedded", "production"]


class SettingsError(Exception):
    """A setting is missing or unusable; the message names the variable, never its value."""


@dataclass(frozen=True, kw_only=True)
class FederationSettings:
    """The providers citizens may sign in through; what is not named does not exist.

    The upstream is any OpenID provider. Without the three addresses it is asked for them
    (discovery).
    """

    wechat_appid: str = ""
    wechat_secret: str = ""
    wechat_url: str = "https://api.weixin.qq.com/sns/jscode2session"
    alipay_app_id: str = ""
    alipay_private_key: str = ""
    alipay_public_key: str = ""
    alipay_url: str = "https://openapi.alipay.com/gateway.do"
    upstream_issuer: str = ""
    upstream_client_id: str = ""
    upstream_client_secret: str = ""
    upstream_name: str = "国家政务服务平台 / National Government Service Platform"
    upstream_redirect_url: str = ""
    upstream_scope: str = "openid"
    upstream_authorize_url: str = ""
    upstream_token_url: str = ""
    upstream_jwks_url: str = ""
    upstream_userinfo_url: str = ""
    upstream_client_auth: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the process takes from outside.

    Key rings are ``kid:base64`` entries separated by commas or line ends; the first one signs or
    encrypts, the others still verify or decrypt. Keys and Ed25519 seeds are 32 bytes.
    """

    environment: Environment
    database_url: str
    database_owner_url: str
    redis_url: str | None
    token_keys: str
    field_keys: str
    lookup_keys: str
    quota_key: str
    credential_keys: str
    trust_keys: str
    sms_url: str | None = None
    sms_token: str | None = None
    sms_log: Path | None = None
    verifier_url: str | None = None
    verifier_token: str | None = None
    min_app_version: str = "1.0.0"
    latest_app_version: str = "1.0.0"
    public_url: str = "http://127.0.0.1:8000"
    app_link: str | None = None
    pool_size: int = 8
    trusted_proxies: int = 0
    max_body_bytes: int = 1_048_576
    max_upload_bytes: int = 12_582_912
    body_timeout_s: float = 10.0
    otp_per_network_hour: int = 1_000
    failures_per_network_hour: int = 1_000
    sms_per_hour: int = 50_000
    federation: FederationSettings = FederationSettings()
    reads_per_hour: int = 300
    closure_days: int = 7
    audit_heads_file: Path | None = None

    @property
    def is_production(self) -> bool:
        """True where real citizens are served: stand-ins for upstreams are refused."""
        return self.environment == "production"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises ``SettingsError`` naming the first variable that is missing or wrong.
    """
    env = FileAwareEnv(strip_whitespace=True)
    try:
        settings = _read(env)
    except (EnvError, ValueError) as error:
        raise SettingsError(str(error)) from error
    _refuse_stand_ins(settings)
    return settings


def _read(env: FileAwareEnv) -> Settings:
    database_url = env.str("DATABASE_URL")
    ours = "CITIZEN_CLOUD_"
    environment = _environment(env.str(ours + "ENV", "production"))
    return Settings(
        environment=environment,
        database_url=database_url,
        database_owner_url=env.str("DATABASE_OWNER_URL", "") or database_url,
        redis_url=env.str("REDIS_URL", "") or None,
        token_keys=env.str(ours + "TOKEN_KEYS"),
        field_keys=env.str(ours + "FIELD_KEYS"),
        lookup_keys=env.str(ours + "LOOKUP_KEYS"),
        quota_key=env.str(ours + "QUOTA_KEY"),
        credential_keys=env.str(ours + "CREDENTIAL_KEYS"),
        trust_keys=env.str(ours + "TRUST_KEYS"),
        sms_url=env.str(ours + "SMS_URL", "") or None,
        sms_token=env.str(ours + "SMS_TOKEN", "") or None,
        sms_log=env.path(ours + "SMS_LOG", None),
        verifier_url=env.str(ours + "VERIFIER_URL", "") or None,
        verifier_token=env.str(ours + "VERIFIER_TOKEN", "") or None,
        min_app_version=env.str(ours + "MIN_APP_VERSION", Settings.min_app_version),
        latest_app_version=env.str(ours + "LATEST_APP_VERSION", Settings.latest_app_version),
        public_url=env.str(ours + "PUBLIC_URL", Settings.public_url),
        app_link=env.str(ours + "APP_LINK", "") or None,
        pool_size=env.int(ours + "POOL_SIZE", Settings.pool_size),
        trusted_proxies=env.int(ours + "TRUSTED_PROXIES", Settings.trusted_proxies),
        max_body_bytes=env.int(ours + "MAX_BODY_BYTES", Settings.max_body_bytes),
        max_upload_bytes=env.int(ours + "MAX_UPLOAD_BYTES", Settings.max_upload_bytes),
        body_timeout_s=env.float(ours + "BODY_TIMEOUT_S", Settings.body_timeout_s),
        **_abuse(env, ours, environment),
        federation=_federation(env),
        reads_per_hour=_between(env, ours + "READS_PER_HOUR", Settings.reads_per_hour, 1, 100_000),
        audit_heads_file=env.path(ours + "AUDIT_HEADS_FILE", None),
        closure_days=_between(env, ours + "CLOSURE_DAYS", Settings.closure_days, 0, 15),
    )


def _federation(env: FileAwareEnv) -> FederationSettings:
    ours, known = "CITIZEN_CLOUD_", FederationSettings
    return FederationSettings(
        wechat_appid=env.str(ours + "WECHAT_APPID", ""),
        wechat_secret=env.str(ours + "WECHAT_SECRET", ""),
        wechat_url=env.str(ours + "WECHAT_URL", known.wechat_url),
        alipay_app_id=env.str(ours + "ALIPAY_APP_ID", ""),
        alipay_private_key=env.str(ours + "ALIPAY_PRIVATE_KEY", ""),
        alipay_public_key=env.str(ours + "ALIPAY_PUBLIC_KEY", ""),
        alipay_url=env.str(ours + "ALIPAY_URL", known.alipay_url),
        upstream_issuer=env.str(ours + "UPSTREAM_ISSUER", ""),
        upstream_client_id=env.str(ours + "UPSTREAM_CLIENT_ID", ""),
        upstream_client_secret=env.str(ours + "UPSTREAM_CLIENT_SECRET", ""),
        upstream_name=env.str(ours + "UPSTREAM_NAME", known.upstream_name),
        upstream_redirect_url=env.str(ours + "UPSTREAM_REDIRECT_URL", ""),
        upstream_scope=env.str(ours + "UPSTREAM_SCOPE", known.upstream_scope),
        upstream_authorize_url=env.str(ours + "UPSTREAM_AUTHORIZE_URL", ""),
        upstream_token_url=env.str(ours + "UPSTREAM_TOKEN_URL", ""),
        upstream_jwks_url=env.str(ours + "UPSTREAM_JWKS_URL", ""),
        upstream_userinfo_url=env.str(ours + "UPSTREAM_USERINFO_URL", ""),
        upstream_client_auth=env.str(ours + "UPSTREAM_CLIENT_AUTH", ""),
    )


# Per network and hour, codes and failures: on a developer's machine everybody comes from one.
STRANGERS = {"embedded": (1_000, 1_000), "production": (15, 100)}


def _abuse(env: FileAwareEnv, ours: str, environment: Environment) -> dict[str, int]:
    """Return how much is put up with in an hour."""
    codes, failures = STRANGERS[environment]
    return {
        "otp_per_network_hour": env.int(ours + "OTP_PER_NETWORK_HOUR", codes),
        "failures_per_network_hour": env.int(ours + "FAILURES_PER_NETWORK_HOUR", failures),
        "sms_per_hour": env.int(ours + "SMS_PER_HOUR", Settings.sms_per_hour),
    }


def _between(env: FileAwareEnv, name: str, default: int, least: int, most: int) -> int:
    value = env.int(name, default)
    if not least <= value <= most:
        message = f"{name} is {value}; it takes {least} to {most}"
        raise SettingsError(message)
    return value


def _environment(name: str) -> Environment:
    if name not in ("embedded", "production"):
        message = f"CITIZEN_CLOUD_ENV is {name!r}; it takes 'embedded' or 'production'"
        raise SettingsError(message)
    return cast("Environment", name)


def _refuse_stand_ins(settings: Settings) -> None:
    """Stop a production start that would text or verify nobody."""
    if not settings.is_production:
        return
    for value, name, without in (
        (settings.sms_url, "CITIZEN_CLOUD_SMS_URL", "no citizen would receive a code"),
        (settings.verifier_url, "CITIZEN_CLOUD_VERIFIER_URL", "names would only be format-checked"),
    ):
        if value is None:
            message = f"production needs {name}: without it {without}"
            raise SettingsError(message)
