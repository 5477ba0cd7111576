"""Selling vouchers: to guests who pay online, and by staff who were paid on site."""

import hashlib
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Table

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.orders import NewLine, NewOrder, insert_order
from src.billing.commands.voucher_lines import VOUCHER_KIND, called
from src.billing.commands.voucher_settings import VoucherOffer, get_voucher_offer
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.vouchers import (
    FURTHEST_SENDING_DAYS,
    LARGEST_VOUCHER_MINOR,
    VoucherSource,
    VoucherState,
    expiry_of,
    new_code,
)
from src.billing.gates import require_payments_ready_now
from src.billing.models import Order, Voucher
from src.platform.db.constraints import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, Unavailable
from src.platform.i18n import _, use_locale
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now
from src.tenants.queries.tenants import tenant_snapshot

VOUCHERS = cast(Table, Voucher.__table__)

register_constraint(
    "uq_vouchers_code", lambda: Unavailable(_("Please try that once more."), code="busy")
)


class SellVoucher(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher that somebody wants. Without a `recipient_email` it goes to the buyer, to be handed
    over; `send_on` is the day on which it is mailed, None: as soon as it is paid. `is_paid`: staff
    have the money; without that the voucher waits until its order is marked as paid.
    """

    amount_minor: int
    buyer_name: str
    buyer_email: str
    form_token: str
    recipient_name: str = ""
    recipient_email: str = ""
    message: str = ""
    send_on: date | None = None
    locale: str = "en"
    is_paid: bool = False

    def fingerprint(self) -> str:
        """Equal for a repeated submit, different when anything that was chosen has changed."""
        said = msgspec.structs.replace(self, form_token="", locale="")
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


async def sell_voucher(uow: UnitOfWork, ctx: RequestContext, cmd: SellVoucher) -> Order:
    """A guest's: the order waits for its payment, and the voucher with it.

    Raises: Conflict where none are sold just now, InvalidInput.
    """
    tenant = await tenant_snapshot(uow, ctx.here.id, uow.clock.now())
    offer = await get_voucher_offer(uow)
    is_open = tenant.status.sells and tenant.is_confirmed
    if not offer.is_on or not is_open or not tenant.entitlements.has(Feature.COUPONS):
        raise not_sold()
    await require_payments_ready_now(uow)
    _check(uow, tenant, offer, cmd)
    return await _write(uow, tenant, offer, cmd, PaymentMode.ONLINE, VoucherSource.SOLD)


async def sell_voucher_by_staff(uow: UnitOfWork, ctx: RequestContext, cmd: SellVoucher) -> Order:
    """Over any amount, also where guests can buy none; paid on site.

    Raises: PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.COUPONS)
    if not 0 < cmd.amount_minor <= LARGEST_VOUCHER_MINOR:
        sentence = _("Please give an amount above nothing, and not an enormous one.")
        raise InvalidInput(sentence, fields={"amount": sentence})
    _check_day(uow, ctx.here, cmd)
    offer = await get_voucher_offer(uow)
    order = await _write(uow, ctx.here, offer, cmd, PaymentMode.ON_SITE, VoucherSource.STAFF)
    detail = {"amount_minor": cmd.amount_minor, "currency": order.currency}
    await audit(uow, ctx, "voucher.sold", "order", order.id, **detail)
    await uow.settle()
    if cmd.is_paid:
        await mark_paid_on_site(uow, ctx, order.id)
    return order


def not_sold() -> Conflict:
    return Conflict(
        _("Vouchers cannot be bought here at present. Please contact the business."),
        code="vouchers_not_sold",
    )


def _check(uow: UnitOfWork, tenant: TenantSnapshot, offer: VoucherOffer, cmd: SellVoucher) -> None:
    if not offer.sells(cmd.amount_minor):
        sentence = _("Please choose one of the amounts.")
        raise InvalidInput(sentence, fields={"amount": sentence})
    _check_day(uow, tenant, cmd)


def wrong_sending_day(send_on: date | None, now: datetime, zone: ZoneInfo) -> str:
    """What is wrong with the day on which a voucher is to be mailed, "" where nothing is."""
    if send_on is None:
        return ""
    today = to_local(now, zone).date()
    if today <= send_on <= today + timedelta(days=FURTHEST_SENDING_DAYS):
        return ""
    return _("Please choose a day from today on, within a year.")


def _check_day(uow: UnitOfWork, tenant: TenantSnapshot, cmd: SellVoucher) -> None:
    sentence = wrong_sending_day(cmd.send_on, uow.clock.now(), tenant.zone)
    if sentence:
        raise InvalidInput(sentence, fields={"send_on": sentence})


async def _write(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    offer: VoucherOffer,
    cmd: SellVoucher,
    mode: PaymentMode,
    source: VoucherSource,
) -> Order:
    """The order and its voucher, which nobody else waits for. It counts as no booking."""
    now, voucher_id = uow.clock.now(), new_id()
    customer_id = await find_or_add_customer(uow, cmd.buyer_email, cmd.buyer_name, "", now)
    with use_locale(tenant.locale):
        description = called(cmd.amount_minor, tenant.currency)
    line = NewLine(
        kind=VOUCHER_KIND,
        subject_id=voucher_id,
        description=description,
        unit_minor=cmd.amount_minor,
    )
    new = NewOrder(
        order_id=new_id(),
        customer_id=customer_id,
        payment_mode=mode,
        currency=tenant.currency,
        lines=(line,),
        guest_name=cmd.buyer_name,
        guest_email=cmd.buyer_email,
        form_token=cmd.form_token,
        fingerprint=cmd.fingerprint(),
        source="hub" if mode is PaymentMode.ONLINE else "staff",
        locale=cmd.locale,
    )
    order = await insert_order(uow, new, month=None, now=now)
    expires_at = expiry_of(
        to_local(now, tenant.zone).date(),
        tenant.zone,
        valid_months=offer.valid_months,
        to_year_end=offer.to_year_end,
    )
    row = {
        **voucher_row(uow, voucher_id, cmd.amount_minor, tenant.currency),
        "source": str(source),
        "expires_at": expires_at,
        "order_id": new.order_id,
        "customer_id": customer_id,
        "recipient_name": cmd.recipient_name,
        "recipient_email": cmd.recipient_email,
        "message": cmd.message,
        "locale": cmd.locale,
        "send_on": cmd.send_on,
    }
    uow.insert(VOUCHERS, [row])
    return order


def voucher_row(
    uow: UnitOfWork, voucher_id: UUID, amount_minor: int, currency: str
) -> dict[str, Any]:
    """All columns of a voucher but whose it is, with nothing on it yet."""
    return {
        "tenant_id": uow.tenant,
        "id": voucher_id,
        "code": new_code(),
        "state": str(VoucherState.PENDING),
        "currency": currency,
        "initial_minor": amount_minor,
        "balance_minor": 0,
        "times_asked": 0,
        "sent_at": None,
        "created_at": uow.clock.now(),
        "activated_at": None,
    }
