"""Pages and endpoints of the booking package."""

from typing import Any

from src.booking.web import hub, service_page
from src.platform.services import Services
from src.platform.web.kit import WebKit

route_handlers: list[Any] = [
    *hub.route_handlers,
    *service_page.route_handlers,
]


def install(kit: WebKit, services: Services) -> None:
    """Registers what booking adds to every page."""
