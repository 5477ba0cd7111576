"""What single dates cost by now, for whatever is compared with them."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import case, func, or_, select

from src.booking.domain.by_credit import takes_credits
from src.booking.domain.drop_in import DropInRules, PayWay, price_of_date
from src.booking.domain.kinds import SeriesPriceType
from src.booking.models import Series, Service, Session
from src.booking.queries.drop_in import LOOSE
from src.platform.db.uow import UnitOfWork


async def list_date_prices(uow: UnitOfWork) -> Mapping[UUID, frozenset[int]]:
    """By service, the prices above 0 of its dates to come that are sold alone for money and for a
    credit as well, as guests are shown them: a series, or a date of one, may have a price of its
    own. A service without such a date is not among them.
    """
    alone = func.coalesce(Session.drop_in_allowed, Series.drop_in_allowed)
    minor = func.coalesce(Session.drop_in_price_minor, Series.drop_in_price_minor)
    has_own_ways = func.jsonb_array_length(Session.drop_in_pays) > 0
    is_listed = Series.active & (Series.visibility == "public")
    found = await uow.session.execute(
        select(
            Service.id,
            Service.price_type,
            Service.price_minor,
            Session.series_id.is_(None),
            minor,
            case((has_own_ways, Session.drop_in_pays), else_=Series.drop_in_pays),
        )
        .join(
            Session, (Session.tenant_id == Service.tenant_id) & (Session.service_id == Service.id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Session.tenant_id) & (Series.id == Session.series_id)
        )
        .where(
            Service.tenant_id == uow.tenant,
            Service.sales_mode != "series",
            Session.state == "scheduled",
            Session.is_slot.is_(False),
            Session.starts_at >= uow.clock.now(),
            or_(Session.series_id.is_(None), alone & is_listed),
        )
        .distinct()
    )
    prices: dict[UUID, set[int]] = {}
    for service_id, price_type, service_minor, is_alone, own_minor, pays in found:
        ways = tuple(PayWay(way) for way in pays or ())
        rules = LOOSE if is_alone else DropInRules(price_minor=own_minor, pays=ways)
        price = price_of_date(rules, SeriesPriceType(price_type), service_minor)
        if price and takes_credits(rules) and rules.pays != (PayWay.CREDIT,):
            prices.setdefault(service_id, set()).add(price)
    return {service_id: frozenset(minors) for service_id, minors in prices.items()}
