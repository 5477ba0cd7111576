"""Settings, read once from the environment; every problem is named, none guessed away."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec

from src.platform.config_checks import (
    database_address,
    database_problems,
    value_problems,
    whole_number,
)

Environment = Literal["production", "demo", "test"]
LogFormat = Literal["json", "console"]


class ConfigError(Exception):
    """The environment does not make a working program; `problems` lists each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the program needs to know about the world it runs in."""

    environment: Environment
    base_url: str
    secret_key: str
    former_secret_keys: tuple[str, ...]
    database_url: str
    migrator_database_url: str
    relay_database_url: str
    redis_url: str
    smtp_url: str
    mail_from: str
    stripe_secret_key: str
    stripe_publishable_key: str
    stripe_api_base: str | None
    stripe_platform_webhook_secret: str
    stripe_connect_webhook_secret: str
    cookie_secure: bool
    metrics_token: str | None
    otlp_endpoint: str | None
    log_format: LogFormat
    trusted_proxies: tuple[str, ...]
    database_pool_size: int
    undo_window_seconds: int
    platform_fee_bp: int
    keep_mails_days: int
    keep_webhooks_days: int
    keep_imports_days: int

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """What signs first, then those whose signatures are still read."""
        return (self.secret_key, *self.former_secret_keys)

    @property
    def host(self) -> str:
        """The public host name, used in calendar UIDs and Message-IDs."""
        return urlsplit(self.base_url).hostname or "localhost"


REQUIRED = (
    "BASE_URL",
    "SECRET_KEY",
    "DATABASE_URL",
    "MIGRATOR_DATABASE_URL",
    "RELAY_DATABASE_URL",
    "REDIS_URL",
    "SMTP_URL",
    "MAIL_FROM",
    "STRIPE_SECRET_KEY",
    "STRIPE_PLATFORM_WEBHOOK_SECRET",
    "STRIPE_CONNECT_WEBHOOK_SECRET",
)
DATABASES = ("DATABASE_URL", "MIGRATOR_DATABASE_URL", "RELAY_DATABASE_URL")
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables.

    Raises: ConfigError with every problem found, not only the first.
    """
    problems = [f"{name} is not set." for name in REQUIRED if not environ.get(name)]
    problems += _malformed(environ)
    if problems:
        raise ConfigError(problems)
    return _settings(environ)


def owners_database(environ: Mapping[str, str]) -> str:
    """Where the owner of the tables works, for what needs nothing else. Raises: ConfigError."""
    name = "MIGRATOR_DATABASE_URL"
    given = environ.get(name, "")
    problems = database_problems(name, given) if given else [f"{name} is not set."]
    if problems:
        raise ConfigError(problems)
    return database_address(given)


def warnings_of(settings: Settings) -> list[str]:
    """What works and is hardly meant so, for `check-config` to say."""
    if settings.environment != "production":
        return []
    warnings: list[str] = []
    if not settings.trusted_proxies:
        warnings.append(
            "TRUSTED_PROXIES is empty: behind a proxy all guests have its address, and are slowed"
            " down as if they were one."
        )
    if settings.metrics_token is None:
        warnings.append("METRICS_TOKEN is not set: /metrics answers nobody.")
    return warnings


def _malformed(environ: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    environment = environ.get("SEATLINE_ENV", "production")
    for name in DATABASES:
        if address := environ.get(name):
            problems += database_problems(name, address)
    if environment not in get_args(Environment):
        problems.append("SEATLINE_ENV must be production, demo or test.")
    if environ.get("LOG_FORMAT", "json") not in get_args(LogFormat):
        problems.append("LOG_FORMAT must be json or console.")
    problems += _cookie_problems(environ.get("COOKIE_SECURE", "").lower(), environment)
    problems += value_problems(environ, environment)
    if environ.get("SECRET_KEY") and len(environ["SECRET_KEY"]) < 32:
        problems.append("SECRET_KEY must have at least 32 characters.")
    if any(len(key) < 32 for key in _former_keys(environ)):
        problems.append("FORMER_SECRET_KEYS must have at least 32 characters each.")
    return problems


def _former_keys(environ: Mapping[str, str]) -> tuple[str, ...]:
    given = environ.get("FORMER_SECRET_KEYS", "").split(",")
    return tuple(key.strip() for key in given if key.strip())


def _cookie_problems(secure: str, environment: str) -> list[str]:
    if secure not in TRUE_WORDS | FALSE_WORDS:
        return ["COOKIE_SECURE must be true or false."]
    if environment == "production" and secure in FALSE_WORDS - {""}:
        return ["COOKIE_SECURE must not be false in production."]
    return []


def _settings(environ: Mapping[str, str]) -> Settings:
    base_url = environ["BASE_URL"].rstrip("/")
    secure_by_default = "true" if base_url.startswith("https://") else "false"
    proxies = environ.get("TRUSTED_PROXIES", "")
    return msgspec.convert(
        {
            "environment": environ.get("SEATLINE_ENV", "production"),
            "base_url": base_url,
            "secret_key": environ["SECRET_KEY"],
            "former_secret_keys": _former_keys(environ),
            "database_url": database_address(environ["DATABASE_URL"]),
            "migrator_database_url": database_address(environ["MIGRATOR_DATABASE_URL"]),
            "relay_database_url": database_address(environ["RELAY_DATABASE_URL"]),
            "redis_url": environ["REDIS_URL"],
            "smtp_url": environ["SMTP_URL"],
            "mail_from": environ["MAIL_FROM"],
            "stripe_secret_key": environ["STRIPE_SECRET_KEY"],
            "stripe_publishable_key": environ.get("STRIPE_PUBLISHABLE_KEY", ""),
            "stripe_api_base": environ.get("STRIPE_API_BASE") or None,
            "stripe_platform_webhook_secret": environ["STRIPE_PLATFORM_WEBHOOK_SECRET"],
            "stripe_connect_webhook_secret": environ["STRIPE_CONNECT_WEBHOOK_SECRET"],
            "cookie_secure": (environ.get("COOKIE_SECURE") or secure_by_default).lower()
            in TRUE_WORDS,
            "metrics_token": environ.get("METRICS_TOKEN") or None,
            "otlp_endpoint": environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
            "log_format": environ.get("LOG_FORMAT", "json"),
            "trusted_proxies": tuple(p.strip() for p in proxies.split(",") if p.strip()),
            "database_pool_size": whole_number(environ, "DATABASE_POOL_SIZE"),
            "undo_window_seconds": whole_number(environ, "UNDO_WINDOW_SECONDS"),
            "platform_fee_bp": whole_number(environ, "PLATFORM_FEE_BP"),
            "keep_mails_days": whole_number(environ, "KEEP_MAILS_DAYS"),
            "keep_webhooks_days": whole_number(environ, "KEEP_WEBHOOKS_DAYS"),
            "keep_imports_days": whole_number(environ, "KEEP_IMPORTS_DAYS"),
        },
        Settings,
    )
