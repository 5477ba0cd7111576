"""Packages of credits that are good for some of the business's own services."""

from uuid import UUID

from sqlalchemy import select

from src.billing.commands.packages import change_package, create_package
from src.billing.domain.package_drafts import PackageDraft, PackageWay
from src.booking.domain.online_prices import too_little_to_pay_online
from src.booking.models import Service
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.tenants.context import RequestContext


async def save_package(
    uow: UnitOfWork, ctx: RequestContext, package_id: UUID, draft: PackageDraft, *, is_new: bool
) -> None:
    """Raises: NotFound, PlanLimitReached, InvalidInput, at `service_ids` for a service that is not
    there or another business's, at `price_minor` for a price that nobody could pay online.
    """
    await _check_services(uow, draft.scope.service_ids)
    if draft.is_for_sale and PackageWay.ONLINE in draft.pays:
        currency = ctx.here.currency
        said = too_little_to_pay_online(PackageWay.ONLINE, draft.price_minor, currency)
        if said is not None:
            raise InvalidInput(said, fields={"price_minor": said})
    save = create_package if is_new else change_package
    await save(uow, ctx, package_id, draft)


async def _check_services(uow: UnitOfWork, ids: frozenset[UUID]) -> None:
    if not ids:
        return
    known = await uow.session.scalars(
        select(Service.id).where(Service.tenant_id == uow.tenant, Service.id.in_(ids))
    )
    if set(known) != ids:
        sentence = _("One of these is not there any more. Please choose again.")
        raise InvalidInput(sentence, fields={"service_ids": sentence})
