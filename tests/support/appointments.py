"""Businesses that give appointments, as tests speak of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from src.booking.commands.availability import SetWeek, set_week
from src.booking.commands.book import BookCommand
from src.booking.commands.givers import set_givers
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.free_times import Hours
from src.booking.models import Service
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.models import Performer
from tests.booking.commands.test_book import a_wish
from tests.support.builders import Business, a_service

NINE_TO_FIVE: Mapping[int, Sequence[Hours]] = {day: [Hours(9 * 60, 17 * 60)] for day in range(5)}


@dataclass(frozen=True)
class Practice:
    """A service by appointment and those who give it, in the order that they were named."""

    business: Business
    service: Service
    performer_ids: list[UUID]

    def wish(self, starts_at: datetime, minutes: int = 60, **more: Any) -> BookCommand:
        performer_id = more.pop("performer_id", None)
        slot = SlotWish(starts_at=starts_at, minutes=minutes, performer_id=performer_id)
        return a_wish("session", self.service.id, slot=slot, **more)


async def a_practice(
    uow_factory: UowFactory,
    business: Business,
    *names: str,
    week: Mapping[int, Sequence[Hours]] = NINE_TO_FIVE,
    **more: Any,
) -> Practice:
    """An hour at EUR 60, given by each of those on weekdays from nine to five; paid on site."""
    service = await a_service(
        uow_factory,
        business.id,
        **{
            "kind": "appointment",
            "slug": "coaching",
            "name": "Coaching",
            "sales_mode": "single",
            "price_type": "on_site",
            "price_minor": 6000,
            "duration_minutes": 60,
            "horizon_days": 60,
            **more,
        },
    )
    performer_ids = [
        await a_performer(uow_factory, business, name, week) for name in names or ("Nora",)
    ]
    async with uow_factory(business.id) as uow:
        await set_givers(uow, service.id, performer_ids)
    return Practice(business, service, performer_ids)


async def a_performer(
    uow_factory: UowFactory,
    business: Business,
    name: str,
    week: Mapping[int, Sequence[Hours]] = NINE_TO_FIVE,
) -> UUID:
    async with uow_factory(business.id) as uow:
        performer = Performer(
            tenant_id=business.id, id=new_id(), name=name, created_at=uow.clock.now()
        )
        uow.session.add(performer)
        await uow.session.flush()
        await set_week(uow, business.ctx, SetWeek(performer_id=performer.id, week=week))
        return performer.id


def next_day_at(now: datetime, hour: int, days: int = 1) -> datetime:
    """An hour of UTC on a day from now."""
    return now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
