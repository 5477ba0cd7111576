"""Telling people about odd money: guests when it goes back, owners when they must look."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.fees import FEE_LINE
from src.billing.commands.orders import get_order, lock_order
from src.billing.commands.refunds import get_payment, get_refund
from src.billing.domain.cause_keys import not_delivered_key
from src.billing.domain.kinds import (
    GIVEN_UP_WHY,
    VOUCHER_METHOD,
    FeeState,
    OrderState,
    PaymentMode,
    RefundCause,
    RefundState,
)
from src.billing.events import (
    MoneyNeedsAttention,
    OrderRefunded,
    PaymentCameTooLate,
    RefundFailed,
)
from src.billing.fee_links import fee_path
from src.billing.fee_words import FeeStanding, why_not_asked
from src.billing.jobs.refunds import lock_refund
from src.billing.lines import handlers_of
from src.billing.mail_kinds import WAY
from src.billing.models import Fee, OpenItem, Order, OrderLine, Refund
from src.billing.open_item_words import open_item_sentence
from src.billing.queries.disputes import list_payments_with_the_bank
from src.billing.queries.fees import UNASKED
from src.billing.queries.refund_failures import has_failed_before, list_waiting_refunds
from src.billing.queries.what_was_bought import what_was_bought
from src.billing.views.mails import MoneyMail, OpenItemMail
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, use_locale
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import Mail, has_mail, queue_mail
from src.platform.mail.templates import render_mail
from src.platform.money import Money, format_money
from src.tenants.context import TenantSnapshot
from src.tenants.domain.roles import Role
from src.tenants.models import Member, User
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings
from src.tenants.worded_mails import SHIPPED, has_words_for, render_worded

PLATFORM_NAME = "Seatline"

TOLD_OF = (
    RefundCause.PAID_TWICE,
    RefundCause.NOT_ASKED,
    RefundCause.NOT_DELIVERED,
    RefundCause.STAFF,
)
"""Refunds with a mail of their own when they go. One that is too late is told of at once, and a
cancelling is told of by whoever cancelled."""

TOLD_BY_OTHERS = (RefundCause.CREDITS, RefundCause.PROCESSOR)
"""Refunds that no mail here is about: who owns credits hears of them, and what was done in the
processor's dashboard is the owner's to tell."""


async def tell_of_late_payment(job: JobContext, event: PaymentCameTooLate) -> None:
    """Nothing could be booked with the money when it came: it goes back, and the guest hears so."""
    async with job.unit_of_work(done=True) as uow:
        # Locked: either this mail says that the refund failed, or the failure's own follows it.
        order = await lock_order(uow, event.order_id)
        refund = await _late_refund(uow, event)
        if refund is None:
            return
        failed = refund.state == RefundState.FAILED
        key = _failure_key(refund.id, refund.attempt) if failed else _late_key(refund.id)
        await _tell_guest(job, uow, "payment_too_late", order, refund, key)


def _late_key(refund_id: UUID) -> str:
    return f"payment_too_late:{refund_id}"


def _failure_key(refund_id: UUID, attempt: int) -> str:
    return f"refund_failed:{refund_id}:{attempt}"


def _went_key(refund_id: UUID, attempt: int | None = None) -> str:
    """Without an attempt for one of which no try had failed."""
    return f"refunded:{refund_id}" if attempt is None else f"refunded:{refund_id}:{attempt}"


async def _late_refund(uow: UnitOfWork, event: PaymentCameTooLate) -> Refund | None:
    """The refund the event is about: the order's newest, if it is too old an event to say."""
    if event.refund_id is not None:
        return await get_refund(uow, event.refund_id)
    found: Refund | None = await uow.session.scalar(
        select(Refund)
        .where(
            Refund.tenant_id == uow.tenant,
            Refund.order_id == event.order_id,
            Refund.cause == str(RefundCause.TOO_LATE),
        )
        .order_by(Refund.created_at.desc())
        .limit(1)
    )
    return found


async def tell_of_refund(job: JobContext, event: OrderRefunded) -> None:
    """Money is on its way back to the guest's card, or on their voucher again."""
    async with job.unit_of_work(done=True) as uow:
        # Locked, since which mails were read decides what a failure meanwhile is told as.
        order, refund = await lock_refund(uow, event.refund_id)
        if refund.state != RefundState.SUCCEEDED or not await _is_told(uow, refund):
            return
        has_failed = await has_failed_before(uow, refund.id)
        key = _went_key(refund.id, refund.attempt if has_failed else None)
        await _tell_guest(job, uow, "refunded", order, refund, key)


