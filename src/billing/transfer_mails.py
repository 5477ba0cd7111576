"""The mails about bank transfers to guests: how to pay, a reminder, that a part has come, and that
it is too late.
"""

from datetime import timedelta

from sqlalchemy import select

from src.billing.domain.kinds import GIVEN_UP_WHY, RELEASED_WHY, OrderState
from src.billing.domain.transfers import TransferTerms, spaced_iban
from src.billing.lines import handlers_of
from src.billing.models import Order
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.payment_settings import find_transfer_account
from src.billing.queries.transfers import due_on_of, get_received_minor
from src.billing.queries.what_was_bought import what_was_bought
from src.billing.views.transfers import TransferMail
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.mail.queue import Mail
from src.platform.money import Money, format_money
from src.platform.web.formats import day_medium
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    REFERENCE,
    SHIPPED,
    MailKind,
    Placeholder,
    Preview,
    Wordings,
    register_mail_kind,
    render_worded,
)

AWAITED, REMINDER, OVER = "transfer_awaited", "transfer_reminder", "transfer_over"
PART = "transfer_part"
_EXAMPLE = TransferTerms(holder="Example", iban="DE89370400440532013000")


async def transfer_mail(
    uow: UnitOfWork,
    settings: Settings,
    tenant: TenantSnapshot,
    order: Order,
    kind: str,
    wordings: Wordings = SHIPPED,
    *,
    key: str = "",
    is_changed: bool = False,
    example_minor: int = 0,
) -> Mail:
    """Once for each order and kind, and for each `key` of it. `example_minor` is shown as what has
    come where nothing has.
    """
    account = await find_transfer_account(uow) or _EXAMPLE
    came_minor = await get_received_minor(uow, order.id) or example_minor
    due_on = due_on_of(order, tenant.zone) or to_local(uow.clock.now(), tenant.zone).date()
    handlers = await handlers_of(uow, order)
    path = next((one.guest_path(settings, tenant.slug, order) for one in handlers), "")
    with use_locale(order.locale):
        view = TransferMail(
            locale=order.locale,
            from_name=tenant.name,
            guest_name=order.guest_name,
            reference=order.reference,
            what=await what_was_bought(uow, order, tenant.zone) or _("Your service"),
            amount=_money(order, order.to_pay_minor - came_minor),
            due=day_medium(due_on),
            holder=account.holder,
            iban=spaced_iban(account.iban),
            bic=account.bic,
            text=account.text,
            contact=tenant.contact_email,
            href=settings.base_url + (path or f"/b/{tenant.slug}"),
            is_changed=is_changed,
            released=order.closed_why == RELEASED_WHY,
            given_up=order.closed_why == GIVEN_UP_WHY,
            came=_money(order, came_minor) if came_minor else "",
            price=_worked_out(order, await coupon_code_of(uow, order)),
            on_voucher=_on_voucher(order),
            holds_places=not handlers or any(one.holds_places for one in handlers),
        )
    words = render_worded(kind, view, order.locale, wordings)
    return Mail(
        kind=f"billing.{kind}",
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=":".join(filter(None, (kind, str(order.id), key))),
    )


def _worked_out(order: Order, coupon: str) -> str:
    """What the amount to transfer is made of: the discount is off the price already."""
    said = []
    if order.voucher_minor:
        said.append(_("Price: %(amount)s", amount=_money(order, order.total_minor)))
        said.append(_("A voucher pays: %(amount)s", amount=_money(order, order.voucher_minor)))
    if order.discount_minor:
        amount = _money(order, order.discount_minor)
        words = _("Discount, taken off already: %(amount)s", amount=amount)
        said.append(f"{words} ({coupon})" if coupon else words)
    return " · ".join(said)


def _on_voucher(order: Order) -> str:
    """Of an order that has ended: what was to pay a part of it is whole again."""
    ended = order.state in (OrderState.EXPIRED, OrderState.CANCELLED)
    return _money(order, order.voucher_minor) if order.voucher_minor and ended else ""


def _money(order: Order, minor: int) -> str:
    return format_money(Money(minor, order.currency), order.locale)


def register_transfer_mails() -> None:
    for kind in _KINDS:
        register_mail_kind(kind)


async def example_order(uow: UnitOfWork, asked: Preview) -> Order:
    """The business's latest order, or one that is made up where there is none yet."""
    latest: Order | None = await uow.session.scalar(
        select(Order)
        .where(Order.tenant_id == uow.tenant)
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(1)
    )
    with use_locale(asked.locale):
        name, email = _("Alex Example"), "alex@example.com"
    now = uow.clock.now()
    return Order(
        tenant_id=uow.tenant,
        id=latest.id if latest is not None else new_id(),
        reference=latest.reference if latest is not None else "ABC-123",
        customer_id=new_id(),
        state="open",
        payment_mode="transfer",
        currency=asked.tenant.currency,
        total_minor=latest.total_minor if latest is not None else 1500,
        discount_minor=0,
        voucher_minor=0,
        guest_name=latest.guest_name if latest is not None else name,
        guest_email=latest.guest_email if latest is not None else email,
        locale=asked.locale,
        link_version=latest.link_version if latest is not None else 0,
        created_at=latest.created_at if latest is not None else now,
        hold_expires_at=now + timedelta(days=7),
        closed_why=None,
    )


