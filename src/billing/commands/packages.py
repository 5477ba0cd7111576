"""Packages of credits as their owner makes, changes and removes them.

What was sold keeps its terms, whatever becomes of the package.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from src.billing.commands.credits import scope_columns
from src.billing.domain.package_drafts import PackageDraft, PackageWay, Shown, package_errors
from src.billing.models import CreditLot, OrderLine, Package
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

LINE_KIND = "package"
"""Of the order lines by which packages are bought."""


async def create_package(
    uow: UnitOfWork, ctx: RequestContext, package_id: UUID, draft: PackageDraft
) -> None:
    """Makes the package, on sale at once; the same id again makes no second one.

    Raises: PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.PACKAGES)
    if await uow.session.get(Package, (uow.tenant, package_id)) is not None:
        return
    _check(draft)
    now = uow.clock.now()
    uow.session.add(
        Package(
            tenant_id=uow.tenant, id=package_id, created_at=now, updated_at=now, **_columns(draft)
        )
    )
    await audit(uow, ctx, "package.created", "package", package_id, name=draft.name.strip())
    await uow.session.flush()


async def change_package(
    uow: UnitOfWork, ctx: RequestContext, package_id: UUID, draft: PackageDraft
) -> None:
    """Takes effect for what is bought from now on. Raises: NotFound, PlanLimitReached,
    InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.PACKAGES)
    package = await get_package(uow, package_id)
    _check(draft)
    columns = _columns(draft)
    changed = [name for name, value in columns.items() if getattr(package, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(package, name, columns[name])
    package.updated_at = uow.clock.now()
    detail = {"name": package.name, "changed": changed}
    await audit(uow, ctx, "package.changed", "package", package_id, **detail)
    await uow.session.flush()


async def set_package_active(
    uow: UnitOfWork, ctx: RequestContext, package_id: UUID, *, active: bool
) -> str:
    """Returns its name. Switching off needs no plan. Raises: NotFound, PlanLimitReached."""
    package = await get_package(uow, package_id)
    if active:
        await require_feature_now(uow, ctx, Feature.PACKAGES)
    if package.active != active:
        package.active, package.updated_at = active, uow.clock.now()
        done = "package.switched_on" if active else "package.switched_off"
        await audit(uow, ctx, done, "package", package_id, name=package.name)
    return package.name


async def delete_package(uow: UnitOfWork, ctx: RequestContext, package_id: UUID) -> str:
    """Removes a package that was never sold or given, and returns its name.

    The row is locked as for a change of its key, so that credits which are being written from it
    are waited for and seen. Raises: NotFound, Conflict.
    """
    package = await uow.session.scalar(
        select(Package)
        .where(Package.tenant_id == uow.tenant, Package.id == package_id)
        .with_for_update()
    )
    if package is None:
        raise no_such_package()
    if await is_ever_sold(uow, package_id):
        raise Conflict(
            _(
                "Customers have credits of this package, so it cannot be deleted."
                " Switch it off instead."
            ),
            code="package_sold",
        )
    await uow.session.delete(package)
    await audit(uow, ctx, "package.deleted", "package", package_id, name=package.name)
    return package.name


async def get_package(uow: UnitOfWork, package_id: UUID) -> Package:
    """Raises: NotFound."""
    package = await uow.session.get(Package, (uow.tenant, package_id))
    if package is None:
        raise no_such_package()
    return package


def no_such_package() -> NotFound:
    return NotFound(_("There is no such package."))


async def is_ever_sold(uow: UnitOfWork, package_id: UUID) -> bool:
    """Also by an order that came to nothing."""
    lots = exists().where(CreditLot.tenant_id == uow.tenant, CreditLot.package_id == package_id)
    lines = exists().where(
        OrderLine.tenant_id == uow.tenant,
        OrderLine.kind == LINE_KIND,
        OrderLine.subject_id == package_id,
    )
    return bool(await uow.session.scalar(select(lots | lines)))


def _check(draft: PackageDraft) -> None:
    """Raises: InvalidInput."""
    fields = package_errors(draft)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)


def _columns(draft: PackageDraft) -> dict[str, Any]:
    """The row's columns. One that costs nothing is paid in no way, and what is given back for a
    date is never found by guests.
    """
    sold = draft.is_for_sale
    price_minor = draft.price_minor if sold else 0
    return {
        "purpose": str(draft.purpose),
        "name": draft.name.strip(),
        "description": draft.description.strip(),
        "credits": draft.credits if sold else 1,
        "price_minor": price_minor,
        "tax_rate_bp": draft.tax_rate_bp if sold else 0,
        "validity_days": draft.validity_days,
        **scope_columns(draft.scope),
        "pays": [str(way) for way in PackageWay if way in draft.pays] if price_minor else [],
        **_parts_columns(draft, price_minor),
        "refund_rule": str(draft.refund_rule),
        "visibility": str(draft.visibility if sold else Shown.HIDDEN),
        "position": draft.position,
    }


def _parts_columns(draft: PackageDraft, price_minor: int) -> dict[str, Any]:
    return {
        "parts": draft.parts if price_minor else 0,
        "parts_every": max(draft.parts_every.count, 1),
        "parts_unit": str(draft.parts_every.unit),
    }
