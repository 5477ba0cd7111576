"""The mails about money to guests, as businesses may word them."""

from collections.abc import Awaitable, Callable

from sqlalchemy import select

from src.billing.card_mails import register_card_mails
from src.billing.models import Order
from src.billing.part_mail_kinds import register_part_mails
from src.billing.queries.what_was_bought import what_was_bought
from src.billing.transfer_back_mails import register_transfer_back_mails
from src.billing.transfer_mails import register_transfer_mails
from src.billing.views.mails import MoneyMail
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.mail.queue import Mail
from src.platform.money import Money, format_money
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    REFERENCE,
    MailKind,
    Placeholder,
    Preview,
    register_mail_kind,
    render_worded,
)

_PLACEHOLDERS = (
    CUSTOMER_NAME,
    BUSINESS,
    Placeholder(name="amount", label=N_("What goes back"), value=lambda view: view.amount),
    Placeholder(name="reason", label=N_("Why it goes back"), value=lambda view: view.reason),
    REFERENCE,
    Placeholder(name="service", label=N_("What was booked"), value=lambda view: view.what),
    Placeholder(
        name="booking_link",
        label=N_("The page of what was booked; alone in a paragraph, a button"),
        value=lambda view: view.href,
    ),
    CONTACT,
)


WAY = Placeholder(
    name="way",
    label=N_("How it comes back: to the card, or onto a voucher"),
    value=lambda view: view.way,
)
"""What words of before it was there cannot say: they tell of a card."""


def register_billing_mails() -> None:
    """Every mail to guests of this package."""
    for kind in _KINDS:
        register_mail_kind(kind)
    register_transfer_mails()
    register_card_mails()
    register_transfer_back_mails()
    register_part_mails()


def _shown(key: str) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    """With the business's latest order, or one that is made up where there is none yet."""

    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        order: Order | None = await uow.session.scalar(
            select(Order)
            .where(Order.tenant_id == uow.tenant)
            .order_by(Order.created_at.desc(), Order.id.desc())
            .limit(1)
        )
        tenant = asked.tenant
        with use_locale(asked.locale):
            bought, name, email = "", _("Alex Example"), ""
            reference, minor = "ABC-123", 1500
            if order is not None:
                bought = await what_was_bought(uow, order, tenant.zone)
                name, email = order.guest_name, order.guest_email
                reference, minor = order.reference, order.total_minor
            view = MoneyMail(
                locale=asked.locale,
                from_name=tenant.name,
                guest_name=name,
                reference=reference,
                what=bought or _("Your service"),
                amount=format_money(Money(minor, tenant.currency), asked.locale),
                reason=_("%(business)s decided to give this amount back.", business=tenant.name),
                back=_("All of it is on its way back to you. Banks take up to ten days."),
                contact=tenant.contact_email,
                href=f"{asked.settings.base_url}/b/{tenant.slug}",
            )
        words = render_worded(key, view, asked.locale, asked.wordings)
        return Mail(
            kind=f"billing.{key}",
            to_address=email,
            subject=words.subject,
            text=words.text,
            html=words.html,
            dedupe_key="preview",
        )

    return preview


_KINDS = (
    MailKind(
        key="refunded",
        template="billing/refunded",
        title=N_("Money on its way back"),
        occasion=N_("When a refund is made."),
        starter_subject=N_("{amount} goes back to you"),
        starter=N_(
            "Hello {customer_name},\n\n{way}\n\n{reason}\n\n{service}\nReference: {reference}\n\n"
            "{business}"
        ),
        button=N_("To our booking page"),
        placeholders=(*_PLACEHOLDERS, WAY),
        needed=("amount",),
        preview=_shown("refunded"),
        place=1,
    ),
    MailKind(
        key="refund_failed",
        template="billing/refund_failed",
        title=N_("Money that did not come back"),
        occasion=N_("When a refund does not go through, once, until you have dealt with it."),
        starter_subject=N_("{amount} did not reach you"),
        starter=N_(
            "Hello {customer_name},\n\n{amount} was to come back to the card you paid with, but the"
            " refund did not go through. {reason}\n\nWe know about it, and will try again or get in"
            " touch with you about another way. You need not do anything.\n\n{service}\n"
            "Reference: {reference}\n\n{booking_link}\n\n{business}"
        ),
        button=N_("See how it stands"),
        placeholders=(
            CUSTOMER_NAME,
            BUSINESS,
            Placeholder(
                name="amount", label=N_("What was to come back"), value=lambda view: view.amount
            ),
            Placeholder(
                name="reason", label=N_("Why it was to come back"), value=lambda view: view.reason
            ),
            REFERENCE,
            Placeholder(name="service", label=N_("What was booked"), value=lambda view: view.what),
            Placeholder(
                name="booking_link",
                label=N_("The guest's own page; alone in a paragraph, a button"),
                value=lambda view: view.href,
            ),
            CONTACT,
        ),
        needed=("amount",),
        preview=_shown("refund_failed"),
        place=1,
    ),
    MailKind(
        key="payment_too_late",
        template="billing/payment_too_late",
        title=N_("A payment that came too late"),
        occasion=N_("When nothing could be booked any more with a payment, which goes back."),
        starter_subject=N_("Your payment came too late"),
        starter=N_(
            "Hello {customer_name},\n\nNothing could be booked with your payment of {amount}."
            " {reason}\n\n{back}\n\nReference: {reference}\n\n{booking_link}"
        ),
        button=N_("To our booking page"),
        placeholders=(
            *_PLACEHOLDERS,
            Placeholder(
                name="back",
                label=N_("How far the money has come"),
                value=lambda view: view.back,
            ),
        ),
        needed=("back",),
        preview=_shown("payment_too_late"),
        place=1,
    ),
)
