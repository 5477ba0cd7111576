"""Where packages meet: models, consumers of events, ports, pages, periodic work."""

import importlib

from src.platform.mail.queue import MailQueued
from src.platform.mail.sender import send_queued_mail
from src.platform.outbox.events import registry

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
    _wire_booking()
    registry.on(MailQueued, "platform.send_mail", send_queued_mail)


def _wire_booking() -> None:
    from src.billing.lines import register_line_kind
    from src.booking.commands.holds import SeatLines

    seats = SeatLines()
    register_line_kind("session", seats)
    register_line_kind("series", seats)
