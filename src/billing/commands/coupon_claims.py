"""Taking a use of a coupon and giving it back.

The use itself is the order's own row, written with it. The coupon and the customer's row of it are
what others wait for: a guarded UPDATE and a guarded upsert, after the sessions and before the
month's counter, so that the last use goes to one whatever others do at the same moment.
Source: docs/algorithms/coupons.md.
"""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select, text, update

from src.billing.domain.coupons import AppliedCoupon, no_use, used_up_meanwhile
from src.billing.models import Coupon, CouponUse, Order
from src.platform.db.constraints import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.ids import new_id

COUPON_USES = cast(Table, CouponUse.__table__)

_TAKE = text(
    "UPDATE coupons SET used = used + 1 WHERE tenant_id = :tenant_id AND id = :coupon_id"
    " AND active AND (max_uses IS NULL OR used < max_uses) RETURNING max_per_customer"
)
_TAKE_FOR = (
    "INSERT INTO coupon_customers AS c (tenant_id, id, coupon_id, customer_id, used)"
    " VALUES (:tenant_id, :id, :coupon_id, :customer_id, 1)"
    " ON CONFLICT (tenant_id, coupon_id, customer_id) DO UPDATE SET used = c.used + 1"
)
_TAKE_FOR_CUSTOMER = text(
    f"{_TAKE_FOR} WHERE cast(:most AS integer) IS NULL OR c.used < :most RETURNING c.used"
)
_RETAKE = text(
    "UPDATE coupons SET used = used + 1 WHERE tenant_id = :tenant_id AND id = :coupon_id"
)
_RETAKE_FOR_CUSTOMER = text(_TAKE_FOR)
_GIVE_BACK = text(
    "UPDATE coupons SET used = used - 1"
    " WHERE tenant_id = :tenant_id AND id = :coupon_id AND used > 0"
)
_GIVE_BACK_FOR_CUSTOMER = text(
    "UPDATE coupon_customers SET used = used - 1 WHERE tenant_id = :tenant_id"
    " AND coupon_id = :coupon_id AND customer_id = :customer_id AND used > 0"
)


def coupon_gone() -> InvalidInput:
    """What stood against it, or what somebody else did meanwhile, is not for a stranger."""
    return InvalidInput(no_use(), fields={"coupon": no_use()})


register_constraint("uq_coupon_uses_first", coupon_gone)
register_constraint("fk_coupon_uses_coupon", coupon_gone)


def insert_use(
    uow: UnitOfWork, coupon: AppliedCoupon, order: dict[str, Any], now: datetime
) -> None:
    """Writes the use of an order that is being written, with its row's values at hand."""
    row = {
        "tenant_id": uow.tenant,
        "id": new_id(),
        "coupon_id": coupon.coupon_id,
        "order_id": order["id"],
        "customer_id": order["customer_id"],
        "discount_minor": order["discount_minor"],
        "is_first": coupon.first_order_only,
        "created_at": now,
        "returned_at": None,
    }
    uow.insert(COUPON_USES, [row])


async def claim_coupon(uow: UnitOfWork, coupon_id: UUID, customer_id: UUID) -> None:
    """Takes one use, after the sessions and before the month's counter, or the transaction ends.

    Raises: InvalidInput at `coupon` when it was switched off or used up meanwhile, by everybody or
    by this customer.
    """
    of_coupon = {"tenant_id": uow.tenant, "coupon_id": coupon_id}
    taken = (await uow.session.execute(_TAKE, of_coupon)).one_or_none()
    if taken is None:
        raise await _why_not_taken(uow, coupon_id)
    values = {**of_coupon, "id": new_id(), "customer_id": customer_id}
    one = await uow.session.execute(_TAKE_FOR_CUSTOMER, {**values, "most": taken.max_per_customer})
    if one.one_or_none() is None:
        raise coupon_gone()


async def _why_not_taken(uow: UnitOfWork, coupon_id: UUID) -> InvalidInput:
    """It was found good in this very transaction, so that it is used up since then is no news about
    the business; that it was switched off would be.
    """
    is_active = await uow.session.scalar(
        select(Coupon.active).where(Coupon.tenant_id == uow.tenant, Coupon.id == coupon_id)
    )
    if not is_active:
        return coupon_gone()
    return InvalidInput(used_up_meanwhile(), fields={"coupon": used_up_meanwhile()})


async def return_use(uow: UnitOfWork, order: Order, now: datetime) -> UUID | None:
    """Notes on the order's own row that its dead hold gives the use back.

    Returns the coupon, which `give_back_coupon` is told of once the sessions are done; None for an
    order without one.
    """
    if order.discount_minor == 0:
        return None
    coupon_id: UUID | None = await uow.session.scalar(
        update(CouponUse)
        .where(
            CouponUse.tenant_id == uow.tenant,
            CouponUse.order_id == order.id,
            CouponUse.returned_at.is_(None),
        )
        .values(returned_at=now)
        .returning(CouponUse.coupon_id)
    )
    return coupon_id


async def give_back_coupon(uow: UnitOfWork, coupon_id: UUID, customer_id: UUID) -> None:
    """Somebody else may use it now: only for a hold that died, never for a cancellation."""
    of_coupon = {"tenant_id": uow.tenant, "coupon_id": coupon_id}
    await uow.session.execute(_GIVE_BACK, of_coupon)
    await uow.session.execute(_GIVE_BACK_FOR_CUSTOMER, {**of_coupon, "customer_id": customer_id})


async def restore_use(uow: UnitOfWork, order: Order) -> UUID | None:
    """Takes back that the use was given back, for a guest who paid after the hold had died.

    It claims no first order any more: the order itself is confirmed now, and that is what counts.
    """
    if order.discount_minor == 0:
        return None
    coupon_id: UUID | None = await uow.session.scalar(
        update(CouponUse)
        .where(
            CouponUse.tenant_id == uow.tenant,
            CouponUse.order_id == order.id,
            CouponUse.returned_at.is_not(None),
        )
        .values(returned_at=None, is_first=False)
        .returning(CouponUse.coupon_id)
    )
    return coupon_id


async def retake_coupon(uow: UnitOfWork, coupon_id: UUID, customer_id: UUID) -> None:
    """Takes the use again, past every limit too: a paid guest is always confirmed."""
    of_coupon = {"tenant_id": uow.tenant, "coupon_id": coupon_id}
    await uow.session.execute(_RETAKE, of_coupon)
    await uow.session.execute(
        _RETAKE_FOR_CUSTOMER, {**of_coupon, "id": new_id(), "customer_id": customer_id}
    )
