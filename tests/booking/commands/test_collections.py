"""Collections: made, filled, put in order; and that nothing kept is sold to anybody else."""

from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.packages import delete_package
from src.booking.commands.book import book
from src.booking.commands.collections import (
    add_to_collection,
    change_collection,
    create_collection,
    delete_collection,
    move_collection,
    move_in_collection,
    set_collection_active,
    take_out_of_collection,
)
from src.booking.commands.waitlist import JoinWaitlist, join_waitlist
from src.booking.commands.waitlist_serve import serve_pool
from src.booking.domain.collections import Access, CollectionDraft, access_of
from src.booking.models import Collection, CollectionItem, WaitlistOffer
from src.booking.queries.collections import access_by_thing, list_items
from src.booking.queries.kept import kept_packages, kept_services
from src.booking.queries.offers import get_series_offer, get_session_offer
from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.errors import InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.errors import EstablishedOnly
from tests.booking.commands.test_book import a_wish
from tests.support.builders import (
    Business,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.collections import a_collection, a_customer, thing_of
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio

REGULARS = CollectionDraft(title="Regulars", slug="", established_only=True)


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def names_in(uow: UnitOfWork, collection_id: UUID) -> list[str]:
    return [one.name for one in await list_items(uow, "/app/lotus", collection_id)]


async def test_one_is_made_filled_ordered_and_emptied(
    uow_factory: UowFactory, lotus: Business
) -> None:
    yoga = await a_service(uow_factory, lotus.id)
    ten = await a_package(uow_factory, lotus.id, name="Ten")
    term = await a_series(uow_factory, yoga, title="Term")
    made = new_id()
    async with uow_factory(lotus.id) as uow:
        for _twice in range(2):
            await create_collection(uow, lotus.ctx, made, REGULARS, [thing_of(yoga)])
        added = await add_to_collection(
            uow, lotus.ctx, made, [thing_of(ten), thing_of(yoga), thing_of(term.series)]
        )
        assert added == 2, "what it has already is left out"
        assert await names_in(uow, made) == ["Yoga", "Ten", "Yoga · Term"]
        items = await list_items(uow, "/app/lotus", made)
        await move_in_collection(uow, lotus.ctx, made, items[2].id, up=True)
        await move_in_collection(uow, lotus.ctx, made, items[0].id, up=True)
        assert await names_in(uow, made) == ["Yoga", "Yoga · Term", "Ten"]
        await take_out_of_collection(uow, lotus.ctx, made, items[0].id)
        with pytest.raises(NotFound):
            await take_out_of_collection(uow, lotus.ctx, made, items[0].id)
        assert await names_in(uow, made) == ["Yoga · Term", "Ten"]
        with pytest.raises(NotFound):
            await move_in_collection(uow, lotus.ctx, made, items[0].id, up=True)
        title = await delete_collection(uow, lotus.ctx, made)
        assert title == "Regulars"
        assert (await uow.session.scalars(select(CollectionItem))).all() == []


async def test_an_address_is_one_collections_own_also_the_one_it_had(
    uow_factory: UowFactory, lotus: Business
) -> None:
    first, second = new_id(), new_id()
    async with uow_factory(lotus.id) as uow:
        await create_collection(uow, lotus.ctx, first, REGULARS)
        await create_collection(uow, lotus.ctx, second, REGULARS)
        slugs = [one.slug for one in await uow.session.scalars(select(Collection))]
        assert sorted(slugs) == ["regulars", "regulars-2"]
        await change_collection(
            uow, lotus.ctx, first, CollectionDraft(title="Regulars", slug="menu")
        )
        taken = CollectionDraft(title="Other", slug="regulars")
        with pytest.raises(InvalidInput) as refused:
            await change_collection(uow, lotus.ctx, second, taken)
        assert "slug" in refused.value.fields
        await change_collection(
            uow, lotus.ctx, first, CollectionDraft(title="Regulars", slug="regulars")
        )
        found = await uow.session.get_one(Collection, (uow.tenant, first))
        assert found.slug == "regulars", "it takes its own former address again"


async def test_what_is_not_of_this_business_cannot_be_put_in(
    uow_factory: UowFactory, lotus: Business
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    theirs = await a_service(uow_factory, rival.id)
    made = new_id()
    async with uow_factory(lotus.id) as uow:
        await create_collection(uow, lotus.ctx, made, REGULARS)
        with pytest.raises(InvalidInput) as refused:
            await add_to_collection(uow, lotus.ctx, made, [thing_of(theirs)])
        assert "things" in refused.value.fields
        with pytest.raises(NotFound):
            await add_to_collection(uow, lotus.ctx, new_id(), [])


async def test_a_plan_without_collections_ends_and_offers_nothing_new(
    uow_factory: UowFactory,
) -> None:
    small = await a_business(uow_factory, "small", plan="starter")
    made = await a_collection(uow_factory, small.id)
    async with uow_factory(small.id) as uow:
        with pytest.raises(PlanLimitReached):
            await create_collection(uow, small.ctx, new_id(), REGULARS)
        with pytest.raises(PlanLimitReached):
            await change_collection(uow, small.ctx, made.id, REGULARS)
        with pytest.raises(PlanLimitReached):
            await add_to_collection(uow, small.ctx, made.id, [])
        await set_collection_active(uow, small.ctx, made.id, active=False)
        with pytest.raises(PlanLimitReached):
            await set_collection_active(uow, small.ctx, made.id, active=True)
        await delete_collection(uow, small.ctx, made.id)


async def test_collections_change_places(uow_factory: UowFactory, lotus: Business) -> None:
    async with uow_factory(lotus.id) as uow:
        made = [new_id() for _number in range(3)]
        for one in made:
            await create_collection(uow, lotus.ctx, one, REGULARS)
        await move_collection(uow, lotus.ctx, made[2], up=True)
        await move_collection(uow, lotus.ctx, made[0], up=True)
        ordered = select(Collection.id).order_by(Collection.position)
        assert list(await uow.session.scalars(ordered)) == [made[0], made[2], made[1]]


async def test_a_deleted_package_leaves(uow_factory: UowFactory, lotus: Business) -> None:
    ten = await a_package(uow_factory, lotus.id)
    made = await a_collection(uow_factory, lotus.id, ten)
    async with uow_factory(lotus.id) as uow:
        await delete_package(uow, lotus.ctx, ten.id)
    async with uow_factory(lotus.id) as uow:
        assert await names_in(uow, made.id) == []


async def test_the_rule_and_its_sql_say_the_same(uow_factory: UowFactory, lotus: Business) -> None:
    """Every set of collections that a thing can be in: none, off, for everybody, kept."""
    factory = uow_factory
    kinds = [None, (False, False), (True, False), (True, True)]
    for number, first in enumerate(kinds):
        for other, second in enumerate(kinds):
            name = f"{number}{other}"
            service = await a_service(factory, lotus.id, slug=f"s{name}", name=name)
            term = await a_series(factory, service, sessions=1)
            package = await a_package(factory, lotus.id, name=name)
            for place, flags in enumerate((first, second)):
                if flags is not None:
                    active, kept = flags
                    await a_collection(
                        factory,
                        lotus.id,
                        service,
                        package,
                        slug=f"c{name}{place}",
                        active=active,
                        established_only=kept,
                    )
            said = [one[1] for one in (first, second) if one is not None and one[0]]
            is_kept = access_of(said) is Access.ESTABLISHED
            async with factory(lotus.id) as uow:
                assert (service.id in await kept_services(uow)) is is_kept, name
                assert (package.id in await kept_packages(uow)) is is_kept, name
                assert (await get_series_offer(uow, term.series.id)).is_kept is is_kept, name
                offer = await get_session_offer(uow, term.sessions[0].id)
                assert offer.is_kept is is_kept, name
                access = await access_by_thing(uow)
                series = access.get(thing_of(term.series), Access.OPEN)
                assert (series is Access.ESTABLISHED) is is_kept, name


async def test_only_who_has_proved_to_be_established_books_what_is_kept(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """A typed address proves nothing; staff book for anybody."""
    service = await a_service(uow_factory, lotus.id, price_type="free")
    session = await a_session(uow_factory, service)
    term = await a_series(uow_factory, service, price_type="free", price_minor=0)
    await a_collection(uow_factory, lotus.id, service)
    known = await a_customer(uow_factory, lotus.id, established=True)
    new = await a_customer(uow_factory, lotus.id, "new@example.com", established=False)
    guest = as_guest(lotus)
    for kind, subject_id in (("session", session.id), ("series", term.series.id)):
        for customer_id in (None, new):
            async with uow_factory(lotus.id) as uow:
                wish = a_wish(kind, subject_id, customer_id=customer_id)
                with pytest.raises(EstablishedOnly):
                    await book(uow, guest, wish)
        async with uow_factory(lotus.id) as uow:
            wish = a_wish(kind, subject_id, customer_id=known)
            await book(uow, guest, wish)
    async with uow_factory(lotus.id) as uow:
        wish = a_wish("session", session.id, customer_id=new, pays="free", form_token="staff")
        await book(uow, lotus.ctx, wish)


async def test_only_who_has_proved_to_be_established_buys_a_kept_package(
    uow_factory: UowFactory, lotus: Business
) -> None:
    ten = await a_package(uow_factory, lotus.id, pays=["on_site"])
    await a_collection(uow_factory, lotus.id, ten)
    known = await a_customer(uow_factory, lotus.id, established=True)
    new = await a_customer(uow_factory, lotus.id, "new@example.com", established=False)

    def wish(customer_id: UUID | None, token: str) -> BuyCommand:
        return BuyCommand(
            package_id=ten.id,
            guest_name="Carl",
            guest_email="carl@example.com",
            form_token=token,
            customer_id=customer_id,
        )

    for customer_id in (None, new):
        async with uow_factory(lotus.id) as uow:
            with pytest.raises(EstablishedOnly):
                await buy_package(uow, as_guest(lotus), wish(customer_id, "no"))
    async with uow_factory(lotus.id) as uow:
        await buy_package(uow, as_guest(lotus), wish(known, "yes"))


async def test_who_waits_for_what_is_kept_now_is_passed_over_unless_established(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(
        uow_factory, lotus.id, price_type="free", waitlist={"offer_minutes": 240}
    )
    session = await a_session(uow_factory, service, capacity=1, seats_taken=1)
    known = await a_customer(uow_factory, lotus.id, established=True)

    def joins(email: str, customer_id: UUID | None = None) -> JoinWaitlist:
        return JoinWaitlist(
            kind="session",
            subject_id=session.id,
            name="Somebody",
            email=email,
            customer_id=customer_id,
        )

    async with uow_factory(lotus.id) as uow:
        stranger = await join_waitlist(uow, lotus.tenant, joins("new@example.com"))
    await a_collection(uow_factory, lotus.id, service)
    async with uow_factory(lotus.id) as uow:
        with pytest.raises(EstablishedOnly):
            await join_waitlist(uow, lotus.tenant, joins("carl@example.com"))
    async with uow_factory(lotus.id) as uow:
        carl = await join_waitlist(uow, lotus.tenant, joins("typed@example.com", known))
    async with uow_factory(lotus.id) as uow:
        await uow.session.execute(text("UPDATE sessions SET seats_taken = 0"))
    async with uow_factory(lotus.id) as uow:
        assert await serve_pool(uow, lotus.tenant, session.id) == 1
        offered = [one.entry_id for one in await uow.session.scalars(select(WaitlistOffer))]
    assert offered == [carl]
    assert stranger not in offered
