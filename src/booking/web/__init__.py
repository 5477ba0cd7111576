"""Pages and endpoints of the booking package."""

from typing import Any

from src.platform.services import Services
from src.platform.web.kit import WebKit

route_handlers: list[Any] = []


def install(kit: WebKit, services: Services) -> None:
    """Registers what booking adds to every page."""
