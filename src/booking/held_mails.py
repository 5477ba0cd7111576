"""The mail that takes back what a mail with a link to pay had promised."""

from collections.abc import Collection
from uuid import UUID

from src.billing.domain.kinds import PaymentMode
from src.booking.guest_links import booking_path
from src.booking.mail_parts import mail_of, runs_of, what_of
from src.booking.queries.mail_facts import BookingFacts
from src.booking.views.mails import HeldCancelledView
from src.platform.config import Settings
from src.platform.i18n import use_locale
from src.platform.mail.queue import Mail
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import SHIPPED, Wordings

NAME = "held_cancelled"


def held_cancelled_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    *,
    lost: Collection[UUID],
    reason: str,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """Nothing is held for you any more, since the seats `lost` are cancelled: pay nothing. No
    calendar file, for none had stood. A hold ends only once.
    """
    order = facts.order
    seats = [item for item in facts.seats if item.seat.id in lost]
    gone = {item.session.id for item in seats}
    with use_locale(order.locale):
        view = HeldCancelledView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=what_of(tenant, facts),
            runs=runs_of(tenant, seats, may_join=False),
            has_others=any(item.session.id not in gone for item in facts.seats),
            zone_name=tenant.zone_name,
            reason=reason,
            booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
            by_transfer=order.payment_mode == PaymentMode.TRANSFER,
        )
    return mail_of(NAME, tenant, facts, view, None, f"{NAME}:{order.id}", wordings)
