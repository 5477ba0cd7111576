"""Group services: who may make them, and what is refused."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands.services import (
    CreateService,
    UpdateService,
    create_service,
    get_service,
    set_service_active,
    update_service,
)
from src.booking.domain.kinds import SalesMode, SeriesPriceType, Visibility
from src.booking.domain.questions import Question, QuestionKind
from src.booking.models import Service
from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.models import AuditEntry
from tests.support.builders import Business, a_business, a_service

pytestmark = pytest.mark.anyio


async def created(uow_factory: UowFactory, business: Business, **more: Any) -> UUID:
    async with uow_factory(business.id) as uow:
        return await create_service(uow, business.ctx, CreateService(**{"name": "Yoga", **more}))


async def changed(uow_factory: UowFactory, business: Business, service_id: UUID, **to: Any) -> None:
    async with uow_factory(business.id) as uow:
        cmd = UpdateService(**{"name": "Yoga", "service_id": service_id, **to})
        await update_service(uow, business.ctx, cmd)


async def read(uow_factory: UowFactory, business: Business, service_id: UUID) -> Service:
    async with uow_factory(business.id) as uow:
        return await get_service(uow, service_id)


async def refusals(uow_factory: UowFactory, business: Business, **more: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        await created(uow_factory, business, **more)
    return refused.value.fields


async def test_a_service_is_made_with_an_address_of_its_own(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    first = await created(uow_factory, business, name="Yin Yoga für Anfänger")
    second = await created(uow_factory, business, name="Yin Yoga für Anfänger")
    assert (await read(uow_factory, business, first)).slug == "yin-yoga-fur-anfanger"
    assert (await read(uow_factory, business, second)).slug == "yin-yoga-fur-anfanger-2"


async def test_the_same_form_twice_makes_one_service(uow_factory: UowFactory) -> None:
    business, service_id = await a_business(uow_factory), new_id()
    for _ in range(2):
        assert await created(uow_factory, business, service_id=service_id) == service_id
    async with uow_factory(business.id) as uow:
        assert len((await uow.session.scalars(select(Service))).all()) == 1


async def test_making_one_is_written_down(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service_id = await created(uow_factory, business)
    async with uow_factory(business.id) as uow:
        entry = await uow.session.scalar(
            select(AuditEntry).where(AuditEntry.subject_id == service_id)
        )
    assert entry is not None
    assert (entry.action, entry.actor_name) == ("service.created", "Olive")


async def test_a_name_of_other_letters_gets_an_address_too(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service_id = await created(uow_factory, business, name="瑜伽")
    assert (await read(uow_factory, business, service_id)).slug == "service"


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 121}),
        ("slug", {"slug": "Yoga Loft"}),
        ("slug", {"slug": "bookings"}),
        ("slug", {"slug": "y" * 61}),
        ("price_minor", {"price_type": SeriesPriceType.ONLINE, "price_minor": 0}),
        ("price_minor", {"price_type": SeriesPriceType.ONLINE, "price_minor": -1}),
        ("price_minor", {"price_type": SeriesPriceType.ONLINE, "price_minor": 2_000_000_000}),
        ("tax_rate_bp", {"tax_rate_bp": 10_001}),
        ("duration_minutes", {"duration_minutes": 0}),
        ("duration_minutes", {"duration_minutes": 7 * 24 * 60 + 1}),
        ("default_capacity", {"default_capacity": 0}),
        ("max_party", {"max_party": 0}),
        ("horizon_days", {"horizon_days": 0}),
        ("min_notice_minutes", {"min_notice_minutes": -1}),
        ("default_performer_id", {"default_performer_id": new_id()}),
        ("default_location_id", {"default_location_id": new_id()}),
        ("questions.0.label", {"questions": (Question(key="q1", label=""),)}),
        (
            "questions.0.choices",
            {"questions": (Question(key="q1", label="Size?", kind=QuestionKind.CHOICE),)},
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_field(
    uow_factory: UowFactory, field: str, more: dict[str, Any]
) -> None:
    business = await a_business(uow_factory)
    assert list(await refusals(uow_factory, business, **more)) == [field]


async def test_an_address_is_used_once(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    await created(uow_factory, business, slug="yoga")
    assert "slug" in await refusals(uow_factory, business, slug="yoga")


async def test_two_businesses_may_use_the_same_address(uow_factory: UowFactory) -> None:
    ours, theirs = await a_business(uow_factory), await a_business(uow_factory, "other")
    await created(uow_factory, ours, slug="yoga")
    service_id = await created(uow_factory, theirs, slug="yoga")
    assert (await read(uow_factory, theirs, service_id)).slug == "yoga"


async def test_a_plan_without_groups_makes_none(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    with pytest.raises(PlanLimitReached) as refused:
        await created(uow_factory, business)
    assert refused.value.feature == "group_services"
    assert refused.value.cheapest_plan == "Growth"


async def test_a_plan_without_groups_cannot_bring_one_back(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    off = await a_service(uow_factory, business.id, active=False)
    hidden = await a_service(uow_factory, business.id, slug="pilates", visibility="hidden")
    with pytest.raises(PlanLimitReached):
        await changed(uow_factory, business, off.id, sales_mode=SalesMode.BOTH)
    with pytest.raises(PlanLimitReached):
        await changed(uow_factory, business, hidden.id, sales_mode=SalesMode.BOTH)
    async with uow_factory(business.id) as uow:
        with pytest.raises(PlanLimitReached):
            await set_service_active(uow, business.ctx, off.id, active=True)


async def test_a_plan_without_groups_still_corrects_words(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    service = await a_service(uow_factory, business.id)
    await changed(uow_factory, business, service.id, name="Hatha", sales_mode=SalesMode.BOTH)
    assert (await read(uow_factory, business, service.id)).name == "Hatha"


async def test_selling_by_series_needs_a_plan_with_series(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    service = await a_service(uow_factory, business.id, sales_mode="single")
    with pytest.raises(PlanLimitReached) as refused:
        await changed(uow_factory, business, service.id, sales_mode=SalesMode.SERIES)
    assert refused.value.feature == "series"


async def test_changing_keeps_the_address_and_drops_the_price_of_what_is_free(
    uow_factory: UowFactory,
) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    await changed(
        uow_factory,
        business,
        service.id,
        name="Free yoga",
        price_minor=1500,
        visibility=Visibility.UNLISTED,
    )
    now = await read(uow_factory, business, service.id)
    assert (now.slug, now.price_minor, now.visibility) == ("yoga", 0, "unlisted")


async def test_another_business_has_no_such_service(uow_factory: UowFactory) -> None:
    ours, theirs = await a_business(uow_factory), await a_business(uow_factory, "other")
    service = await a_service(uow_factory, theirs.id)
    with pytest.raises(NotFound):
        await changed(uow_factory, ours, service.id)
    async with uow_factory(ours.id) as uow:
        with pytest.raises(NotFound):
            await set_service_active(uow, ours.ctx, service.id, active=False)


@pytest.mark.parametrize(
    ("price_type", "price_minor", "is_refused"),
    [("online", 49, True), ("online", 50, False), ("on_site", 10, False), ("free", 10, False)],
)
async def test_a_price_that_nobody_could_pay_online_is_refused(
    uow_factory: UowFactory, price_type: str, price_minor: int, is_refused: bool
) -> None:
    business = await a_business(uow_factory)
    price = {"price_type": SeriesPriceType(price_type), "price_minor": price_minor}
    if is_refused:
        fields = await refusals(uow_factory, business, **price)
        assert fields.keys() == {"price_minor"}
        assert "€0.50" in fields["price_minor"]
    else:
        await created(uow_factory, business, **price)
