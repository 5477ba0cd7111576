"""What each week brought, for a chart."""

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from src.billing.domain.kinds import OrderState
from src.billing.income import is_income, to_send_back_minor
from src.billing.models import Order
from src.billing.queries.disputes import taken_back_minor
from src.billing.views.orders import WeekTotals
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local, to_utc
from src.tenants.context import TenantSnapshot

WEEK = timedelta(days=7)


async def weekly_totals(
    uow: UnitOfWork, tenant: TenantSnapshot, now: datetime, *, weeks: int
) -> list[WeekTotals]:
    """The last weeks on the tenant's clock, the present one last, by when the order was made.

    Weeks begin on Mondays; one without orders is in the list too. One query.
    """
    today = to_local(now, tenant.zone).date()
    first = today - timedelta(days=today.weekday()) - (weeks - 1) * WEEK
    found = {row.week.date(): row for row in await _by_week(uow, tenant, first)}
    mondays = [first + number * WEEK for number in range(weeks)]
    return [
        WeekTotals(
            on=monday,
            confirmed=row.confirmed if (row := found.get(monday)) is not None else 0,
            kept_minor=int(row.kept_minor) if row is not None else 0,
        )
        for monday in mondays
    ]


async def _by_week(uow: UnitOfWork, tenant: TenantSnapshot, first: date) -> Any:
    week = func.date_trunc("week", func.timezone(tenant.timezone, Order.created_at)).label("week")
    return await uow.session.execute(
        select(
            week,
            func.count().filter(Order.state == str(OrderState.CONFIRMED)).label("confirmed"),
            func.coalesce(
                func.sum(
                    Order.paid_minor
                    - to_send_back_minor()
                    - Order.refunded_minor
                    - taken_back_minor()
                ).filter(is_income(uow)),
                0,
            ).label("kept_minor"),
        )
        .where(
            Order.tenant_id == uow.tenant,
            Order.created_at >= to_utc(datetime.combine(first, time()), tenant.zone),
            Order.currency == tenant.currency,
        )
        .group_by(week)
    )
