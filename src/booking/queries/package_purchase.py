"""One bought package for whoever has its link, or its buyer: how it stands, and its money."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select

from src.billing.domain.credits import LotState, lot_state
from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import (
    CALLED_OFF_WHY,
    GIVEN_UP_WHY,
    OrderEnd,
    OrderState,
    PaymentMode,
    order_end,
)
from src.billing.domain.package_sale import WAITS_FOR_MONEY
from src.billing.models import CreditEntry, CreditLot, Order
from src.billing.owed import get_discount_minor, get_owed_minor
from src.billing.queries.cards import find_card_attempt
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.credit_lists import list_granted
from src.billing.queries.disputes import get_taken_back_minor
from src.billing.queries.lots import lot_facts, scope_of
from src.billing.queries.parts import get_parts_view
from src.billing.queries.receipts import in_circle_minor, list_taxes
from src.billing.queries.to_hand_back import get_to_hand_back_minor
from src.billing.queries.transfers import find_how_to_transfer, get_beside_price
from src.booking.guest_links import package_path
from src.booking.queries.guest_money import GuestMoney, get_guest_money, went_back
from src.booking.queries.guest_packages import list_sold_singly, works_for
from src.booking.views.guest_packages import PurchaseView
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

_ENDS = {
    OrderEnd.GIVEN_UP: "given_up",
    OrderEnd.RELEASED: "released",
    OrderEnd.NOT_PAYABLE: "not_payable",
}

_LAPSED = {GIVEN_UP_WHY: "let_go", CALLED_OFF_WHY: "called_off"}
"""How a package that waited for money at the desk came to nothing before its time was over."""


async def get_purchase(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    settings: Settings,
    order_id: UUID,
    *,
    has_paid: bool = False,
) -> PurchaseView:
    """`has_paid`: the guest comes from the payment page. Raises: NotFound."""
    money = await get_guest_money(uow, order_id)
    order, lot = await find_bought(uow, order_id)
    now = uow.clock.now()
    attempt, has_paid = await find_card_attempt(uow, order_id, has_paid=has_paid)
    stage = _stage(order, lot, money, now, has_paid=has_paid)
    back = await went_back(uow, order, money)
    went_round_minor = await _went_round_minor(uow, order, back["to_voucher_minor"])
    back["to_voucher_minor"] -= went_round_minor
    return PurchaseView(
        stage=stage,
        reference=order.reference,
        name=lot.name,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        **await _credits(uow, lot),
        state=str(lot_state(lot_facts(lot), now)),
        expires_at=lot.expires_at,
        validity_days=lot.validity_days,
        works_for=works_for(scope_of(lot), await list_sold_singly(uow), tenant.slug),
        bought_at=order.created_at,
        coupon=await coupon_code_of(uow, order),
        discount_minor=await get_discount_minor(uow, order),
        total_minor=order.total_minor,
        taxes=await list_taxes(uow, order_id),
        voucher_minor=order.voucher_minor,
        to_pay_minor=order.to_pay_minor,
        paid_minor=order.paid_minor - went_round_minor,
        owed_minor=await get_owed_minor(uow, order_id),
        **back,
        taken_back_minor=await get_taken_back_minor(uow, order_id),
        to_hand_back_minor=await get_to_hand_back_minor(uow, order_id),
        beside=await get_beside_price(uow, order),
        payment_mode=order.payment_mode,
        money_back=money.back,
        hold_until_at=payable_until(order.hold_expires_at),
        waits_until_at=order.created_at + WAITS_FOR_MONEY if stage == "waiting" else None,
        currency=order.currency,
        zone=tenant.zone,
        path=package_path(settings, tenant.slug, order),
        hub_href=f"/b/{tenant.slug}",
        packages_href=f"/b/{tenant.slug}/packages",
        me_href=f"/b/{tenant.slug}/me",
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        looks_again=has_paid and stage == "too_late" and money.is_kept,
        transfer=await find_how_to_transfer(uow, order, tenant.zone),
        attempt=attempt,
        in_parts=await get_parts_view(uow, order, tenant.zone),
    )


async def find_bought(uow: UnitOfWork, order_id: UUID) -> tuple[Order, CreditLot]:
    """Raises: NotFound for an order of anything else."""
    found = await uow.session.execute(
        select(Order, CreditLot)
        .join(
            CreditLot, (CreditLot.tenant_id == Order.tenant_id) & (CreditLot.order_id == Order.id)
        )
        .where(Order.tenant_id == uow.tenant, Order.id == order_id, CreditLot.source == "package")
        .order_by(CreditLot.id)
        .limit(1)
    )
    row = found.first()
    if row is None:
        raise NotFound(_("There is no such purchase."))
    return row[0], row[1]


async def _credits(uow: UnitOfWork, lot: CreditLot) -> dict[str, Any]:
    """How many there were and are, as `PurchaseView` has them."""
    granted = (await list_granted(uow, [lot.id])).get(lot.id, lot.bought)
    return {
        "credits": lot.bought,
        "granted": granted,
        "left": lot.balance,
        "gone": await _gone(uow, lot, granted),
    }


async def _gone(uow: UnitOfWork, lot: CreditLot, granted: int) -> str:
    """Where the credits of an empty lot went, by its ledger."""
    if lot.balance or lot.state != LotState.ACTIVE:
        return ""
    used = await uow.session.scalar(
        select(-func.coalesce(func.sum(CreditEntry.credits), 0)).where(
            CreditEntry.tenant_id == uow.tenant,
            CreditEntry.lot_id == lot.id,
            CreditEntry.seat_id.is_not(None),
        )
    )
    is_rolled_over = await uow.session.scalar(
        select(
            exists().where(CreditLot.tenant_id == uow.tenant, CreditLot.rolled_from_id == lot.id)
        )
    )
    if is_rolled_over:
        return "rolled_over"
    if not used:
        return "taken_off"
    return "used" if used >= granted else "parted"


async def _went_round_minor(uow: UnitOfWork, order: Order, to_voucher_minor: int) -> int:
    """Of what goes back to its voucher, what was paid with it once more."""
    found = await uow.session.scalar(
        select(in_circle_minor()).where(Order.tenant_id == uow.tenant, Order.id == order.id)
    )
    return min(int(found or 0), to_voucher_minor)


def _stage(
    order: Order, lot: CreditLot, money: GuestMoney, now: datetime, *, has_paid: bool
) -> str:
    if order.state == OrderState.OPEN and order.payment_mode == PaymentMode.TRANSFER:
        return "transfer" if _is_payable(order, now) else "over"
    if money.has_paid and order.state != OrderState.CONFIRMED:
        return "too_late"
    if order.state == OrderState.OPEN:
        if money.page_is_complete or has_paid:
            return "processing"
        return "held" if _is_payable(order, now) else "over"
    if order.state == OrderState.CONFIRMED:
        if lot.state == LotState.VOID and order.closed_why in _LAPSED:
            return _LAPSED[order.closed_why]
        return {LotState.PENDING: "waiting", LotState.VOID: "lapsed"}.get(
            LotState(lot.state), "bought"
        )
    return _ENDS.get(order_end(order.state, order.closed_why), "expired")


def _is_payable(order: Order, now: datetime) -> bool:
    until = payable_until(order.hold_expires_at)
    return until is not None and now < until
