"""Pages and endpoints of the billing package."""

from typing import Any

from src.billing.web.hooks import connect_hook, platform_hook
from src.platform.services import Services
from src.platform.web.kit import WebKit

route_handlers: list[Any] = [platform_hook, connect_hook]


def install(kit: WebKit, services: Services) -> None:
    """Registers what billing adds to every page."""
