"""Pages and endpoints of the booking package."""

from typing import Any

from src.booking.web import (
    api,
    broadcasts,
    calendar,
    cancellations,
    check_in,
    coupons,
    customer,
    customer_booking,
    customer_merge,
    customers,
    digests,
    drop_in,
    edit_several,
    feeds,
    guest_booking,
    guest_leaving,
    guest_moving,
    guest_page,
    hub,
    import_columns,
    imports,
    leave_requests,
    minimum,
    reminders,
    repeat,
    roster,
    roster_bulk,
    roster_export,
    series,
    series_editor,
    service_page,
    services,
    sessions,
    term_copy,
    today,
)
from src.booking.web.onboarding import register_steps
from src.platform.services import Services
from src.platform.web.kit import WebKit

route_handlers: list[Any] = [
    *api.route_handlers,
    *hub.route_handlers,
    *service_page.route_handlers,
    *guest_booking.route_handlers,
    *guest_page.route_handlers,
    *guest_leaving.route_handlers,
    *guest_moving.route_handlers,
    *services.route_handlers,
    *reminders.route_handlers,
    *sessions.route_handlers,
    *repeat.route_handlers,
    *roster.route_handlers,
    *edit_several.route_handlers,
    *minimum.route_handlers,
    *drop_in.route_handlers,
    *roster_bulk.route_handlers,
    *roster_export.route_handlers,
    *check_in.route_handlers,
    *today.route_handlers,
    *digests.route_handlers,
    *series.route_handlers,
    *series_editor.route_handlers,
    *term_copy.route_handlers,
    *cancellations.route_handlers,
    *broadcasts.route_handlers,
    *leave_requests.route_handlers,
    *imports.route_handlers,
    *import_columns.route_handlers,
    *coupons.route_handlers,
    *customers.route_handlers,
    *customer.route_handlers,
    *customer_merge.route_handlers,
    *customer_booking.route_handlers,
    *calendar.route_handlers,
    *feeds.route_handlers,
]


def install(kit: WebKit, services: Services) -> None:
    """Registers what booking adds to every page and to the list of first steps."""
    register_steps()
