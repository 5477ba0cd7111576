"""The mails about parts of a price, as businesses may word them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta

from sqlalchemy import select

from src.billing.commands.instalments import list_parts
from src.billing.domain.parts import PartState
from src.billing.models import Instalment, Order
from src.billing.part_mails import (
    COMING,
    FAILED,
    OVERDUE,
    PAID,
    TO_PAY,
    WAIVED,
    AboutPart,
    about_parts,
    part_mail,
)
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.ids import new_id
from src.platform.localtime import to_local
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

_AMOUNT = Placeholder(name="amount", label=N_("How much it is"), value=lambda view: view.amount)
_PART = Placeholder(
    name="part", label=N_("Which part it is, as “part 2 of 4”"), value=lambda view: view.part
)
_DAY = Placeholder(
    name="date",
    label=N_("The day it falls due, or is charged again"),
    value=lambda view: view.day,
)
_LINK = Placeholder(
    name="booking_link",
    label=N_("The page of the purchase; alone in a paragraph, a button"),
    value=lambda view: view.href,
)
_REST = Placeholder(name="rest", label=N_("What is left to pay"), value=lambda view: view.rest)
_WHAT = Placeholder(name="service", label=N_("What was bought"), value=lambda view: view.what)
_ALL = (CUSTOMER_NAME, BUSINESS, _AMOUNT, _PART, _WHAT, REFERENCE, _LINK, CONTACT)


def register_part_mails() -> None:
    _register(
        COMING,
        title=N_("A part will be charged"),
        occasion=N_("Three days before a part of a price is charged to the guest's card."),
        subject=N_("{amount} for {service} will be charged on {date}"),
        text=N_(
            "Hello {customer_name},\n\n{amount} will be charged to your card on {date}: {part} of"
            " “{service}”. You can also pay it before.\n\n{booking_link}\n\n{business}"
        ),
        more=(_DAY,),
        needed=("amount", "date"),
    )
    _register(
        TO_PAY,
        title=N_("A part is to be paid by hand"),
        occasion=N_(
            "Three days before a part of a price falls due, where no card is left to be charged."
        ),
        subject=N_("Please pay {amount} for {service} before {date}"),
        text=N_(
            "Hello {customer_name},\n\n{amount} falls due on {date}: {part} of “{service}”. It is"
            " not charged to a card any more. Please pay it here.\n\n{booking_link}\n\n{business}"
        ),
        more=(_DAY,),
        needed=("amount", "date", "booking_link"),
    )
    _register_paid()
    _register_last()


def _register_paid() -> None:
    """What came of a charge, or of a payment by hand."""
    _register(
        PAID,
        title=N_("A part was paid"),
        occasion=N_("When a later part of a price was paid, by the card or by hand."),
        subject=N_("Your payment of {amount} for {service}"),
        text=N_(
            "Hello {customer_name},\n\n{amount} was paid: {part} of “{service}”. Thank you."
            " {rest}\n\n{booking_link}\n\n{business}"
        ),
        more=(_REST,),
        needed=("amount",),
    )
    _register(
        FAILED,
        title=N_("A part could not be charged"),
        occasion=N_("When the card does not pay a part the first time; it is tried again."),
        subject=N_("Your card did not pay {amount} for {service}"),
        text=N_(
            "Hello {customer_name},\n\n{amount} could not be charged to your card: {part} of"
            " “{service}”. We try again on {date}; you can pay it yourself before."
            "\n\n{booking_link}\n\n{business}"
        ),
        more=(_DAY,),
        needed=("amount", "booking_link"),
    )


def _register_last() -> None:
    """Those of parts that are charged no more."""
    _register(
        OVERDUE,
        title=N_("A part is overdue"),
        occasion=N_("When a part is not paid in time and no card is charged for it any more."),
        subject=N_("Please pay {amount} for {service}"),
        text=N_(
            "Hello {customer_name},\n\n{amount} fell due on {date} and is not paid: {part} of"
            " “{service}”. Please pay it here.\n\n{booking_link}\n\n{business}"
        ),
        more=(_DAY,),
        needed=("amount", "booking_link"),
    )
    _register(
        WAIVED,
        title=N_("A part need not be paid"),
        occasion=N_("When you let a guest off a part of a price."),
        subject=N_("You need not pay {amount} for {service}"),
        text=N_(
            "Hello {customer_name},\n\nYou need not pay {amount}: {part} of “{service}”."
            " {rest}\n\n{booking_link}\n\n{business}"
        ),
        more=(_REST,),
        needed=("amount",),
    )


def _register(
    key: str,
    *,
    title: str,
    occasion: str,
    subject: str,
    text: str,
    more: tuple[Placeholder, ...],
    needed: tuple[str, ...],
) -> None:
    register_mail_kind(
        MailKind(
            key=key,
            template="billing/part",
            title=title,
            occasion=occasion,
            starter_subject=subject,
            starter=text,
            button=N_("See the parts"),
            placeholders=(*_ALL, *more),
            needed=needed,
            preview=_shown(key),
            place=1,
        )
    )


def _shown(key: str) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    """With the latest purchase in parts, or a made-up one for who never had any."""

    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        order: Order | None = await uow.session.scalar(
            select(Order)
            .where(Order.tenant_id == uow.tenant, Order.later_minor > 0)
            .order_by(Order.created_at.desc(), Order.id.desc())
            .limit(1)
        )
        if order is None:
            return part_mail(
                asked.settings, asked.tenant, key, _made_up(uow, asked), asked.wordings
            )
        uow.session.expunge(order)
        order.locale = asked.locale
        parts = await list_parts(uow, order.id)
        about = await about_parts(
            uow, asked.settings, asked.tenant, order, parts[1:2], parts, "preview"
        )
        return part_mail(asked.settings, asked.tenant, key, about, asked.wordings)

    return preview


def _made_up(uow: UnitOfWork, asked: Preview) -> AboutPart:
    today_on = to_local(uow.clock.now(), asked.tenant.zone).date()
    with use_locale(asked.locale):
        name, what = _("Alex Example"), _("10 sessions")
    order = Order(
        reference="ABC-123",
        guest_name=name,
        guest_email="alex@example.com",
        locale=asked.locale,
        currency=asked.tenant.currency,
        link_version=0,
    )
    parts = _made_up_parts(today_on)
    return AboutPart(
        order=order,
        parts=parts[1:2],
        all_parts=parts,
        what=what,
        path=f"/b/{asked.tenant.slug}",
        mark="preview",
    )


def _made_up_parts(today_on: date) -> Sequence[Instalment]:
    return [
        Instalment(
            id=new_id(),
            number=number,
            due_on=today_on + timedelta(days=28 * (number - 1)),
            minor=3000,
            state=str(PartState.PAID if number == 1 else PartState.DUE),
        )
        for number in range(1, 5)
    ]
