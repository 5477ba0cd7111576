"""Charts of the first page of the day: each is a question, its answer, and the bars behind it."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from src.billing.queries.weeks import weekly_totals
from src.billing.views.orders import WeekTotals
from src.booking.domain.kinds import SessionState
from src.booking.models import Session
from src.booking.queries.on_offer import people_in, with_offers
from src.booking.views.today import Chart, ChartPoint
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.localtime import local_day_bounds, to_local
from src.platform.web.formats import (
    day_in_two_lines,
    day_medium,
    day_short,
    money,
    number,
    percent,
)
from src.tenants.context import TenantSnapshot

DAYS, WEEKS = 14, 12


async def get_charts(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> list[Chart]:
    """In two queries, however much there is."""
    weeks = await weekly_totals(uow, tenant, now, weeks=WEEKS)
    return [await _fill(uow, tenant, now), _bookings(weeks), _money(weeks, tenant.currency)]


async def _fill(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> Chart:
    today = to_local(now, tenant.zone).date()
    days = [today + timedelta(days=number) for number in range(DAYS)]
    found = {row.day: (row.taken, row.capacity) for row in await _by_day(uow, tenant, days)}
    taken = sum(one for one, _capacity in found.values())
    capacity = sum(one for _taken, one in found.values())
    answer = _(
        "%(share)s: %(taken)s of %(capacity)s places are taken.",
        share=percent(taken / capacity) if capacity else percent(0),
        taken=number(taken),
        capacity=number(capacity),
    )
    return Chart(
        id="fill",
        question=_("How full are the next 14 days?"),
        answer=answer if capacity else _("No session takes place in the next 14 days."),
        columns=(_("Day"), _("Places taken")),
        points=[_day(day, *found.get(day, (0, 0))) for day in days],
        scale="percent",
    )


async def _by_day(uow: UnitOfWork, tenant: TenantSnapshot, days: list[date]) -> Any:
    day = func.date(func.timezone(tenant.timezone, Session.starts_at)).label("day")
    return await uow.session.execute(
        with_offers(
            select(
                day,
                func.sum(people_in()).label("taken"),
                func.sum(Session.capacity).label("capacity"),
            )
        )
        .where(
            Session.tenant_id == uow.tenant,
            Session.starts_at >= local_day_bounds(days[0], tenant.zone)[0],
            Session.starts_at < local_day_bounds(days[-1], tenant.zone)[1],
            Session.state == str(SessionState.SCHEDULED),
        )
        .group_by(day)
    )


def _day(day: date, taken: int, capacity: int) -> ChartPoint:
    words = _("%(taken)s of %(capacity)s", taken=number(taken), capacity=number(capacity))
    return ChartPoint(
        tick=day_in_two_lines(day),
        label=day_medium(day),
        text=f"{words} ({percent(taken / capacity)})" if capacity else _("no session"),
        value=round(100 * taken / capacity, 1) if capacity else None,
    )


def _bookings(weeks: list[WeekTotals]) -> Chart:
    before, last = weeks[-2].confirmed, weeks[-1].confirmed
    this_week = ngettext(
        "%(num)s booking this week so far", "%(num)s bookings this week so far", last
    )
    return Chart(
        id="bookings",
        question=_("How many bookings come in each week?"),
        answer=_(
            "%(this_week)s, %(before)s in the week before.", this_week=this_week, before=before
        ),
        columns=(_("Week from"), _("Bookings")),
        points=[
            ChartPoint(
                tick=day_short(week.on),
                label=day_medium(week.on),
                text=number(week.confirmed),
                value=week.confirmed,
            )
            for week in weeks
        ],
        scale="count",
    )


def _money(weeks: list[WeekTotals], currency: str) -> Chart:
    total = sum(week.kept_minor for week in weeks)
    return Chart(
        id="money",
        question=_("What do the bookings of each week bring?"),
        answer=_(
            "%(amount)s in twelve weeks, by the week of booking, less what went back.",
            amount=money(total, currency),
        ),
        columns=(_("Week from"), _("Paid")),
        points=[
            ChartPoint(
                tick=day_short(week.on),
                label=day_medium(week.on),
                text=money(week.kept_minor, currency),
                value=week.kept_minor,
            )
            for week in weeks
        ],
    )