async def _is_told(uow: UnitOfWork, refund: Refund) -> bool:
    """Whether its going has a mail of its own: whoever has read that it failed hears that it went
    after all, whatever it is for.
    """
    if refund.cause in TOLD_BY_OTHERS:
        return False
    if await has_failed_before(uow, refund.id):
        return True
    if refund.cause not in TOLD_OF or _is_told_by_cancelling(refund):
        return False
    return not await _is_new_voucher(uow, refund)


def _is_told_by_cancelling(refund: Refund) -> bool:
    """Whether seats were freed after they had been paid for: their own mail says what comes back.

    A part that could not be delivered at the moment of paying has no other mail than ours.
    """
    of_payment = not_delivered_key(refund.payment_id)
    return refund.cause == RefundCause.NOT_DELIVERED and refund.cause_key != of_payment


async def _is_new_voucher(uow: UnitOfWork, refund: Refund) -> bool:
    """Whether it was given as a voucher, whose own mail tells of it."""
    if refund.voucher_id is None:
        return False
    return (await get_payment(uow, refund.payment_id)).method != VOUCHER_METHOD


async def tell_of_failed_refund(job: JobContext, event: RefundFailed) -> None:
    """What was to come back did not arrive. The guest hears nothing where it went after all by now,
    where something else has taken its place, or where their bank has the money.
    """
    async with job.unit_of_work(done=True) as uow:
        order, refund = await lock_refund(uow, event.refund_id)
        if refund.cause in TOLD_BY_OTHERS or not await _is_missing(uow, refund):
            return
        read = await _last_read(uow, refund)
        if read is _Read.FAILED or (read is None and refund.cause == RefundCause.TOO_LATE):
            # Of a late payment its own mail says it, which is still to come.
            return
        # The event may come late: the mail tells of the failure that stands.
        attempt = refund.attempt if refund.state == RefundState.FAILED else event.attempt
        key = _failure_key(refund.id, attempt)
        await _tell_guest(job, uow, "refund_failed", order, refund, key)


class _Read(StrEnum):
    """What somebody's last mail about a refund says of it."""

    GOES = "goes"
    FAILED = "failed"


async def _last_read(uow: UnitOfWork, refund: Refund) -> _Read | None:
    """None where no mail was about it yet. Of one try its failure is the last word."""
    for attempt in range(refund.attempt, 0, -1):
        if await has_mail(uow, _failure_key(refund.id, attempt)):
            return _Read.FAILED
        if await has_mail(uow, _went_key(refund.id, attempt)):
            return _Read.GOES
    goes = await has_mail(uow, _went_key(refund.id)) or await has_mail(uow, _late_key(refund.id))
    return _Read.GOES if goes else None


async def _is_missing(uow: UnitOfWork, refund: Refund) -> bool:
    """Whether the guest has reason to wait for it: it may just be tried again."""
    if refund.payment_id in await list_payments_with_the_bank(uow, refund.order_id):
        return False
    if refund.state != RefundState.FAILED:
        return refund.state == RefundState.PENDING
    waiting = await list_waiting_refunds(uow, refund.payment_id)
    return refund.id in {one.refund_id for one in waiting}


async def tell_of_open_item(job: JobContext, event: MoneyNeedsAttention) -> None:
    """Every owner hears of money that no rule can decide about."""
    async with job.unit_of_work(done=True) as uow:
        item = await uow.session.get(OpenItem, {"tenant_id": uow.tenant, "id": event.open_item_id})
        if item is None or item.closed_at is not None:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        for owner in await _owners(uow):
            await _tell_owner(uow, job.services.settings, tenant, owner, item)


async def _owners(uow: UnitOfWork) -> list[User]:
    found = await uow.session.scalars(
        select(User)
        .join(Member, Member.user_id == User.id)
        .where(Member.tenant_id == uow.tenant, Member.role == Role.OWNER.value)
        .order_by(User.id)
    )
    return list(found)


async def _tell_guest(
    job: JobContext, uow: UnitOfWork, kind: str, order: Order, refund: Refund, key: str
) -> None:
    if not order.guest_email:
        return
    settings: Settings = job.services.settings
    tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
    payment = await get_payment(uow, refund.payment_id)
    amount = Money(refund.amount_minor, payment.currency)
    path = await _guest_path(uow, settings, tenant, order) if kind == "refund_failed" else ""
    with use_locale(order.locale):
        what = await what_was_bought(uow, order, tenant.zone)
    view = MoneyMail(
        locale=order.locale,
        from_name=tenant.name,
        guest_name=order.guest_name,
        reference=order.reference,
        what=what,
        amount=format_money(amount, order.locale),
        reason=_reason(refund, order, tenant, await _fee_standing(uow, order)),
        back=_back(refund, order),
        to_voucher=refund.voucher_id is not None,
        contact=tenant.contact_email,
        href=settings.base_url + (path or f"/b/{tenant.slug}"),
    )
    wordings = await find_wordings(uow)
    if view.to_voucher and not has_words_for(kind, WAY.name, order.locale, wordings):
        wordings = SHIPPED
    words = render_worded(kind, view, order.locale, wordings)
    mail = Mail(
        kind=f"billing.{kind}",
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=key,
    )
    await queue_mail(uow, mail, host=settings.host)


