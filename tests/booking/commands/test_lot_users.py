"""Credits that are for certain people only: the customer says so, and the booking holds to it."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.billing.commands.credits import CreditsGone, claim_credits, lock_lot
from src.billing.commands.lot_users import choose_users, set_users
from src.billing.domain.lot_users import EVERYONE, Comer, LotUsers, read_users
from src.billing.models import CreditLot
from src.booking.domain.reasons import ReasonCode
from src.booking.errors import NotBookable
from src.booking.models import Session
from src.platform.errors import InvalidInput, NotFound
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.commands.own_people import keep_person, remove_person
from src.tenants.log_subjects import find_log_subjects
from src.tenants.models import AuditEntry, Participant
from src.tenants.queries.own_people import list_own_people
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_book_by_credit import by_credit
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, balance_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def date(services: Services, lotus: Business) -> Session:
    service = await a_service(services.uow_factory, lotus.id)
    return await a_session(services.uow_factory, service, capacity=10)


@pytest.fixture
async def carl(services: Services, lotus: Business) -> tuple[UUID, UUID]:
    """The customer and their lot of ten."""
    return await a_lot(services.uow_factory, lotus.id)


async def kept(services: Services, lotus: Business, customer_id: UUID, name: str) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        await keep_person(uow, customer_id, name, "")
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Participant.id).where(Participant.name == name))
        return found.one()


async def chosen(
    services: Services, lotus: Business, carl: tuple[UUID, UUID], users: LotUsers
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await choose_users(uow, *carl, users)


async def users_now(services: Services, lotus: Business, lot_id: UUID) -> LotUsers:
    async with services.uow_factory(lotus.id) as uow:
        return read_users((await lock_lot(uow, lot_id)).users)


def test_nobody_named_is_everyone_and_all_of_a_party_have_to_be_named() -> None:
    kim, leo = UUID(int=1), UUID(int=2)
    owner, stranger = Comer(is_owner=True), Comer()
    assert EVERYONE.lets([owner, stranger])
    for_kim = LotUsers(people=frozenset({kim}))
    known = Comer(person_ids=frozenset({kim}))
    assert for_kim.lets([known])
    assert not for_kim.lets([known, Comer(person_ids=frozenset({leo}))])
    assert not for_kim.lets([owner])
    assert not for_kim.lets([stranger])
    for_both = LotUsers(owner=True, people=frozenset({kim}))
    assert for_both.lets([owner, known])
    assert read_users(for_both.stored()) == for_both


async def test_only_who_is_named_is_booked_with_them(
    services: Services, lotus: Business, carl: tuple[UUID, UUID], date: Session
) -> None:
    customer_id, _lot = carl
    kim = await kept(services, lotus, customer_id, "Kim")
    await kept(services, lotus, customer_id, "Leo")
    await chosen(services, lotus, carl, LotUsers(people=frozenset({kim})))
    for party in (("Carl",), ("Kim", "Leo"), ("Kim", ""), ("Somebody",)):
        with pytest.raises(NotBookable) as refused:
            await by_credit(
                services, lotus, "session", date.id, carl, guest_name="Carl", party=party
            )
        assert [one.code for one in refused.value.reasons] == [ReasonCode.CREDITS_NOT_FOR_THEM]
    assert await balance_of(services.uow_factory, lotus.id, customer_id) == 10
    made = await by_credit(
        services, lotus, "session", date.id, carl, guest_name="Carl", party=("kim ",)
    )
    assert not made.needs_payment
    assert await balance_of(services.uow_factory, lotus.id, customer_id) == 9


async def test_themself_can_be_named_too(
    services: Services, lotus: Business, carl: tuple[UUID, UUID], date: Session
) -> None:
    await chosen(services, lotus, carl, LotUsers(owner=True))
    await by_credit(services, lotus, "session", date.id, carl, guest_name="Carl", party=("Carl",))
    with pytest.raises(NotBookable):
        await by_credit(
            services, lotus, "session", date.id, carl, guest_name="Carl", party=("Carl", "Kim")
        )


async def test_whoever_is_named_meanwhile_is_held_to(
    services: Services, lotus: Business, carl: tuple[UUID, UUID]
) -> None:
    """A booking was judged for everyone; by now the credits are for the owner alone."""
    customer_id, lot_id = carl
    await chosen(services, lotus, carl, LotUsers(owner=True))
    with pytest.raises(CreditsGone):
        async with services.uow_factory(lotus.id) as uow:
            until = uow.clock.now()
            await claim_credits(uow, lot_id, customer_id, 1, needed_until=until, users=EVERYONE)
    assert await balance_of(services.uow_factory, lotus.id, customer_id) == 10


async def test_only_ones_own_credits_and_people(
    services: Services, lotus: Business, carl: tuple[UUID, UUID]
) -> None:
    customer_id, _lot = carl
    other_id, other_lot = await a_lot(services.uow_factory, lotus.id, "eve@example.com")
    theirs = await kept(services, lotus, other_id, "Eva")
    with pytest.raises(NotFound):
        await chosen(services, lotus, (customer_id, other_lot), LotUsers(owner=True))
    with pytest.raises(InvalidInput) as refused:
        await chosen(services, lotus, carl, LotUsers(people=frozenset({theirs})))
    assert set(refused.value.fields) == {"people"}


async def test_who_is_removed_is_named_no_more(
    services: Services, lotus: Business, carl: tuple[UUID, UUID]
) -> None:
    customer_id, lot_id = carl
    kim = await kept(services, lotus, customer_id, "Kim")
    leo = await kept(services, lotus, customer_id, "Leo")
    await chosen(services, lotus, carl, LotUsers(people=frozenset({kim, leo})))
    async with services.uow_factory(lotus.id) as uow:
        await remove_person(uow, customer_id, kim)
    assert await users_now(services, lotus, lot_id) == LotUsers(people=frozenset({leo}))
    async with services.uow_factory(lotus.id) as uow:
        await remove_person(uow, customer_id, leo)
    assert (await users_now(services, lotus, lot_id)).is_everyone


async def merged_with_two_kims(
    services: Services, lotus: Business
) -> tuple[tuple[UUID, UUID], tuple[UUID, UUID]]:
    """Both had kept their daughter Kim, and each had a lot for her alone. Returns who is left with
    their own lot, and with the other's.
    """
    mine = await a_lot(services.uow_factory, lotus.id)
    theirs = await a_lot(services.uow_factory, lotus.id, "carl@work.example")
    for owner in (mine, theirs):
        async with services.uow_factory(lotus.id) as uow:
            await keep_person(uow, owner[0], "Kim", "")
        async with services.uow_factory(lotus.id) as uow:
            [kim] = await list_own_people(uow, owner[0])
        await chosen(services, lotus, owner, LotUsers(people=frozenset({kim.id})))
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, theirs[0], mine[0])
    return mine, (mine[0], theirs[1])


async def test_credits_for_a_child_stay_for_the_child_when_two_customers_are_one(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    for lot in await merged_with_two_kims(services, lotus):
        date = await a_session(services.uow_factory, service, capacity=10)
        await by_credit(services, lotus, "session", date.id, lot, guest_name="Carl", party=("Kim",))


async def test_nor_are_they_everyones_when_one_of_the_two_is_removed(
    services: Services, lotus: Business
) -> None:
    mine, also_mine = await merged_with_two_kims(services, lotus)
    [kim_of_mine] = (await users_now(services, lotus, mine[1])).people
    async with services.uow_factory(lotus.id) as uow:
        await remove_person(uow, mine[0], kim_of_mine)
    assert await users_now(services, lotus, mine[1]) == await users_now(
        services, lotus, also_mine[1]
    )
    assert not (await users_now(services, lotus, mine[1])).is_everyone


async def test_who_stands_for_somebody_removed_is_booked_beside_all_who_were_named(
    services: Services, lotus: Business
) -> None:
    """Kim is the older of the two by that name, and older than Leo: the row keeps her behind him,
    in another order than one in which the three would be named.
    """
    mine = await a_lot(services.uow_factory, lotus.id)
    theirs = await a_lot(services.uow_factory, lotus.id, "carl@work.example")
    await kept(services, lotus, mine[0], "Kim")
    leo = await kept(services, lotus, theirs[0], "Leo")
    async with services.uow_factory(lotus.id) as uow:
        await keep_person(uow, theirs[0], "Kim", "")
    async with services.uow_factory(lotus.id) as uow:
        [kim] = [one.id for one in await list_own_people(uow, theirs[0]) if one.name == "Kim"]
    await chosen(services, lotus, theirs, LotUsers(people=frozenset({kim, leo})))
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, theirs[0], mine[0])
    async with services.uow_factory(lotus.id) as uow:
        await remove_person(uow, mine[0], kim)
    service = await a_service(services.uow_factory, lotus.id)
    date = await a_session(services.uow_factory, service, capacity=10)
    lot, party = (mine[0], theirs[1]), ("Kim", "Leo")
    await by_credit(services, lotus, "session", date.id, lot, guest_name="Carl", party=party)
    users = await users_now(services, lotus, theirs[1])
    async with services.uow_factory(lotus.id) as uow:
        await set_users(uow, lotus.ctx, theirs[1], users, "")


async def test_staff_change_it_with_a_reason_that_stands_in_the_log(
    services: Services, lotus: Business, carl: tuple[UUID, UUID]
) -> None:
    _customer_id, lot_id = carl
    with pytest.raises(InvalidInput) as refused:
        async with services.uow_factory(lotus.id) as uow:
            await set_users(uow, lotus.ctx, lot_id, LotUsers(owner=True), " ")
    assert set(refused.value.fields) == {"reason"}
    for _press in range(2):
        async with services.uow_factory(lotus.id) as uow:
            await set_users(uow, lotus.ctx, lot_id, LotUsers(owner=True), "She rang up.")
    async with services.uow_factory(lotus.id) as uow:
        logged = await uow.session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "credits.users_changed")
        )
        [detail] = logged.all()
    assert detail["reason"] == "She rang up."


async def test_the_log_leads_from_who_may_use_credits_to_the_credits(
    services: Services, lotus: Business, carl: tuple[UUID, UUID]
) -> None:
    _customer_id, lot_id = carl
    async with services.uow_factory(lotus.id) as uow:
        await set_users(uow, lotus.ctx, lot_id, LotUsers(owner=True), "She rang up.")
    async with services.uow_factory(lotus.id) as uow:
        logged = select(AuditEntry.subject_kind).where(AuditEntry.subject_id == lot_id)
        [kind] = await uow.session.scalars(logged)
        subjects = await find_log_subjects(uow, [(kind, lot_id)])
    assert subjects[kind, lot_id].words


async def test_a_credit_that_comes_instead_of_one_that_has_ended_is_for_the_same_people(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    """The business calls off a date that was paid with a credit, and the credit has ended since."""
    ends_at = clock.now() + timedelta(days=8)
    carl = await a_lot(services.uow_factory, lotus.id, number=1, expires_at=ends_at)
    kim = await kept(services, lotus, carl[0], "Kim")
    await chosen(services, lotus, carl, LotUsers(people=frozenset({kim})))
    service = await a_service(services.uow_factory, lotus.id)
    date = await a_session(services.uow_factory, service, in_days=7)
    await by_credit(services, lotus, "session", date.id, carl, guest_name="Carl", party=("Kim",))
    async with services.uow_factory(lotus.id) as uow:
        ended = clock.now() - timedelta(days=1)
        await uow.session.execute(update(CreditLot).values(expires_at=ended))
    await seats_taken_back(
        services.uow_factory,
        lotus,
        [seat.id for seat in await seats_of(services.uow_factory, lotus.id)],
    )
    async with services.uow_factory(lotus.id) as uow:
        usable = select(CreditLot).where(CreditLot.balance > 0)
        [new] = (await uow.session.scalars(usable)).all()
    assert read_users(new.users) == LotUsers(people=frozenset({kim}))


async def test_rolled_over_credits_are_for_the_same_people(
    services: Services, lotus: Business, carl: tuple[UUID, UUID]
) -> None:
    from src.billing.commands.credit_acts import roll_over

    _customer_id, lot_id = carl
    await chosen(services, lotus, carl, LotUsers(owner=True))
    async with services.uow_factory(lotus.id) as uow:
        ended = uow.clock.now().replace(year=2020)
        await uow.session.execute(
            update(CreditLot).where(CreditLot.id == lot_id).values(expires_at=ended)
        )
    async with services.uow_factory(lotus.id) as uow:
        new_id = await roll_over(uow, lotus.ctx, lot_id, None, "By mistake.")
    assert await users_now(services, lotus, new_id) == LotUsers(owner=True)
