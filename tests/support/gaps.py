"""A course that Ann bought without its second date, which somebody else has filled."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.booking.commands.book import Booked, book
from src.booking.commands.completing import command_of_offer, wait_for_missing
from src.booking.commands.leave import leave_dates
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Seat, WaitlistEntry
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, Term, a_series, a_service, as_guest
from tests.support.waiting import check_places, offers
from tests.support.work import work

ALL_BACK = LeavingTerms(tiers=(Tier(before=24, percent=100),))


@dataclass
class Course:
    """Three dates at EUR 60, of which Ann has the first and the last."""

    services: Services
    lotus: Business
    term: Term
    other: Booked
    bought: Booked

    @property
    def missing(self) -> UUID:
        return self.term.sessions[1].id

    async def wait(self) -> UUID:
        """Ann asks to be told; her mail and the list's job are done."""
        async with self.services.uow_factory(self.lotus.id) as uow:
            entry_id = await wait_for_missing(
                uow, self.lotus.tenant, self.bought.booking_id, self.missing
            )
        await self.work()
        return entry_id

    async def free(self) -> None:
        """Who has filled the date cannot come."""
        seats = await self.seats(self.other)
        async with self.services.uow_factory(self.lotus.id) as uow:
            ids = [seat.id for seat in seats]
            await leave_dates(uow, self.lotus.tenant, self.other.order_id, ids)
        await self.work()

    async def take(self, entry_id: UUID) -> Booked:
        async with self.services.uow_factory(self.lotus.id) as uow:
            cmd = await command_of_offer(uow, entry_id)
            return await book(uow, as_guest(self.lotus), cmd)

    async def seats(self, made: Booked) -> list[Seat]:
        async with self.services.uow_factory(self.lotus.id) as uow:
            found = await uow.session.scalars(
                select(Seat).where(Seat.order_id == made.order_id).order_by(Seat.id)
            )
            return list(found)

    async def entry(self, entry_id: UUID) -> WaitlistEntry:
        async with self.services.uow_factory(self.lotus.id) as uow:
            return await uow.session.get_one(WaitlistEntry, (self.lotus.id, entry_id))

    async def states(self) -> list[tuple[str, int]]:
        """Of all offers, with how many places."""
        made = await offers(self.services.uow_factory, self.lotus)
        return [(offer.state, offer.places) for offer in made]

    async def work(self) -> None:
        await work(self.services, self.lotus.id)

    async def check(self) -> list[int]:
        return await check_places(self.services.uow_factory, self.lotus)


async def a_course(
    services: Services,
    lotus: Business,
    *,
    party: tuple[str, ...] = ("Ann",),
    wish: dict[str, Any] | None = None,
    **more: Any,
) -> Course:
    """Paid on site unless told otherwise; the business's time starts a week before the first."""
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="free", leaving=ALL_BACK.document())
    term = await a_series(
        factory,
        service,
        **{
            "capacity": len(party),
            "drop_in_allowed": True,
            "gap_policy": "sell_with_gaps",
            "price_type": "on_site",
            "leaving": ALL_BACK.document(),
            **more,
        },
    )
    dora = {"guest_name": "Dora", "guest_email": "dora@example.com", "party": ("Dora",)}
    other = await booked(factory, lotus, a_wish("session", term.sessions[1].id, **dora))
    ann = {"guest_name": "Ann", "guest_email": "ann@example.com", "party": party, **(wish or {})}
    bought = await booked(factory, lotus, a_wish("series", term.series.id, **ann))
    await work(services, lotus.id)
    return Course(services, lotus, term, other, bought)
