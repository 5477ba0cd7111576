"""What guests say of themselves, and when two submits are the same wish."""

from datetime import timedelta

import msgspec
import pytest

from src.billing.commands.orders import get_order
from src.booking.commands.sessions import (
    UpdateSession,
    details_of_session,
    get_session,
    update_session,
)
from src.booking.errors import DatesChanged
from src.booking.place import place_booking
from src.booking.queries.offer_facts import quote_of_session
from src.booking.queries.offers import get_session_offer
from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, a_business, a_service, a_session, as_guest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def test_what_a_business_asks_is_answered_whoever_books(
    uow_factory: UowFactory, lotus: Business
) -> None:
    questions = [{"key": "why", "label": "Why yoga?", "required": True}]
    service = await a_service(
        uow_factory, lotus.id, price_type="free", slug="asked", questions=questions
    )
    session = await a_session(uow_factory, service)
    for answers in ({}, {"why": " "}, {"why": "Yes", "unknown": "x"}):
        with pytest.raises(InvalidInput) as refused:
            await booked(uow_factory, lotus, a_wish("session", session.id, answers=answers))
        assert set(refused.value.fields) <= {"answers.why", "answers.unknown"}
    await booked(uow_factory, lotus, a_wish("session", session.id, answers={"why": "Yes"}))


async def test_a_hidden_service_is_as_good_as_absent(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(
        uow_factory, lotus.id, price_type="free", slug="hidden", visibility="hidden"
    )
    session = await a_session(uow_factory, service)
    with pytest.raises(NotFound):
        await booked(uow_factory, lotus, a_wish("session", session.id))


def test_the_language_one_reads_makes_no_other_booking() -> None:
    one = a_wish("session", new_id())
    assert (
        msgspec.structs.replace(one, locale="pl", source="api").fingerprint() == one.fingerprint()
    )
    assert msgspec.structs.replace(one, note="Late").fingerprint() != one.fingerprint()


async def test_a_name_of_several_lines_is_kept_on_one(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """A line's end in the header of a mail would keep the mail from leaving."""
    service = await a_service(uow_factory, lotus.id, price_type="free", slug="tidy")
    session = await a_session(uow_factory, service)
    wish = a_wish("session", session.id, guest_name="Ann\nLee", party=("Ann\r\n Lee",))
    made = await booked(uow_factory, lotus, wish)
    assert made.order.guest_name == "Ann Lee"


async def test_a_double_blank_in_a_name_is_the_same_wish(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug="blank")
    session = await a_session(services.uow_factory, service)
    wish = a_wish("session", session.id, guest_name="Anna  Smith", party=("Anna  Smith",))
    placed = [
        await place_booking(services, as_guest(lotus), wish, may_change=False) for _ in range(2)
    ]
    assert placed[0].order_id == placed[1].order_id


async def test_a_hold_stays_when_what_is_wanted_instead_was_moved(
    services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, slug="moved")
    session = await a_session(factory, service)
    async with factory(lotus.id) as uow:
        offer = await get_session_offer(uow, session.id)
        key = quote_of_session(offer, 1).dates_key
    wish = a_wish("session", session.id, quoted_dates=key)
    made = await booked(factory, lotus, wish)
    async with factory(lotus.id) as uow:
        details = msgspec.structs.asdict(details_of_session(await get_session(uow, session.id)))
        for name in ("starts_at", "ends_at"):
            details[name] += timedelta(hours=1)
        moved = UpdateSession(session_id=session.id, move_guests=True, **details)
        await update_session(uow, lotus.ctx, moved)
    with pytest.raises(DatesChanged):
        changed = msgspec.structs.replace(wish, party=("Carl", "Kid"))
        await place_booking(services, as_guest(lotus), changed)
    async with factory(lotus.id) as uow:
        assert (await get_order(uow, made.order_id)).state == "open"
