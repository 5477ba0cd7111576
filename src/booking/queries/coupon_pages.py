"""Coupons for their owner: the list with its uses, one coupon, and what it can be for."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select

from src.billing.commands.packages import get_package
from src.billing.domain.coupons import CouponScope, coupon_worth, why_not_usable
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.package_sale import chosen_way, purchase_of
from src.billing.models import Coupon, CouponUse, Order, Package
from src.billing.queries.coupon_use import CouponAsked, judge_coupon, terms_of
from src.billing.queries.package_terms import find_seller_facts, terms_of_package
from src.billing.standing import is_all_cancelled
from src.booking.domain.quotes import SubjectKind
from src.booking.mend_links import coupon_lines
from src.booking.models import Series, Service
from src.booking.queries.coupons import judge_for_quote
from src.booking.queries.decide import Asked, business_now, decide
from src.booking.queries.resources import Choice
from src.booking.views.coupons import CouponRow, CouponUseRow
from src.booking.views.customers import WhyLine
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, current_locale, ngettext
from src.platform.localtime import to_local
from src.platform.money import Money, format_money
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature

MOST_SHOWN = 100
MOST_EXPORTED = 100_000


async def list_coupons(uow: UnitOfWork, tenant: TenantSnapshot) -> list[CouponRow]:
    """All of them, the newest first, with what they have taken off."""
    coupons = (
        await uow.session.scalars(
            select(Coupon).where(Coupon.tenant_id == uow.tenant).order_by(Coupon.id.desc())
        )
    ).all()
    found = await uow.session.execute(
        select(CouponUse.coupon_id, func.sum(CouponUse.discount_minor))
        .where(CouponUse.tenant_id == uow.tenant, CouponUse.returned_at.is_(None))
        .group_by(CouponUse.coupon_id)
    )
    off_minor = {row[0]: int(row[1]) for row in found}
    names = await _names(uow)
    return [coupon_row(uow, tenant, one, off_minor, names) for one in coupons]


async def get_coupon_row(uow: UnitOfWork, tenant: TenantSnapshot, coupon: Coupon) -> CouponRow:
    off_minor = await uow.session.scalar(
        select(func.sum(CouponUse.discount_minor)).where(
            CouponUse.tenant_id == uow.tenant,
            CouponUse.coupon_id == coupon.id,
            CouponUse.returned_at.is_(None),
        )
    )
    off = {coupon.id: int(off_minor or 0)}
    return coupon_row(uow, tenant, coupon, off, await _names(uow))


async def _names(uow: UnitOfWork) -> dict[str, str]:
    """What coupons can be for, by its id as text."""
    return dict(choice for choices in await list_scope_choices(uow) for choice in choices)


def coupon_row(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    coupon: Coupon,
    off_minor: Mapping[UUID, int],
    names: Mapping[str, str],
) -> CouponRow:
    terms = terms_of(coupon)
    against = why_not_usable(
        terms,
        to_local(uow.clock.now(), tenant.zone),
        plan_has_coupons=tenant.entitlements.has(Feature.COUPONS),
    )
    return CouponRow(
        id=coupon.id,
        code=coupon.code,
        worth=coupon_worth(terms, tenant.currency),
        valid_for=_valid_for(coupon, names),
        limits=_limits(coupon, tenant.currency),
        active=coupon.active,
        used=coupon.used,
        max_uses=coupon.max_uses,
        discount_minor=off_minor.get(coupon.id, 0),
        starts_on=coupon.starts_on,
        ends_on=coupon.ends_on,
        against=coupon_lines(against, f"/app/{tenant.slug}", coupon.id),
    )


def _valid_for(coupon: Coupon, names: Mapping[str, str]) -> str:
    whole = {
        CouponScope.ALL: _("All that you offer"),
        CouponScope.ALL_BOOKINGS: _("Every booking, no package"),
        CouponScope.ALL_PACKAGES: _("Every package"),
    }.get(CouponScope(coupon.scope))
    if whole is not None:
        return whole
    known = [names[one] for one in map(str, coupon.scope_ids) if one in names]
    return ", ".join(known) or _("Nothing that there is any more")


def _limits(coupon: Coupon, currency: str) -> list[str]:
    limits = []
    if coupon.min_spend_minor:
        least = format_money(Money(coupon.min_spend_minor, currency), current_locale())
        of_packages = coupon.scope in (CouponScope.ALL_PACKAGES, CouponScope.PACKAGES)
        said = _("packages of %(amount)s or more", amount=least)
        limits.append(said if of_packages else _("bookings of %(amount)s or more", amount=least))
    if coupon.max_per_customer:
        most = coupon.max_per_customer
        limits.append(ngettext("%(num)s time a customer", "%(num)s times a customer", most))
    if coupon.first_order_only:
        limits.append(_("the first order only"))
    return limits


async def list_coupon_uses(
    uow: UnitOfWork, coupon_id: UUID, *, most: int = MOST_SHOWN
) -> list[CouponUseRow]:
    """The orders made with it, the newest first, also those that came to nothing."""
    found = await uow.session.execute(
        select(Order, CouponUse, is_all_cancelled())
        .join(Order, (Order.tenant_id == CouponUse.tenant_id) & (Order.id == CouponUse.order_id))
        .where(CouponUse.tenant_id == uow.tenant, CouponUse.coupon_id == coupon_id)
        .order_by(CouponUse.id.desc())
        .limit(most)
    )
    return [
        CouponUseRow(
            order_id=order.id,
            reference=order.reference,
            guest_name=order.guest_name,
            guest_email=order.guest_email,
            state=order.state,
            is_all_cancelled=is_gone,
            discount_minor=use.discount_minor,
            total_minor=order.total_minor,
            created_at=use.created_at,
            is_returned=use.returned_at is not None,
        )
        for order, use, is_gone in found.tuples()
    ]


async def why_not_for(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    code: str,
    kind: SubjectKind,
    subject_id: UUID,
    email: str,
) -> list[WhyLine]:
    """What stands against the code for one person and that offer.

    Raises: NotFound for an offer that is absent, or another business's.
    """
    now = uow.clock.now()
    business = await business_now(uow, tenant, now)
    decided = await decide(uow, tenant, business, Asked(kind=kind, subject_id=subject_id), now)
    judged = await judge_for_quote(uow, tenant, decided.quote, code, email)
    coupon_id = None if judged.coupon is None else judged.coupon.id
    return coupon_lines(judged.reasons, f"/app/{tenant.slug}", coupon_id)


async def why_not_for_package(
    uow: UnitOfWork, tenant: TenantSnapshot, code: str, package_id: UUID, email: str
) -> list[WhyLine]:
    """The same for a package. Raises: NotFound for one that is absent, or another business's."""
    terms = terms_of_package(await get_package(uow, package_id))
    way = chosen_way(terms, await find_seller_facts(uow, tenant), None) or PaymentMode.ONLINE
    purchase = purchase_of(terms, way, tenant.currency)
    judged = await judge_coupon(uow, tenant, CouponAsked(code=code, purchase=purchase, email=email))
    coupon_id = None if judged.coupon is None else judged.coupon.id
    return coupon_lines(judged.reasons, f"/app/{tenant.slug}", coupon_id)


