"""The environment, read once into one frozen object; secrets also from ``*_FILE``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from environs import EnvError, FileAwareEnv

Environment = Literal["embedded", "production"]


class SettingsError(Exception):
    """A setting is missing or unusable; the message names the variable, never its value."""


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
    return Settings(
        environment=_environment(env.str(ours + "ENV", "production")),
        database_url=database_url,
        database_owner_url=env.str("DATABASE_OWNER_URL", "") or database_url,
        redis_url=env.str("REDIS_URL", "") or None,
        token_keys=env.str(ours + "TOKEN_KEYS"),
        field_keys=env.str(ours + "FIELD_KEYS"),
        lookup_keys=env.str(ours + "LOOKUP_KEYS"),
        quota_key=env.str(ours + "QUOTA_KEY"),
        credential_keys=env.str(ours + "CREDENTIAL_KEYS"),
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
    )


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