async def _guest_path(
    uow: UnitOfWork, settings: Settings, tenant: TenantSnapshot, order: Order
) -> str:
    """To the page that says of the order's money how it stands."""
    fee = await _find_fee(uow, order)
    if fee is not None:
        return fee_path(settings, tenant.slug, fee, await get_order(uow, fee.order_id))
    handlers = await handlers_of(uow, order)
    return next((one.guest_path(settings, tenant.slug, order) for one in handlers), "")


async def _find_fee(uow: UnitOfWork, order: Order) -> Fee | None:
    of = (OrderLine.tenant_id == uow.tenant, OrderLine.order_id == order.id)
    found: Fee | None = await uow.session.scalar(
        select(Fee)
        .join(OrderLine, (OrderLine.tenant_id == Fee.tenant_id) & (OrderLine.subject_id == Fee.id))
        .where(*of, OrderLine.kind == FEE_LINE)
    )
    return found


async def _fee_standing(uow: UnitOfWork, order: Order) -> FeeStanding | None:
    """How the fee stands that the order was to pay; None where it was for something else."""
    fee = await _find_fee(uow, order)
    if fee is None:
        return None
    if fee.state != FeeState.PAID or fee.pays_id is None:
        return FeeStanding(is_paid=fee.state == FeeState.PAID)
    paid_by = await get_order(uow, fee.pays_id)
    return FeeStanding(is_paid=True, is_on_site=paid_by.payment_mode == PaymentMode.ON_SITE)


def _reason(refund: Refund, order: Order, tenant: TenantSnapshot, fee: FeeStanding | None) -> str:
    """Why the money goes back, in the guest's language."""
    with use_locale(order.locale):
        if fee is not None and refund.cause in UNASKED:
            return why_not_asked(fee)
        if refund.cause == RefundCause.PAID_TWICE:
            return _("You had paid for this booking before. Your booking stands.")
        if refund.cause == RefundCause.NOT_ASKED:
            return _("It was for a part of the price that you need not pay any more.")
        if refund.cause == RefundCause.CANCELLED or _is_told_by_cancelling(refund):
            return _("What you had paid it for was cancelled.")
        if refund.cause == RefundCause.NOT_DELIVERED and refund.amount_minor >= order.total_minor:
            return _("All of what you booked was cancelled just before your payment came.")
        if refund.cause == RefundCause.NOT_DELIVERED:
            return _(
                "A part of what you booked was cancelled just before your payment came. The rest"
                " of your booking stands."
            )
        if refund.cause == RefundCause.TOO_LATE:
            return _why_too_late(order, tenant)
        return _("%(business)s decided to give this amount back.", business=tenant.name)


def _why_too_late(order: Order, tenant: TenantSnapshot) -> str:
    if order.state == OrderState.CANCELLED and order.closed_why == GIVEN_UP_WHY:
        return _("You had given the places up before it came.")
    if order.state == OrderState.CANCELLED:
        return _("%(business)s had cancelled what you booked before it came.", business=tenant.name)
    return _("The time to pay was over, and by then the places had gone to others.")


def _back(refund: Refund, order: Order) -> str:
    with use_locale(order.locale):
        if refund.state == RefundState.FAILED:
            return _(
                "Your money has not gone back yet: the business has been told and is looking into"
                " it."
            )
        return _("All of it is on its way back to you. Banks take up to ten days.")


async def _tell_owner(
    uow: UnitOfWork, settings: Settings, tenant: TenantSnapshot, owner: User, item: OpenItem
) -> None:
    with use_locale(owner.locale):
        sentence = open_item_sentence(item)
    view = OpenItemMail(
        locale=owner.locale,
        from_name=PLATFORM_NAME,
        name=owner.name,
        business=tenant.name,
        sentence=sentence,
        href=f"{settings.base_url}/app/{tenant.slug}/orders/{_subject(item)}",
    )
    words = render_mail("billing/open_item", view, owner.locale)
    mail = Mail(
        kind="billing.open_item",
        to_address=owner.email,
        to_name=owner.name,
        from_name=PLATFORM_NAME,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"open-item:{item.id}:{item.created_at.isoformat()}:{owner.id}",
    )
    await queue_mail(uow, mail, host=settings.host)


def _subject(item: OpenItem) -> UUID:
    """The order to look at; every kind of item so far is about one."""
    return item.order_id or item.subject_id
