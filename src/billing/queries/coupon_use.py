"""Whether a coupon may be used, and what it takes off: read once, judged by one function.

Booking refuses with the answer; the dashboard shows it as "why does this code not work?".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased

from src.billing.domain.coupons import (
    AppliedCoupon,
    CouponGuest,
    CouponReason,
    CouponReasonCode,
    CouponScope,
    CouponTerms,
    Purchase,
    discount_minor,
    guest_sentence,
    no_use,
    normalise_code,
    one_at_a_time,
    used_up_meanwhile,
    why_not_usable,
)
from src.billing.domain.kinds import OrderState
from src.billing.domain.typed_codes import codes_in
from src.billing.models import Coupon, CouponCustomer, CouponUse, Order
from src.billing.queries.voucher_use import is_code_of_voucher
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local
from src.tenants.commands.customers import normalise_email
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.models import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponAsked:
    """A code that somebody wants to use, for `purchase` and by whoever has the address `email`.

    What the hold `without_order` has taken of it counts as not taken.
    """

    code: str
    purchase: Purchase | None = None
    email: str = ""
    without_order: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponJudged:
    """`applied` is there when nothing stands against it and it is known what is bought; `used_up`
    is what it would be if only that did not stand against it.
    """

    coupon: Coupon | None
    reasons: Sequence[CouponReason]
    applied: AppliedCoupon | None
    used_up: AppliedCoupon | None


def terms_of(coupon: Coupon, own: int = 0) -> CouponTerms:
    """The coupon as it stands, without the `own` uses of who asks."""
    return CouponTerms(
        percent=coupon.percent,
        amount_minor=coupon.amount_minor,
        scope=CouponScope(coupon.scope),
        scope_ids=frozenset(UUID(one) for one in coupon.scope_ids),
        starts_on=coupon.starts_on,
        ends_on=coupon.ends_on,
        min_spend_minor=coupon.min_spend_minor,
        max_uses=coupon.max_uses,
        max_per_customer=coupon.max_per_customer,
        first_order_only=coupon.first_order_only,
        active=coupon.active,
        used=coupon.used - own,
    )


async def judge_coupon(uow: UnitOfWork, tenant: TenantSnapshot, asked: CouponAsked) -> CouponJudged:
    """The answer as of now; nothing is claimed by it."""
    coupon = await uow.session.scalar(
        select(Coupon).where(
            Coupon.tenant_id == uow.tenant, Coupon.code == normalise_code(asked.code)
        )
    )
    own = 0 if coupon is None else await _own_use(uow, coupon.id, asked.without_order)
    terms = None if coupon is None else terms_of(coupon, own)
    reasons = why_not_usable(
        terms,
        to_local(uow.clock.now(), tenant.zone),
        plan_has_coupons=tenant.entitlements.has(Feature.COUPONS),
        purchase=asked.purchase,
        guest=await _guest(uow, coupon, asked.email, own),
    )
    codes = [reason.code for reason in reasons]
    found = None
    if coupon is not None and terms is not None and asked.purchase is not None:
        found = AppliedCoupon(
            coupon_id=coupon.id,
            code=coupon.code,
            discount_minor=discount_minor(terms, asked.purchase),
            percent=terms.percent,
            first_order_only=coupon.first_order_only,
        )
    return CouponJudged(
        coupon=coupon,
        reasons=reasons,
        applied=found if not codes else None,
        used_up=found if codes == [CouponReasonCode.USED_UP] else None,
    )


async def why_no_code(
    uow: UnitOfWork,
    judged: CouponJudged,
    code: str,
    *,
    is_package: bool = False,
    was_quoted: bool = False,
) -> str:
    """What the guest reads of a code that takes nothing off and pays nothing. `was_quoted`: they
    were shown the price with it.

    Who holds a voucher that is used up or blocked is not sent to look for typing mistakes, nor told
    which of them it is.
    """
    if judged.coupon is None and await is_code_of_voucher(uow, code):
        return no_use(is_package=is_package)
    if judged.coupon is None and (codes := codes_in(code)):
        return one_at_a_time(codes)
    if judged.used_up is not None and was_quoted:
        return used_up_meanwhile()
    return guest_sentence(judged.reasons, is_package=is_package)


async def _own_use(uow: UnitOfWork, coupon_id: UUID, order_id: UUID | None) -> int:
    """1 when this hold has a use of the coupon."""
    if order_id is None:
        return 0
    found = await uow.session.scalar(
        select(func.count())
        .select_from(CouponUse)
        .where(
            CouponUse.tenant_id == uow.tenant,
            CouponUse.order_id == order_id,
            CouponUse.coupon_id == coupon_id,
            CouponUse.returned_at.is_(None),
        )
    )
    return found or 0


async def _guest(
    uow: UnitOfWork, coupon: Coupon | None, email: str, own: int
) -> CouponGuest | None:
    """How the customer with this address stands to the coupon; None where nobody is named."""
    if coupon is None or not email.strip():
        return None
    named, living = aliased(Customer), aliased(Customer)
    used = (
        select(CouponCustomer.used)
        .where(
            CouponCustomer.tenant_id == living.tenant_id,
            CouponCustomer.coupon_id == coupon.id,
            CouponCustomer.customer_id == living.id,
        )
        .scalar_subquery()
    )
    has_ordered = exists().where(
        Order.tenant_id == living.tenant_id,
        Order.customer_id == living.id,
        Order.state == str(OrderState.CONFIRMED),
    )
    found = await uow.session.execute(
        select(func.coalesce(used, 0), has_ordered)
        .select_from(named)
        .join(
            living,
            (living.tenant_id == named.tenant_id)
            & (living.id == func.coalesce(named.merged_into, named.id)),
        )
        .where(named.tenant_id == uow.tenant, named.email == normalise_email(email))
    )
    row = found.one_or_none()
    if row is None:
        return CouponGuest()
    return CouponGuest(used=row[0] - own, has_ordered=row[1])


async def has_active_coupons(
    uow: UnitOfWork, tenant: TenantSnapshot, scopes: Sequence[CouponScope]
) -> bool:
    """Whether there is one for what is sold there, so that a guest is to be asked for a code."""
    if not tenant.entitlements.has(Feature.COUPONS):
        return False
    active = exists().where(Coupon.tenant_id == uow.tenant, Coupon.active, Coupon.scope.in_(scopes))
    return bool(await uow.session.scalar(select(active)))


async def coupon_code_of(uow: UnitOfWork, order: Order) -> str:
    """The code that the order's discount comes from, as it is called now; empty without one."""
    if order.discount_minor == 0:
        return ""
    found = await uow.session.scalar(
        select(Coupon.code)
        .join(
            CouponUse,
            (CouponUse.tenant_id == Coupon.tenant_id) & (CouponUse.coupon_id == Coupon.id),
        )
        .where(CouponUse.tenant_id == uow.tenant, CouponUse.order_id == order.id)
    )
    return found or ""
