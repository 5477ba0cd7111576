"""Coupons as their owner makes, changes and removes them.

What was sold with one keeps its price, whatever becomes of the coupon.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from src.billing.domain.coupon_drafts import CouponDraft, coupon_errors
from src.billing.models import Coupon, CouponUse
from src.platform.db.constraints import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now


def _code_taken() -> InvalidInput:
    sentence = _("There is a coupon with this code already.")
    return InvalidInput(sentence, fields={"code": sentence})


register_constraint("uq_coupons_code", _code_taken)


async def create_coupon(
    uow: UnitOfWork, ctx: RequestContext, coupon_id: UUID, draft: CouponDraft
) -> None:
    """Makes the coupon, usable at once; the same id again makes no second one.

    Raises: PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.COUPONS)
    if await uow.session.get(Coupon, (uow.tenant, coupon_id)) is not None:
        return
    await _check(uow, draft, coupon_id)
    now = uow.clock.now()
    uow.session.add(
        Coupon(
            tenant_id=uow.tenant, id=coupon_id, created_at=now, updated_at=now, **_columns(draft)
        )
    )
    await audit(uow, ctx, "coupon.created", "coupon", coupon_id, name=draft.code)
    await uow.session.flush()


async def change_coupon(
    uow: UnitOfWork, ctx: RequestContext, coupon_id: UUID, draft: CouponDraft
) -> None:
    """Takes effect for what is booked from now on; holds keep what they were promised.

    Raises: NotFound, PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.COUPONS)
    coupon = await get_coupon(uow, coupon_id)
    await _check(uow, draft, coupon_id)
    columns = _columns(draft)
    changed = [name for name, value in columns.items() if getattr(coupon, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(coupon, name, columns[name])
    coupon.updated_at = uow.clock.now()
    detail = {"name": draft.code, "changed": changed}
    await audit(uow, ctx, "coupon.changed", "coupon", coupon_id, **detail)
    await uow.session.flush()


async def set_coupon_active(
    uow: UnitOfWork, ctx: RequestContext, coupon_id: UUID, *, active: bool
) -> str:
    """Returns its code. Switching off needs no plan. Raises: NotFound, PlanLimitReached."""
    coupon = await get_coupon(uow, coupon_id)
    if active:
        await require_feature_now(uow, ctx, Feature.COUPONS)
    if coupon.active != active:
        coupon.active, coupon.updated_at = active, uow.clock.now()
        done = "coupon.switched_on" if active else "coupon.switched_off"
        await audit(uow, ctx, done, "coupon", coupon_id, name=coupon.code)
    return coupon.code


async def delete_coupon(uow: UnitOfWork, ctx: RequestContext, coupon_id: UUID) -> str:
    """Removes a coupon that no order was ever made with, and returns its code.

    The row is locked as for a change of its key, so that an order which is being written with it
    is waited for and seen. Raises: NotFound, Conflict.
    """
    coupon = await uow.session.scalar(
        select(Coupon)
        .where(Coupon.tenant_id == uow.tenant, Coupon.id == coupon_id)
        .with_for_update()
    )
    if coupon is None:
        raise no_such_coupon()
    if await is_ever_used(uow, coupon_id):
        raise Conflict(
            _("Orders were made with this coupon, so it stays. Switch it off instead."),
            code="coupon_used",
        )
    await uow.session.delete(coupon)
    await audit(uow, ctx, "coupon.deleted", "coupon", coupon_id, name=coupon.code)
    return coupon.code


async def get_coupon(uow: UnitOfWork, coupon_id: UUID) -> Coupon:
    """Raises: NotFound."""
    coupon = await uow.session.get(Coupon, (uow.tenant, coupon_id))
    if coupon is None:
        raise no_such_coupon()
    return coupon


def no_such_coupon() -> NotFound:
    return NotFound(_("There is no such coupon."))


async def is_ever_used(uow: UnitOfWork, coupon_id: UUID) -> bool:
    """Also by an order that came to nothing."""
    used = exists().where(CouponUse.tenant_id == uow.tenant, CouponUse.coupon_id == coupon_id)
    return bool(await uow.session.scalar(select(used)))


async def _check(uow: UnitOfWork, draft: CouponDraft, coupon_id: UUID) -> None:
    """Raises: InvalidInput."""
    fields = coupon_errors(draft)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    taken = exists().where(
        Coupon.tenant_id == uow.tenant, Coupon.code == draft.code, Coupon.id != coupon_id
    )
    if await uow.session.scalar(select(taken)):
        raise _code_taken()


def _columns(draft: CouponDraft) -> dict[str, Any]:
    return {
        "code": draft.code,
        "percent": draft.percent,
        "amount_minor": draft.amount_minor,
        "scope": str(draft.scope),
        "scope_ids": sorted(str(one) for one in draft.scope_ids),
        "starts_on": draft.starts_on,
        "ends_on": draft.ends_on,
        "min_spend_minor": draft.min_spend_minor,
        "max_uses": draft.max_uses,
        "max_per_customer": draft.max_per_customer,
        "first_order_only": draft.first_order_only,
    }
