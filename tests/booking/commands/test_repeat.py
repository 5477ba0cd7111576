"""Repeats: all wanted dates or none, and never twice."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import select

from src.booking.commands.repeat import Published, PublishRepeat, check_repeat, publish_repeat
from src.booking.domain.repeat import RepeatRule
from src.booking.models import Service, Session
from src.booking.queries.repeat import RepeatDate
from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.tenants.models import PerformerBusy
from tests.booking.commands.places import a_performer, a_room
from tests.support.builders import Business, a_business, a_service

pytestmark = pytest.mark.anyio


def a_rule(**more: Any) -> RepeatRule:
    """Tuesdays at 18:00 from 9 March 2027, four times, over the change to summer time."""
    return RepeatRule(
        **{
            "weekdays": frozenset({1}),
            "start_on": date(2027, 3, 9),
            "start_time": time(18, 0),
            "duration_minutes": 60,
            "count": 4,
            **more,
        }
    )


def a_repeat(service: Service, **more: Any) -> PublishRepeat:
    values = {"service_id": service.id, "rule": a_rule(), "capacity": 10, **more}
    return PublishRepeat(**values)


async def published(uow_factory: UowFactory, business: Business, cmd: PublishRepeat) -> Published:
    async with uow_factory(business.id) as uow:
        return await publish_repeat(uow, business.ctx, cmd)


async def rehearsed(
    uow_factory: UowFactory, business: Business, cmd: PublishRepeat
) -> list[RepeatDate]:
    async with uow_factory(business.id) as uow:
        return await check_repeat(uow, business.ctx, cmd)


async def sessions(uow_factory: UowFactory, business: Business) -> list[Session]:
    async with uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Session).order_by(Session.starts_at)))


async def test_six_o_clock_stays_six_o_clock_and_titles_count(uow_factory: UowFactory) -> None:
    """Row 2-44: dates that repeat were to be typed one by one."""
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    await published(uow_factory, business, a_repeat(service, title_pattern="Lesson {n}"))
    found = await sessions(uow_factory, business)
    assert [to_local(each.starts_at, business.tenant.zone).hour for each in found] == [18] * 4
    assert [each.starts_at.hour for each in found] == [17, 17, 17, 16]
    assert [each.title for each in found] == ["Lesson 1", "Lesson 2", "Lesson 3", "Lesson 4"]


async def test_a_second_submit_publishes_nothing(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    cmd = a_repeat(service, title_pattern="Lesson {n}", performer_id=performer.id)
    first = await published(uow_factory, business, cmd)
    second = await published(uow_factory, business, cmd)
    assert (len(first.session_ids), first.already_there) == (4, 0)
    assert (len(second.session_ids), second.already_there) == (0, 4)
    assert len(await sessions(uow_factory, business)) == 4


async def test_dates_left_out_are_not_numbered(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    left_out = frozenset({date(2027, 3, 16)})
    cmd = a_repeat(service, title_pattern="Lesson {n}", left_out=left_out)
    await published(uow_factory, business, cmd)
    found = await sessions(uow_factory, business)
    assert [(each.starts_at.day, each.title) for each in found] == [
        (9, "Lesson 1"),
        (23, "Lesson 2"),
        (30, "Lesson 3"),
    ]


async def test_one_clash_stops_them_all_until_it_is_left_out(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    other = a_repeat(
        service, rule=a_rule(start_on=date(2027, 3, 16), count=1), performer_id=performer.id
    )
    await published(uow_factory, business, other)
    cmd = a_repeat(service, performer_id=performer.id, title_pattern="Lesson {n}")
    with pytest.raises(InvalidInput):
        await published(uow_factory, business, cmd)
    assert len(await sessions(uow_factory, business)) == 1
    dates = await rehearsed(uow_factory, business, cmd)
    assert [each.clash is not None for each in dates] == [False, True, False, False]
    fewer = a_repeat(
        service,
        performer_id=performer.id,
        title_pattern="Lesson {n}",
        left_out=frozenset({date(2027, 3, 16)}),
    )
    assert len((await published(uow_factory, business, fewer)).session_ids) == 3


async def test_dates_that_overlap_each_other_cannot_have_one_performer(
    uow_factory: UowFactory,
) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    rule = a_rule(weekdays=frozenset({1, 2}), duration_minutes=30 * 60)
    with pytest.raises(InvalidInput):
        await published(
            uow_factory, business, a_repeat(service, rule=rule, performer_id=performer.id)
        )
    assert await sessions(uow_factory, business) == []


async def test_performers_are_taken_on_every_date(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    await published(uow_factory, business, a_repeat(service, performer_id=performer.id))
    async with uow_factory(business.id) as uow:
        assert len(list(await uow.session.scalars(select(PerformerBusy)))) == 4


async def test_what_has_passed_is_not_published(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    cmd = a_repeat(service, rule=a_rule(start_on=date(2027, 2, 16)))
    dates = await rehearsed(uow_factory, business, cmd)
    assert [each.passed for each in dates] == [True, True, False, False]
    await published(uow_factory, business, cmd)
    now = datetime(2027, 3, 1, 9, tzinfo=UTC)
    assert all(each.starts_at > now for each in await sessions(uow_factory, business))


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("weekdays", {"rule": a_rule(weekdays=frozenset())}),
        ("until_on", {"rule": a_rule(count=None)}),
        ("until_on", {"rule": a_rule(count=None, until_on=date(2027, 3, 1))}),
        ("count", {"rule": a_rule(count=501)}),
        ("duration_minutes", {"rule": a_rule(duration_minutes=0)}),
        ("skip_holidays_of", {"rule": a_rule(skip_holidays_of="XX")}),
        ("capacity", {"capacity": 0}),
        ("title_pattern", {"title_pattern": "Lesson {m}"}),
        ("title_pattern", {"title_pattern": "x" * 116}),
        ("performer_id", {"performer_id": new_id()}),
        ("location_id", {"location_id": new_id()}),
        ("meeting_url", {"meeting_url": "https://meet.example/1"}),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_field(
    uow_factory: UowFactory, field: str, more: dict[str, Any]
) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    with pytest.raises(InvalidInput) as refused:
        await published(uow_factory, business, a_repeat(service, **more))
    assert list(refused.value.fields) == [field]


async def test_nothing_left_is_said(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    left_out = frozenset({date(2027, 3, day) for day in (9, 16, 23, 30)})
    with pytest.raises(InvalidInput):
        await published(uow_factory, business, a_repeat(service, left_out=left_out))


async def test_a_room_holds_so_many_and_no_more(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    room = await a_room(uow_factory, business, room_capacity=8)
    with pytest.raises(InvalidInput) as refused:
        await published(uow_factory, business, a_repeat(service, location_id=room.id))
    assert list(refused.value.fields) == ["capacity"]


async def test_a_plan_without_groups_repeats_nothing(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    service = await a_service(uow_factory, business.id)
    with pytest.raises(PlanLimitReached):
        await published(uow_factory, business, a_repeat(service))


async def test_another_business_has_no_such_service(uow_factory: UowFactory) -> None:
    ours, theirs = await a_business(uow_factory), await a_business(uow_factory, "other")
    service = await a_service(uow_factory, theirs.id)
    with pytest.raises(NotFound):
        await published(uow_factory, ours, a_repeat(service))
