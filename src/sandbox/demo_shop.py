"""What a demo business has on offer: services, dates, courses and coupons."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.coupons import create_coupon
from src.booking.commands.repeat import PublishRepeat, publish_repeat
from src.booking.commands.series import SeriesCommand, create_series, publish_series
from src.booking.commands.services import CreateService, create_service
from src.booking.commands.waitlist import change_waitlist
from src.booking.domain.kinds import JoinPolicy, SalesMode, SeriesPriceType
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.repeat import RepeatRule
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.platform.services import Services
from src.sandbox.demo_people import DemoBusiness, DemoSeries, DemoService
from src.sandbox.demo_times import earlier, just_over, soon
from src.tenants.context import RequestContext
from src.tenants.models import Location, Performer

DATES = 8
PUBLISHED_BEFORE_DAYS = 10
A_WEEK_BEFORE = 7


class OnSale(msgspec.Struct, frozen=True, kw_only=True):
    """A service as it was published; its dates are in order."""

    service_id: UUID
    session_ids: tuple[UUID, ...]
    series_id: UUID | None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A business that is open, by the keys of its services."""

    services: Services
    ctx: RequestContext
    offers: dict[str, OnSale]


class Shop:
    """Opens a business that is there already, by the commands its owner would give."""

    def __init__(self, services: Services, ctx: RequestContext) -> None:
        self._services = services
        self._ctx = ctx

    async def open(self, business: DemoBusiness) -> Opened:
        performers, locations = await self._ids(Performer), await self._ids(Location)
        offers: dict[str, OnSale] = {}
        for number, service in enumerate(business.services):
            performer = performers[number % len(performers)]
            location = locations[number % len(locations)]
            offers[service.key] = await self._offer(service, performer, location)
        async with self._services.uow_factory(self._ctx.here.id) as uow:
            for draft in business.coupons:
                await create_coupon(uow, self._ctx, new_id(), draft)
        return Opened(services=self._services, ctx=self._ctx, offers=offers)

    async def _ids(self, model: type[Performer] | type[Location]) -> Sequence[UUID]:
        async with self._services.uow_factory(self._ctx.here.id) as uow:
            found = await uow.session.scalars(
                select(model.id).where(model.tenant_id == uow.tenant).order_by(model.id)
            )
            return found.all()

    async def _offer(self, service: DemoService, performer: UUID, location: UUID) -> OnSale:
        rule = self._rule(service)
        then = earlier(self._services, PUBLISHED_BEFORE_DAYS - min(service.first_in_days, 0))
        service_id = await self._service(then.uow_factory, service)
        async with then.uow_factory(self._ctx.here.id) as uow:
            published = await publish_repeat(
                uow,
                self._ctx,
                PublishRepeat(
                    service_id=service_id,
                    rule=rule,
                    capacity=service.capacity,
                    performer_id=performer,
                    location_id=location,
                    title_pattern=service.title_pattern,
                ),
            )
        dates, series_id = published.session_ids, None
        if service.series is not None:
            is_both = service.sales_mode is SalesMode.BOTH
            cmd = _course(service.series, dates[:DATES], rule.start_on, is_both=is_both)
            async with then.uow_factory(self._ctx.here.id) as uow:
                series_id = await create_series(uow, self._ctx, service_id, cmd)
                await publish_series(uow, self._ctx, series_id)
        return OnSale(service_id=service_id, session_ids=dates, series_id=series_id)

    async def _service(self, then: UowFactory, service: DemoService) -> UUID:
        async with then(self._ctx.here.id) as uow:
            service_id = await create_service(
                uow,
                self._ctx,
                CreateService(
                    name=service.name,
                    description=service.description,
                    sales_mode=service.sales_mode,
                    price_type=service.price_type,
                    price_minor=service.price_minor,
                    price_tiers=service.price_tiers,
                    questions=service.questions,
                    leaving=service.leaving,
                    tags=service.tags,
                    duration_minutes=service.minutes,
                    default_capacity=service.capacity,
                    max_party=4,
                ),
            )
            if service.waitlist is not None:
                await change_waitlist(uow, self._ctx, service_id, service.waitlist)
        return service_id

    def _rule(self, service: DemoService) -> RepeatRule:
        """A time around now falls on today's weekday, holiday or not."""
        now = self._services.clock.now().astimezone(self._ctx.here.zone).replace(tzinfo=None)
        first = _first(service, now)
        weekdays = service.weekdays or frozenset({first.weekday()})
        return RepeatRule(
            weekdays=weekdays,
            start_on=first.date(),
            start_time=first.time(),
            duration_minutes=service.minutes,
            count=DATES * len(weekdays),
            skip_holidays_of=self._ctx.here.country if service.weekdays else None,
        )


def _first(service: DemoService, now: datetime) -> datetime:
    later = timedelta(days=service.first_in_days)
    if isinstance(service.at, time):
        return datetime.combine(now.date() + later, service.at)
    return (soon(now) if service.at == "soon" else just_over(now, service.minutes)) + later


def _course(
    series: DemoSeries, session_ids: tuple[UUID, ...], start_on: date, *, is_both: bool
) -> SeriesCommand:
    tiers = series.price_tiers
    if series.early_bird_minor is not None:
        early = PriceTier(name="Early bird", price_minor=series.early_bird_minor, until_on=start_on)
        tiers = (*tiers, early)
    return SeriesCommand(
        title=series.title,
        price_type=SeriesPriceType.ONLINE,
        price_minor=series.price_minor,
        price_tiers=tiers,
        join_policy=JoinPolicy.ANY_TIME,
        drop_in_allowed=is_both,
        drop_in_minor=series.drop_in_minor,
        drop_in_opens_before=A_WEEK_BEFORE if is_both else None,
        drop_in_pays=series.drop_in_pays,
        leaving=series.leaving,
        tags=series.tags,
        session_ids=session_ids,
    )
