"""Coupons that are for some of the business's own services, series or packages."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.coupons import change_coupon, create_coupon
from src.billing.domain.coupon_drafts import CouponDraft
from src.billing.domain.coupons import CouponScope
from src.billing.models import Package
from src.booking.models import Series, Service
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.tenants.context import RequestContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What was ticked; only the list that the coupon's scope names counts."""

    service_ids: tuple[UUID, ...] = ()
    series_ids: tuple[UUID, ...] = ()
    package_ids: tuple[UUID, ...] = ()

    def ids(self, scope: CouponScope) -> tuple[UUID, ...]:
        lists = {
            CouponScope.SERVICES: self.service_ids,
            CouponScope.SERIES: self.series_ids,
            CouponScope.PACKAGES: self.package_ids,
        }
        return lists.get(scope, ())


async def save_coupon(
    uow: UnitOfWork,
    ctx: RequestContext,
    coupon_id: UUID,
    draft: CouponDraft,
    chosen: Chosen,
    *,
    is_new: bool,
) -> None:
    """Raises: NotFound, PlanLimitReached, InvalidInput, at `service_ids`, `series_ids` or
    `package_ids` for what is not there or another business's.
    """
    await _check(uow, Service, chosen.service_ids, "service_ids")
    await _check(uow, Series, chosen.series_ids, "series_ids")
    await _check(uow, Package, chosen.package_ids, "package_ids")
    save = create_coupon if is_new else change_coupon
    await save(uow, ctx, coupon_id, replace(draft, scope_ids=chosen.ids(draft.scope)))


async def _check(
    uow: UnitOfWork, table: type[Service | Series | Package], ids: Collection[UUID], field: str
) -> None:
    if not ids:
        return
    known = await uow.session.scalars(
        select(table.id).where(table.tenant_id == uow.tenant, table.id.in_(ids))
    )
    if set(known) != set(ids):
        sentence = _("One of these is not there any more. Please choose again.")
        raise InvalidInput(sentence, fields={field: sentence})
