"""Settings, read once from the environment; every problem is named, none guessed away."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec

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
WHOLE_NUMBERS = ("DATABASE_POOL_SIZE", "UNDO_WINDOW_SECONDS", "PLATFORM_FEE_BP")
KEPT_DAYS = {
    "KEEP_MAILS_DAYS": (180, 30),
    "KEEP_WEBHOOKS_DAYS": (90, 31),
    "KEEP_IMPORTS_DAYS": (30, 1),
}
"""How long rows are kept that nothing needs any more: by default, and at the least. The processor
sends an event again for up to thirty days, and until then its id must be known."""
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


def _malformed(environ: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    problems += _wrong_scheme(environ, "BASE_URL", ("http", "https"))
    for name in ("DATABASE_URL", "MIGRATOR_DATABASE_URL", "RELAY_DATABASE_URL"):
        problems += _wrong_scheme(environ, name, ("postgresql", "postgresql+asyncpg", "postgres"))
    problems += _wrong_scheme(environ, "REDIS_URL", ("redis", "rediss", "unix"))
    problems += _wrong_scheme(environ, "SMTP_URL", ("smtp", "smtps"))
    if environ.get("SEATLINE_ENV", "production") not in get_args(Environment):
        problems.append("SEATLINE_ENV must be production, demo or test.")
    if environ.get("LOG_FORMAT", "json") not in get_args(LogFormat):
        problems.append("LOG_FORMAT must be json or console.")
    if environ.get("COOKIE_SECURE", "").lower() not in TRUE_WORDS | FALSE_WORDS:
        problems.append("COOKIE_SECURE must be true or false.")
    for name in WHOLE_NUMBERS:
        if not environ.get(name, "10").isdigit():
            problems.append(f"{name} must be a whole number.")
    problems += _too_short_lived(environ)
    if environ.get("SECRET_KEY") and len(environ["SECRET_KEY"]) < 32:
        problems.append("SECRET_KEY must have at least 32 characters.")
    return problems


def _too_short_lived(environ: Mapping[str, str]) -> list[str]:
    return [
        f"{name} must be a whole number of days, at least {least}."
        for name, (default, least) in KEPT_DAYS.items()
        if not (environ.get(name) or str(default)).isdigit() or _days(environ, name) < least
    ]


def _days(environ: Mapping[str, str], name: str) -> int:
    return int(environ.get(name) or KEPT_DAYS[name][0])


def _wrong_scheme(environ: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> list[str]:
    address = environ.get(name)
    if not address or urlsplit(address).scheme in allowed:
        return []
    return [f"{name} must start with one of: {', '.join(f'{scheme}://' for scheme in allowed)}."]


def _settings(environ: Mapping[str, str]) -> Settings:
    base_url = environ["BASE_URL"].rstrip("/")
    secure_by_default = "true" if base_url.startswith("https://") else "false"
    proxies = environ.get("TRUSTED_PROXIES", "")
    return msgspec.convert(
        {
            "environment": environ.get("SEATLINE_ENV", "production"),
            "base_url": base_url,
            "secret_key": environ["SECRET_KEY"],
            "database_url": _asyncpg(environ["DATABASE_URL"]),
            "migrator_database_url": _asyncpg(environ["MIGRATOR_DATABASE_URL"]),
            "relay_database_url": _asyncpg(environ["RELAY_DATABASE_URL"]),
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
            "database_pool_size": int(environ.get("DATABASE_POOL_SIZE", "10")),
            "undo_window_seconds": int(environ.get("UNDO_WINDOW_SECONDS", "10")),
            "platform_fee_bp": int(environ.get("PLATFORM_FEE_BP", "0")),
            "keep_mails_days": _days(environ, "KEEP_MAILS_DAYS"),
            "keep_webhooks_days": _days(environ, "KEEP_WEBHOOKS_DAYS"),
            "keep_imports_days": _days(environ, "KEEP_IMPORTS_DAYS"),
        },
        Settings,
    )


def _asyncpg(address: str) -> str:
    """The address in SQLAlchemy's spelling, whichever usual one was given."""
    rest = address.split("://", 1)[1]
    return f"postgresql+asyncpg://{rest}"
