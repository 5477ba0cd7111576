"""What Lotus gives by appointment: private lessons, when they are given, and who has one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.commands.availability import SetDay, SetWeek, close_days, set_day, set_week
from src.booking.commands.services import CreateService, create_service
from src.booking.domain.appointment_terms import AppointmentTerms, Length, SlotWish
from src.booking.domain.free_times import Hours
from src.booking.domain.kinds import SalesMode, SeriesPriceType, ServiceKind
from src.booking.models import Service
from src.booking.queries.free_times import Wanted, find_free_times
from src.platform.localtime import to_local
from src.sandbox.demo_guests import Guests, Wish
from src.sandbox.demo_people import REFUNDED
from src.sandbox.demo_shop import Opened
from src.sandbox.demo_times import earlier
from src.tenants.models import Performer

SINCE_DAYS = 30
AN_HOUR = 60
AFTERNOONS = Hours(13 * 60, 18 * 60)
WEEKS: Mapping[str, Mapping[int, Sequence[Hours]]] = {
    "Ivan Iris": {day: [Hours(9 * 60, 12 * 60), AFTERNOONS] for day in (0, 1, 3)},
    "Mira Moon": {day: [AFTERNOONS] for day in (1, 2, 3, 4)} | {5: [Hours(10 * 60, 14 * 60)]},
}
"""Who gives lessons, and when."""

LESSON = CreateService(
    kind=ServiceKind.APPOINTMENT,
    name="Private lesson",
    description="An hour of yoga made for you: after an injury, before a birth, or for a start.",
    sales_mode=SalesMode.SINGLE,
    price_type=SeriesPriceType.ONLINE,
    price_minor=7500,
    duration_minutes=AN_HOUR,
    default_capacity=2,
    max_party=2,
    min_notice_minutes=4 * 60,
    horizon_days=60,
    leaving=REFUNDED,
    tags=("private",),
    appointment=AppointmentTerms(after_minutes=15, lengths=(Length(30, 4500), Length(90, 10500))),
)


async def lotus_appointments(lotus: Opened, guests: Guests) -> None:
    """The hours first, then a lesson for each of three guests, one of them booked by the team."""
    service = await _service(lotus)
    for place, name in enumerate(("Uma Umber", "Vic Violet")):
        free = await _free_times(lotus, service)
        await guests.book(_lesson(service, free[1 + 4 * place], name))
    free = await _free_times(lotus, service)
    await guests.book_by_staff(_lesson(service, free[-1], "Carl Cedar"), days_ago=0, is_paid=False)


def _lesson(service: Service, starts_at: datetime, name: str) -> Wish:
    slot = SlotWish(starts_at=starts_at, minutes=AN_HOUR)
    return Wish(kind="session", subject_id=service.id, party=(name,), slot=slot)


async def _service(lotus: Opened) -> Service:
    then = earlier(lotus.services, SINCE_DAYS)
    async with then.uow_factory(lotus.ctx.here.id) as uow:
        found = await uow.session.execute(
            select(Performer.name, Performer.id).where(Performer.tenant_id == uow.tenant)
        )
        ids: dict[str, UUID] = {row.name: row.id for row in found}
        for name, week in WEEKS.items():
            await set_week(uow, lotus.ctx, SetWeek(performer_id=ids[name], week=week))
        today = to_local(lotus.services.clock.now(), lotus.ctx.here.zone).date()
        away = SetDay(
            performer_id=ids["Mira Moon"],
            on_date=today + timedelta(days=20),
            until_on=today + timedelta(days=24),
            note="Retreat in the hills",
        )
        await set_day(uow, lotus.ctx, away)
        await close_days(uow, lotus.ctx, {_new_year(today): "New Year's Day"})
        lesson = msgspec.structs.replace(LESSON, performer_ids=tuple(ids[name] for name in WEEKS))
        service_id = await create_service(uow, lotus.ctx, lesson)
        return await uow.session.get_one(Service, (uow.tenant, service_id))


def _new_year(today: date) -> date:
    return date(today.year + 1, 1, 1)


async def _free_times(lotus: Opened, service: Service) -> list[datetime]:
    """Those of the coming two weeks, as guests are offered them."""
    now, here = lotus.services.clock.now(), lotus.ctx.here
    today = to_local(now, here.zone).date()
    wanted = Wanted(AN_HOUR, today, today + timedelta(days=14))
    async with lotus.services.uow_factory(here.id) as uow:
        return list(await find_free_times(uow, here, service, wanted, now))
