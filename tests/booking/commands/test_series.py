"""A series is put together, published once for its base, and never loses what it sold."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.commands.series import (
    NotPublishable,
    SeriesCommand,
    create_series,
    get_series,
    publish_series,
    update_series,
)
from src.booking.domain.kinds import JoinPolicy, SeriesPriceType
from src.booking.models import Session
from src.booking.queries.offer_facts import quote_of_series
from src.booking.queries.offers import get_series_offer
from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput, NotFound, PlanLimitReached
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


def a_plan(*session_ids: UUID, **more: Any) -> SeriesCommand:
    return SeriesCommand(
        **{
            "title": "Spring term",
            "price_type": SeriesPriceType.ON_SITE,
            "price_minor": 6000,
            "session_ids": session_ids,
            **more,
        }
    )


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def three_sessions(uow_factory: UowFactory, business: Business) -> tuple[UUID, list[UUID]]:
    service = await a_service(uow_factory, business.id)
    runs = [await a_session(uow_factory, service, in_days=day) for day in (7, 14, 21)]
    return service.id, [run.id for run in runs]


async def published(
    uow_factory: UowFactory, business: Business, service_id: UUID, cmd: SeriesCommand
) -> UUID:
    async with uow_factory(business.id) as uow:
        series_id = await create_series(uow, business.ctx, service_id, cmd)
        await publish_series(uow, business.ctx, series_id)
    return series_id


async def test_publishing_fixes_the_base_and_later_dates_do_not_move_it(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    series_id = await published(uow_factory, lotus, service_id, a_plan(*runs[:2]))
    async with uow_factory(lotus.id) as uow:
        await update_series(uow, lotus.ctx, series_id, a_plan(*runs))
        await publish_series(uow, lotus.ctx, series_id)
    async with uow_factory(lotus.id) as uow:
        assert (await get_series(uow, series_id)).base_sessions == 2
        late = await uow.session.get_one(Session, (lotus.id, runs[2]))
        assert not late.in_term


async def price_of(uow_factory: UowFactory, business: Business, series_id: UUID) -> int:
    async with uow_factory(business.id) as uow:
        offer = await get_series_offer(uow, series_id)
        return quote_of_series(offer, business.tenant, 1, uow.clock.now()).total_minor


async def test_a_date_taken_out_and_put_back_leaves_the_price_as_it_was(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    series_id = await published(uow_factory, lotus, service_id, a_plan(*runs))
    for dates in (runs[:2], runs):
        async with uow_factory(lotus.id) as uow:
            await update_series(uow, lotus.ctx, series_id, a_plan(*dates))
            assert (await get_series(uow, series_id)).base_sessions == 2
        assert await price_of(uow_factory, lotus, series_id) == 6000


async def test_a_date_that_joined_later_leaves_the_base_alone(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    series_id = await published(uow_factory, lotus, service_id, a_plan(*runs[:2]))
    for dates in (runs, runs[:2]):
        async with uow_factory(lotus.id) as uow:
            await update_series(uow, lotus.ctx, series_id, a_plan(*dates))
            assert (await get_series(uow, series_id)).base_sessions == 2


async def test_a_published_series_keeps_a_date_of_its_term(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    series_id = await published(uow_factory, lotus, service_id, a_plan(*runs[:2]))
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(lotus.id) as uow:
            await update_series(uow, lotus.ctx, series_id, a_plan(runs[2]))
    assert list(refused.value.fields) == ["session_ids"]


async def test_nothing_to_come_cannot_be_published(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service_id, _runs = await three_sessions(uow_factory, lotus)
    with pytest.raises(NotPublishable) as refused:
        await published(uow_factory, lotus, service_id, a_plan())
    assert refused.value.reasons


async def test_a_session_is_in_one_series_only(uow_factory: UowFactory, lotus: Business) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    await published(uow_factory, lotus, service_id, a_plan(*runs[:2]))
    with pytest.raises(InvalidInput) as refused:
        await published(uow_factory, lotus, service_id, a_plan(*runs[1:]))
    assert "session_ids" in refused.value.fields


async def test_a_date_that_was_sold_with_the_series_stays(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    series_id = await published(uow_factory, lotus, service_id, a_plan(*runs))
    await booked(uow_factory, lotus, a_wish("series", series_id))
    with pytest.raises(InvalidInput):
        async with uow_factory(lotus.id) as uow:
            await update_series(uow, lotus.ctx, series_id, a_plan(*runs[:2]))


async def test_a_started_session_cannot_join(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    clock.advance(timedelta(days=8))
    with pytest.raises(InvalidInput):
        await published(uow_factory, lotus, service_id, a_plan(*runs))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": "  "}, "title"),
        ({"price_minor": 0}, "price"),
        ({"join_policy": JoinPolicy.UNTIL}, "join_until_on"),
        (
            {"join_policy": JoinPolicy.UNTIL, "join_until_on": date(2020, 1, 1)},
            "join_until_on",
        ),
        ({"drop_in_minor": -1}, "drop_in_price"),
    ],
)
async def test_each_field_gets_its_own_sentence(
    uow_factory: UowFactory, lotus: Business, more: dict[str, Any], field: str
) -> None:
    service_id, runs = await three_sessions(uow_factory, lotus)
    with pytest.raises(InvalidInput) as refused:
        await published(uow_factory, lotus, service_id, a_plan(*runs, **more))
    assert list(refused.value.fields) == [field]


async def test_a_single_date_of_a_free_service_has_no_price(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="free", price_minor=0)
    run = await a_session(uow_factory, service)
    series_id = await published(uow_factory, lotus, service.id, a_plan(run.id, drop_in_minor=0))
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(lotus.id) as uow:
            await update_series(uow, lotus.ctx, series_id, a_plan(run.id, drop_in_minor=900))
    assert list(refused.value.fields) == ["drop_in_price"]
    with pytest.raises(InvalidInput):
        await published(uow_factory, lotus, service.id, a_plan(drop_in_minor=900))


@pytest.mark.parametrize("plan", ["free", "starter"])
async def test_a_smaller_plan_gets_no_series_whichever_way(
    uow_factory: UowFactory, plan: str
) -> None:
    small = await a_business(uow_factory, "small", plan=plan)
    service_id, runs = await three_sessions(uow_factory, small)
    with pytest.raises(PlanLimitReached):
        await published(uow_factory, small, service_id, a_plan(*runs))


async def test_another_tenants_service_and_sessions_do_not_exist(
    uow_factory: UowFactory, lotus: Business
) -> None:
    eves = await a_business(uow_factory, "rival", owner="Eve")
    service_id, runs = await three_sessions(uow_factory, lotus)
    with pytest.raises(NotFound):
        await published(uow_factory, eves, service_id, a_plan(*runs))
    own_service, _own = await three_sessions(uow_factory, eves)
    with pytest.raises(InvalidInput):
        await published(uow_factory, eves, own_service, a_plan(*runs))


async def test_a_date_cancelled_before_publishing_never_moves_the_price(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """It never counted in the base, so taking it out later cannot shrink the base."""
    service_id, runs = await three_sessions(uow_factory, lotus)
    async with uow_factory(lotus.id) as uow:
        series_id = await create_series(uow, lotus.ctx, service_id, a_plan(*runs))
        session = await uow.session.get_one(Session, (lotus.id, runs[0]))
        session.state = "cancelled"
        await uow.session.flush()
        await publish_series(uow, lotus.ctx, series_id)
    async with uow_factory(lotus.id) as uow:
        await update_series(uow, lotus.ctx, series_id, a_plan(*runs[1:]))
        assert (await get_series(uow, series_id)).base_sessions == 2
    assert await price_of(uow_factory, lotus, series_id) == 6000


async def test_a_date_whose_cancelling_can_be_undone_is_waited_for(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """Left out of the term it would be out of it for good."""
    service_id, runs = await three_sessions(uow_factory, lotus)
    async with uow_factory(lotus.id) as uow:
        series_id = await create_series(uow, lotus.ctx, service_id, a_plan(*runs))
        cancellation_id = await cancel_session(uow, lotus.ctx, runs[0], reason="", undo_seconds=30)
    with pytest.raises(NotPublishable, match="can still be undone"):
        async with uow_factory(lotus.id) as uow:
            await publish_series(uow, lotus.ctx, series_id)
    async with uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    async with uow_factory(lotus.id) as uow:
        await publish_series(uow, lotus.ctx, series_id)
        assert (await get_series(uow, series_id)).base_sessions == 3


async def test_a_course_in_a_currency_of_small_units_has_its_price(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """100,000 forints are 250 euros: what is too much is what an order cannot hold."""
    service_id, runs = await three_sessions(uow_factory, lotus)
    async with uow_factory(lotus.id) as uow:
        await create_series(uow, lotus.ctx, service_id, a_plan(*runs, price_minor=150_000_00))
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(lotus.id) as uow:
            dear = a_plan(price_minor=200_000_001)
            await create_series(uow, lotus.ctx, service_id, dear)
    assert refused.value.fields["price"] == "This price is too high for a party of that size."


async def test_prices_that_nobody_could_pay_online_are_refused(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service_id, _ids = await three_sessions(uow_factory, lotus)
    for wrong, field in (
        ({"price_type": SeriesPriceType.ONLINE, "price_minor": 49}, "price"),
        ({"drop_in_allowed": True, "drop_in_minor": 49}, "drop_in_price"),
    ):
        with pytest.raises(InvalidInput) as refused:
            async with uow_factory(lotus.id) as uow:
                await create_series(uow, lotus.ctx, service_id, a_plan(**wrong))
        assert refused.value.fields.keys() == {field}
        assert "€0.50" in refused.value.fields[field]
