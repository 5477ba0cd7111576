"""Packages of credits for their owner: the list, one of them, and what they can be good for."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from src.billing.domain.credits import LotSource, LotState, RefundRule, Scope, end_of_day, saving
from src.billing.domain.package_drafts import Purpose
from src.billing.models import CreditLot, Package
from src.billing.queries.lots import scope_of
from src.booking.domain.kinds import SeriesPriceType
from src.booking.models import Series, Service, Session
from src.booking.queries.date_prices import DatePrices, list_date_prices, prices_for
from src.booking.queries.kept import kept_packages
from src.booking.queries.resources import Choice
from src.booking.views.packages import PackageRow, PackageWorth
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.money import round_half_up
from src.tenants.context import TenantSnapshot


class Single(NamedTuple):
    """A service as packages see it: its own price, what its dates to come cost that are sold alone,
    all words it is found by, and whether it is switched on.
    """

    id: UUID
    name: str
    own_minor: frozenset[int]
    dates: Sequence[DatePrices]
    tags: frozenset[str]
    active: bool


class Sold(NamedTuple):
    """Of one package: how often it was bought and paid, or given for a date, and the credits that
    are left of it with anybody, as a gift or rolled over too.
    """

    bought: int = 0
    given: int = 0
    left: int = 0


async def list_packages(uow: UnitOfWork, tenant: TenantSnapshot) -> list[PackageRow]:
    """All of them in the order of display; what is given back for dates comes last."""
    found = await uow.session.scalars(
        select(Package)
        .where(Package.tenant_id == uow.tenant)
        .order_by(Package.purpose.desc(), Package.position, Package.created_at, Package.id)
    )
    packages = found.all()
    singles = await list_singles(uow, tenant)
    sold = await _sold(uow, [one.id for one in packages])
    kept = await kept_packages(uow)
    return [package_row(uow, tenant, one, singles, sold, kept) for one in packages]


async def get_package_row(uow: UnitOfWork, tenant: TenantSnapshot, package: Package) -> PackageRow:
    singles, sold = await list_singles(uow, tenant), await _sold(uow, [package.id])
    return package_row(uow, tenant, package, singles, sold, await kept_packages(uow))


def package_row(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    package: Package,
    singles: Sequence[Single],
    sold: Mapping[UUID, Sold],
    kept: Collection[UUID],
) -> PackageRow:
    scope = scope_of(package)
    known = frozenset[str]().union(*(one.tags for one in singles))
    is_for_sale = package.purpose == Purpose.SALE
    count = sold.get(package.id, Sold())
    return PackageRow(
        id=package.id,
        name=package.name,
        description=package.description,
        is_for_sale=is_for_sale,
        active=package.active,
        visibility=package.visibility,
        is_kept=package.id in kept,
        credits=package.credits,
        price_minor=package.price_minor,
        pays=list(package.pays),
        validity_days=package.validity_days,
        ends_at=end_of_day(package.validity_days, uow.clock.now(), tenant.zone),
        good_for=scope_in_words(scope, {one.id: one.name for one in singles}),
        lost_tags=sorted(scope.tags - known),
        is_claw_back=package.refund_rule == RefundRule.CLAW_BACK,
        position=package.position,
        worth=worth_of(package.price_minor, package.credits, scope, singles),
        sold=count.bought if is_for_sale else count.given,
        left=count.left,
    )


def worth_of(price_minor: int, count: int, scope: Scope, singles: Sequence[Single]) -> PackageWorth:
    """The package beside as many single sessions of what its credits are good for."""
    prices = singles_minor(scope, singles)
    saves_minor, is_up_to = saving(price_minor, count, prices)
    return PackageWorth(
        each_minor=round_half_up(price_minor, count) if count else 0,
        single_minor=max(prices, default=0),
        saves_minor=saves_minor,
        is_up_to=is_up_to,
    )


def singles_minor(scope: Scope, singles: Sequence[Single]) -> list[int]:
    """What one entry costs that credits of the scope are good for, without those that are free."""
    return [
        minor
        for one in singles
        for minor in prices_for(scope, one.id, one.tags, one.own_minor, one.dates)
    ]


def scope_in_words(scope: Scope, names: Mapping[UUID, str]) -> str:
    """What credits are good for, e.g. "Yoga, Pilates · beginners"."""
    if scope.any_service:
        return _("Any service")
    services = sorted(names[one] for one in scope.service_ids if one in names)
    parts = [", ".join(services), ", ".join(f"#{tag}" for tag in sorted(scope.tags))]
    return " · ".join(filter(None, parts)) or _("Nothing that there is any more")


async def list_singles(uow: UnitOfWork, tenant: TenantSnapshot | None = None) -> list[Single]:
    """Every service with the tags of its own, of its series, and of its dates to come; what
    these dates cost only for a `tenant`, whose clock says which of their prices are open.
    """
    found = await uow.session.execute(
        select(Service).where(Service.tenant_id == uow.tenant).order_by(Service.name, Service.id)
    )
    services = found.scalars().all()
    more, shown = await list_tags_of_dates(uow), dict[UUID, Sequence[DatePrices]]()
    if tenant is not None:
        today = to_local(uow.clock.now(), tenant.zone).date()
        shown |= await list_date_prices(uow, today)
    return [
        Single(
            one.id,
            one.name,
            _own_price(one.price_type, one.price_minor),
            shown.get(one.id, ()),
            frozenset(one.tags) | more.get(one.id, frozenset()),
            one.active,
        )
        for one in services
    ]


def _own_price(price_type: str, price_minor: int) -> frozenset[int]:
    """What a service without dates to come costs by itself; nothing where it is free."""
    is_free = price_type == SeriesPriceType.FREE or not price_minor
    return frozenset() if is_free else frozenset({price_minor})


async def list_tags_of_dates(uow: UnitOfWork) -> dict[UUID, frozenset[str]]:
    """The tags of series and of dates to come, by service."""
    series = select(Series.service_id, Series.tags).where(
        Series.tenant_id == uow.tenant, func.jsonb_array_length(Series.tags) > 0
    )
    dates = (
        select(Session.service_id, Session.tags)
        .where(
            Session.tenant_id == uow.tenant,
            Session.starts_at >= uow.clock.now(),
            func.jsonb_array_length(Session.tags) > 0,
        )
        .distinct()
    )
    tags: dict[UUID, frozenset[str]] = {}
    for statement in (series, dates):
        for service_id, words in (await uow.session.execute(statement)).tuples():
            tags[service_id] = tags.get(service_id, frozenset()) | frozenset(words)
    return tags


async def list_service_choices(uow: UnitOfWork) -> list[Choice]:
    """The services that credits can be good for."""
    return [(str(one.id), one.name) for one in await list_singles(uow)]


async def list_known_tags(uow: UnitOfWork) -> list[str]:
    """All tags of services, series and dates to come."""
    return sorted(frozenset[str]().union(*(one.tags for one in await list_singles(uow))))


async def list_package_choices(uow: UnitOfWork) -> list[Choice]:
    """All packages by name, to choose one from."""
    found = await uow.session.execute(
        select(Package.id, Package.name)
        .where(Package.tenant_id == uow.tenant)
        .order_by(Package.name, Package.id)
    )
    return [(str(row.id), row.name) for row in found]


async def _sold(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, Sold]:
    """What was rolled over, or stands for a credit that had ended, is the same once more."""
    is_bought = CreditLot.source == str(LotSource.PACKAGE)
    is_given = CreditLot.source.in_([str(LotSource.SEAT), str(LotSource.GOODWILL)])
    found = await uow.session.execute(
        select(
            CreditLot.package_id,
            func.count().filter(is_bought),
            func.count().filter(is_given, CreditLot.stands_for_id.is_(None)),
            func.sum(CreditLot.balance),
        )
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.package_id.in_(ids),
            CreditLot.state == str(LotState.ACTIVE),
        )
        .group_by(CreditLot.package_id)
    )
    return {row[0]: Sold(int(row[1]), int(row[2]), int(row[3] or 0)) for row in found}


async def find_tags_in_use(uow: UnitOfWork, tags: Collection[str]) -> dict[str, list[str]]:
    """Which of these tags no service, series or date to come has any more while packages or
    credits that are about need it: their names by tag, each once.
    """
    lost = set(tags) - set(await list_known_tags(uow)) if tags else set()
    users: dict[str, list[str]] = {}
    for tag in sorted(lost):
        wanted = cast([tag], ARRAY(Text))
        packages = select(Package.name).where(
            Package.tenant_id == uow.tenant, Package.tags.has_any(wanted)
        )
        lots = select(CreditLot.name).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.balance > 0,
            CreditLot.tags.has_any(wanted),
        )
        names = (await uow.session.scalars(packages.union(lots).order_by("name"))).all()
        if names:
            users[tag] = list(names)
    return users


async def find_needing(uow: UnitOfWork, service_id: UUID) -> list[str]:
    """The names, each once, of packages on offer and of credits that are about which are good for
    this service: by itself, or by a tag that no other service has that is switched on.
    """
    singles = await list_singles(uow)
    others = [one.tags for one in singles if one.active and one.id != service_id]
    own = frozenset[str]().union(*(one.tags for one in singles if one.id == service_id))
    tags = cast(sorted(own - frozenset[str]().union(*others)), ARRAY(Text))
    packages = select(Package.name).where(
        Package.tenant_id == uow.tenant,
        Package.active,
        ~Package.any_service,
        or_(Package.service_ids.has_key(str(service_id)), Package.tags.has_any(tags)),
    )
    lots = select(CreditLot.name).where(
        CreditLot.tenant_id == uow.tenant,
        or_(CreditLot.balance > 0, CreditLot.state == str(LotState.PENDING)),
        or_(CreditLot.expires_at.is_(None), CreditLot.expires_at > uow.clock.now()),
        ~CreditLot.any_service,
        or_(CreditLot.service_ids.has_key(str(service_id)), CreditLot.tags.has_any(tags)),
    )
    return list((await uow.session.scalars(packages.union(lots).order_by("name"))).all())
