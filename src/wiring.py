"""Where packages meet: models, consumers of events, ports, pages, periodic work."""

import importlib
from typing import Any

from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import MailQueued
from src.platform.mail.sender import send_queued_mails
from src.platform.outbox.events import registry
from src.platform.services import Services
from src.platform.web.kit import WebKit

MODEL_MODULES = (
    "src.platform.outbox.models",
    "src.platform.mail.models",
    "src.tenants.models",
    "src.billing.models",
    "src.booking.models",
)


def import_models() -> None:
    """Makes every table known to the metadata."""
    for module in MODEL_MODULES:
        importlib.import_module(module)


def wire() -> None:
    """Registers consumers, line kinds and meanings of constraints; harmless when called again."""
    import_models()
    _wire_tenants()
    _wire_billing()
    _wire_booking()
    registry.on_several(MailQueued, "platform.send_mail", send_queued_mails)


def _wire_tenants() -> None:
    from src.tenants import events
    from src.tenants import plan_events as happened
    from src.tenants.jobs import account_mails
    from src.tenants.jobs import plan_mails as mails

    registry.on(events.EmailToConfirm, "tenants.confirm", account_mails.send_confirmation_link)
    registry.on(events.PasswordForgotten, "tenants.reset", account_mails.send_reset_link)
    registry.on(events.KnownAddressSignedUp, "tenants.known", account_mails.send_known_address)
    registry.on(happened.MonthlyLimitNeared, "tenants.warn_of_limit", mails.warn_of_limit)
    registry.on(happened.PlanRequested, "tenants.tell_admins", mails.tell_admins_of_request)
    registry.on(
        happened.PlanRequestDeclined, "tenants.tell_declined", mails.tell_of_declined_request
    )
    registry.on(happened.TenantMoved, "tenants.tell_moved", mails.tell_of_move)


def _wire_billing() -> None:
    from src.billing.jobs import register
    from src.billing.queries.sold import lock_currency_by_sales
    from src.tenants.queries.settings import register_currency_lock

    register(registry)
    register_currency_lock("billing.sales", lock_currency_by_sales)


def _wire_booking() -> None:
    from src.billing.events import OrderConfirmed
    from src.billing.lines import register_line_kind
    from src.booking.commands.holds import SeatLines
    from src.booking.events import CancellationRequested, SeatsCancelled
    from src.booking.jobs.cancel import carry_out_cancellation
    from src.booking.jobs.tell import tell_of_cancelled_seats, tell_of_confirmations
    from src.booking.jobs.zone_change import follow_zone_change
    from src.booking.queries.for_settings import lock_currency_by_prices, upcoming_dates
    from src.booking.queries.plan_consequences import plan_consequences
    from src.tenants.events import TimezoneChanged
    from src.tenants.queries.consequences import register_downgrade_probe
    from src.tenants.queries.settings import register_currency_lock, register_timezone_preview

    seats = SeatLines()
    register_line_kind("session", seats)
    register_line_kind("series", seats)
    register_downgrade_probe("booking", plan_consequences)
    registry.on(CancellationRequested, "booking.cancel", carry_out_cancellation)
    registry.on_several(OrderConfirmed, "booking.tell_confirmed", tell_of_confirmations)
    registry.on_several(SeatsCancelled, "booking.tell_cancelled", tell_of_cancelled_seats)
    registry.on(TimezoneChanged, "booking.follow_zone_change", follow_zone_change)
    register_currency_lock("booking.prices", lock_currency_by_prices)
    register_timezone_preview("booking.sessions", upcoming_dates)


def route_handlers() -> list[Any]:
    """Every page and endpoint of the program."""
    from src.billing.web import route_handlers as billing
    from src.booking.web import route_handlers as booking
    from src.tenants.web import route_handlers as tenants

    return [*tenants, *billing, *booking]


def install_web(kit: WebKit, services: Services) -> None:
    """Gives pages their navigation and refusals their faces."""
    from src.billing.web import install as install_billing
    from src.booking.web import install as install_booking
    from src.tenants.web import install as install_tenants

    for install in (install_tenants, install_billing, install_booking):
        install(kit, services)


def periodic_tasks(services: Services) -> list[Periodic]:
    """What runs by the clock."""
    from src.billing.jobs import periodic_tasks as billing

    return billing(services)