async def list_scope_choices(
    uow: UnitOfWork,
) -> tuple[list[Choice], list[Choice], list[Choice]]:
    """The services, the series and the packages that a coupon can be for."""
    services = await uow.session.execute(
        select(Service.id, Service.name)
        .where(Service.tenant_id == uow.tenant)
        .order_by(Service.name, Service.id)
    )
    series = await uow.session.execute(
        select(Series.id, Service.name, Series.title)
        .join(Service, (Service.tenant_id == Series.tenant_id) & (Service.id == Series.service_id))
        .where(Series.tenant_id == uow.tenant)
        .order_by(Service.name, Series.title, Series.id)
    )
    return (
        [(str(row.id), row.name) for row in services],
        [(str(row.id), f"{row.name} · {row.title}") for row in series],
        [(str(package_id), name) for package_id, name in await _packages(uow)],
    )


async def list_package_choices(uow: UnitOfWork) -> list[Choice]:
    """Values of the form "package:<id>" for who asks why a code does not work."""
    return [(f"package:{package_id}", name) for package_id, name in await _packages(uow)]


async def _packages(uow: UnitOfWork) -> Sequence[tuple[UUID, str]]:
    """Those that are for sale, also where guests do not see them, as their owner has ordered
    them.
    """
    found = await uow.session.execute(
        select(Package.id, Package.name)
        .where(Package.tenant_id == uow.tenant, Package.purpose == "sale")
        .order_by(Package.position, Package.name, Package.id)
    )
    return found.tuples().all()