async def _preview(uow: UnitOfWork, asked: Preview, key: str) -> Mail:
    shown = await example_order(uow, asked)
    return await transfer_mail(
        uow,
        asked.settings,
        asked.tenant,
        shown,
        key,
        asked.wordings,
        key="preview",
        example_minor=shown.total_minor // 3 if key == PART else 0,
    )


async def _awaited(uow: UnitOfWork, asked: Preview) -> Mail:
    return await _preview(uow, asked, AWAITED)


async def _reminder(uow: UnitOfWork, asked: Preview) -> Mail:
    return await _preview(uow, asked, REMINDER)


async def _part(uow: UnitOfWork, asked: Preview) -> Mail:
    return await _preview(uow, asked, PART)


async def _over(uow: UnitOfWork, asked: Preview) -> Mail:
    return await _preview(uow, asked, OVER)


ABOUT = (
    CUSTOMER_NAME,
    BUSINESS,
    Placeholder(name="amount", label=N_("What is to be paid"), value=lambda view: view.amount),
    REFERENCE,
    Placeholder(name="service", label=N_("What was booked"), value=lambda view: view.what),
    Placeholder(
        name="booking_link",
        label=N_("The page of what was booked; alone in a paragraph, a button"),
        value=lambda view: view.href,
    ),
    CONTACT,
)
_HOW = (
    *ABOUT,
    Placeholder(name="due", label=N_("The last day for the money"), value=lambda view: view.due),
    Placeholder(
        name="account_holder", label=N_("Whose account it is"), value=lambda view: view.holder
    ),
    Placeholder(name="iban", label=N_("The account's IBAN"), value=lambda view: view.iban),
    Placeholder(name="bic", label=N_("The account's BIC, if any"), value=lambda view: view.bic),
)
_NEEDED = ("amount", "iban", "reference", "due")

_KINDS = (
    MailKind(
        key=AWAITED,
        template="billing/transfer_awaited",
        title=N_("How to pay by bank transfer"),
        occasion=N_("When a guest books and pays by bank transfer, or the last day is moved."),
        starter_subject=N_("Please transfer {amount} by {due}"),
        starter=N_(
            "Hello {customer_name},\n\nplease transfer {amount} by {due}:\n\n{account_holder}\n"
            "IBAN: {iban}\nReference: {reference}\n\n{service}\n\n{booking_link}\n\n{business}"
        ),
        button=N_("See your booking"),
        placeholders=_HOW,
        needed=_NEEDED,
        preview=_awaited,
        place=1,
    ),
    MailKind(
        key=REMINDER,
        template="billing/transfer_reminder",
        title=N_("Reminder of a bank transfer"),
        occasion=N_("Two days before the last day for the money, while it has not come."),
        starter_subject=N_("Your transfer has not come yet"),
        starter=N_(
            "Hello {customer_name},\n\nwe still wait for {amount}, until {due}:\n\n"
            "{account_holder}\nIBAN: {iban}\nReference: {reference}\n\n{service}\n\n"
            "{booking_link}\n\n{business}"
        ),
        button=N_("See your booking"),
        placeholders=_HOW,
        needed=_NEEDED,
        preview=_reminder,
        place=1,
    ),
    MailKind(
        key=PART,
        template="billing/transfer_part",
        title=N_("A part of a bank transfer has come"),
        occasion=N_("When you note less than the price, while the rest is still waited for."),
        starter_subject=N_("We have received {came}; {amount} is still missing"),
        starter=N_(
            "Hello {customer_name},\n\nwe have received {came}. {amount} is still missing, until"
            " {due}:\n\n{account_holder}\nIBAN: {iban}\nReference: {reference}\n\n{service}\n\n"
            "{booking_link}\n\n{business}"
        ),
        button=N_("See your booking"),
        placeholders=(
            *_HOW,
            Placeholder(name="came", label=N_("What has come"), value=lambda view: view.came),
        ),
        needed=(*_NEEDED, "came"),
        preview=_part,
        place=1,
    ),
    MailKind(
        key=OVER,
        template="billing/transfer_over",
        title=N_("A bank transfer that did not come"),
        occasion=N_("When a transfer is not waited for any more."),
        starter_subject=N_("Nothing is held for you any more"),
        starter=N_(
            "Hello {customer_name},\n\nyour transfer has not come, so that {service} is not held"
            " for you any more. Please do not send it now.\n\n{booking_link}\n\n{business}"
        ),
        button=N_("See your booking"),
        placeholders=ABOUT,
        preview=_over,
        place=1,
    ),
)
