"""What single dates cost, for whatever is compared with them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from src.billing.domain.credits import Scope
from src.booking.domain.by_credit import takes_credits
from src.booking.domain.drop_in import PayWay, price_of_date
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.price_tiers import open_tiers
from src.booking.queries.drop_in import LOOSE, rules_from, rules_in_sql
from src.booking.queries.on_sale_statement import SOLD_ALONE
from src.booking.queries.tiers import tiers_beside
from src.platform.db.uow import UnitOfWork


class DatePrices(NamedTuple):
    """Dates of one service by whose `tags` credits find them, with all prices above 0 that a guest
    can choose there, in minor units: also where it is too early yet to book the date.
    """

    tags: frozenset[str]
    prices_minor: frozenset[int]


def prices_for(
    scope: Scope,
    service_id: UUID,
    tags: frozenset[str],
    own_minor: frozenset[int],
    dates: Sequence[DatePrices],
) -> frozenset[int]:
    """What one entry costs at the service that credits of the scope pay: on those of its `dates`
    that they are for. Without any it is the service's own price, where they are for its `tags`.
    """
    is_all = scope.any_service or service_id in scope.service_ids
    priced = dates or [DatePrices(tags, own_minor)]
    fitting = [one for one in priced if is_all or not scope.tags.isdisjoint(one.tags)]
    return frozenset[int]().union(*(one.prices_minor for one in fitting))


async def list_date_prices(uow: UnitOfWork, today: date) -> Mapping[UUID, Sequence[DatePrices]]:
    """By service, its dates to come that are sold alone for money and for a credit as well, at the
    prices that guests are shown: a series, or a date of one, may have a price of its own. A service
    without such a date is not among them. `today`, on the business's clock, says which tiers are
    open.
    """
    asked = {"tenant_id": uow.tenant, "now": uow.clock.now()}
    found = await uow.session.execute(_STATEMENT, asked)
    dates: dict[UUID, set[DatePrices]] = {}
    for row in found:
        service_type = SeriesPriceType(row.price_type)
        rules = LOOSE
        if not row.is_loose:
            ways = [PayWay(way) for way in row.pays or ()]
            rules = rules_from(True, row.minor, None, None, ways)
        if not takes_credits(rules) or rules.pays == (PayWay.CREDIT,):
            continue
        tiers = open_tiers(tiers_beside(service_type, row.price_tiers, rules), today)
        minors = {price_of_date(rules, service_type, row.price_minor)}
        minors |= {tier.price_minor for tier in tiers}
        if priced := frozenset(minor for minor in minors if minor):
            tags = frozenset(row.service_tags) | frozenset(row.series_tags) | frozenset(row.tags)
            dates.setdefault(row.id, set()).add(DatePrices(tags, priced))
    return {service_id: tuple(found) for service_id, found in dates.items()}


_COLUMNS = (
    "s.id, s.price_type, s.price_minor, s.price_tiers, s.tags AS service_tags,"
    " coalesce(r.tags, '[]') AS series_tags, w.tags, w.series_id IS NULL AS is_loose,"
    " d.minor, d.pays"
)
_FROM = (
    " FROM sessions w JOIN services s ON s.tenant_id = w.tenant_id AND s.id = w.service_id"
    " LEFT JOIN series r ON r.tenant_id = w.tenant_id AND r.id = w.series_id"
    f" CROSS JOIN LATERAL (SELECT {rules_in_sql('w', 'r')}) d"
)
_WHERE = (
    " WHERE w.tenant_id = :tenant_id AND w.state = 'scheduled' AND NOT w.is_slot"
    f" AND w.starts_at >= :now AND s.sales_mode <> 'series' AND {SOLD_ALONE}"
)
_STATEMENT = text(f"SELECT DISTINCT {_COLUMNS}{_FROM}{_WHERE}").columns(
    id=Uuid(),
    price_tiers=JSONB(),
    service_tags=JSONB(),
    series_tags=JSONB(),
    tags=JSONB(),
    pays=JSONB(),
)
"""Parameters: tenant_id, now. Dates that are alike are one row."""
