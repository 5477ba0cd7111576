"""Settings of a program under test."""

from collections.abc import Mapping

from src.platform.config import Settings, load_settings
from src.sandbox.postgres import Role


def settings_for(urls: Mapping[Role, str], redis_url: str, **more: str) -> Settings:
    """Settings over the given database and queue; `more` overrides by environment name."""
    return load_settings(
        {
            "SEATLINE_ENV": "test",
            "BASE_URL": "http://testserver.local",
            "SECRET_KEY": "a secret that only tests know, long enough",
            "DATABASE_URL": urls[Role.APP],
            "MIGRATOR_DATABASE_URL": urls[Role.MIGRATOR],
            "RELAY_DATABASE_URL": urls[Role.RELAY],
            "REDIS_URL": redis_url,
            "SMTP_URL": "smtp://127.0.0.1:9",
            "MAIL_FROM": "bookings@seatline.example",
            "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
            "STRIPE_PLATFORM_WEBHOOK_SECRET": "whsec_platform",
            "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_connect",
            "LOG_FORMAT": "console",
            **more,
        }
    )
