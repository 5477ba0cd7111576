"""The mails about fees, as businesses may word them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select

from src.billing.domain.kinds import FeeKind
from src.billing.jobs.fees import fee_mail
from src.billing.models import Fee, Order
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    REFERENCE,
    MailKind,
    Placeholder,
    Preview,
    register_mail_kind,
)

_PLACEHOLDERS = (
    CUSTOMER_NAME,
    BUSINESS,
    Placeholder(name="amount", label=N_("How much the fee is"), value=lambda view: view.amount),
    Placeholder(name="service", label=N_("What was booked"), value=lambda view: view.what),
    Placeholder(name="date", label=N_("The date it is about"), value=lambda view: view.when),
    REFERENCE,
    CONTACT,
)


def register_fee_mails() -> None:
    register_mail_kind(
        MailKind(
            key="fee_asked",
            template="billing/fee_asked",
            title=N_("A fee is asked"),
            occasion=N_(
                "A day after a guest did not come or cancelled late, where the terms say so."
            ),
            starter_subject=N_("A fee of {amount} for {service}"),
            starter=N_(
                "Hello {customer_name},\n\nFor {service} on {date} we ask for a fee of {amount}."
                " {reason}\n\n{booking_link}\n\n{business}"
            ),
            button=N_("See and pay the fee"),
            placeholders=(
                *_PLACEHOLDERS,
                Placeholder(
                    name="reason", label=N_("Why it is asked"), value=lambda view: view.reason
                ),
                Placeholder(
                    name="booking_link",
                    label=N_("The fee's page; alone in a paragraph, a button"),
                    value=lambda view: view.href,
                ),
            ),
            needed=("amount", "booking_link"),
            preview=_shown("fee_asked"),
            place=1,
        )
    )
    _register_over(
        "fee_forgiven",
        title=N_("A fee is not asked any more"),
        occasion=N_("When you forgive a fee that its guest knows of."),
        subject=N_("You need not pay the fee for {service}"),
        text=N_(
            "Hello {customer_name},\n\nYou need not pay the fee of {amount} for {service} on"
            " {date} any more.\n\n{business}"
        ),
    )
    _register_over(
        "fee_paid",
        title=N_("A fee was paid"),
        occasion=N_("When a guest has paid a fee on the payment page."),
        subject=N_("Your payment of {amount} has come"),
        text=N_(
            "Hello {customer_name},\n\nYour payment of {amount} has come: the fee for {service}"
            " on {date} is paid. Thank you.\n\n{business}"
        ),
    )


def _register_over(key: str, *, title: str, occasion: str, subject: str, text: str) -> None:
    """A mail about a fee of which nothing is asked any more."""
    register_mail_kind(
        MailKind(
            key=key,
            template=f"billing/{key}",
            title=title,
            occasion=occasion,
            starter_subject=subject,
            starter=text,
            button=N_("See the fee"),
            placeholders=_PLACEHOLDERS,
            needed=("amount",),
            preview=_shown(key),
            place=1,
        )
    )


def _shown(key: str) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        fee, order = await _latest(uow) or _made_up(uow, asked)
        shown = Order(
            reference=order.reference,
            guest_name=order.guest_name,
            guest_email=order.guest_email,
            locale=asked.locale,
        )
        return fee_mail(asked.settings, asked.tenant, fee, shown, key, asked.wordings)

    return preview


async def _latest(uow: UnitOfWork) -> tuple[Fee, Order] | None:
    """The fee that was asked last, with the order it is about; None where none ever was."""
    found = await uow.session.execute(
        select(Fee, Order)
        .join(Order, (Order.tenant_id == Fee.tenant_id) & (Order.id == Fee.order_id))
        .where(Fee.tenant_id == uow.tenant)
        .order_by(Fee.at.desc(), Fee.id.desc())
        .limit(1)
    )
    row = found.one_or_none()
    return (row.Fee, row.Order) if row is not None else None


def _made_up(uow: UnitOfWork, asked: Preview) -> tuple[Fee, Order]:
    """For the businesses that never asked for one, and those are most."""
    now = uow.clock.now()
    with use_locale(asked.locale):
        name, what = _("Alex Example"), _("Your service")
    fee = Fee(
        tenant_id=uow.tenant,
        id=new_id(),
        kind=str(FeeKind.NO_SHOW),
        amount_minor=500,
        currency=asked.tenant.currency,
        what=what,
        starts_at=(now - timedelta(days=1)).replace(minute=0, second=0, microsecond=0),
        at=now,
    )
    return fee, Order(reference="ABC-123", guest_name=name, guest_email="alex@example.com")
