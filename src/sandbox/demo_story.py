"""What has happened at the demo businesses: who came, who comes, who waits, who asks."""

from uuid import UUID

from src.booking.commands.leave_requests import ask_to_leave
from src.booking.commands.minimum import set_minimum
from src.booking.commands.sessions import (
    UpdateSession,
    details_of_session,
    get_session,
    update_session,
)
from src.booking.commands.waitlist import JoinWaitlist, join_waitlist
from src.booking.commands.waitlist_serve import NOT_WAITING, offer_by_hand
from src.booking.domain.quotes import SubjectKind
from src.platform.errors import Conflict
from src.sandbox.demo_agreements import sign_at
from src.sandbox.demo_appointments import lotus_appointments
from src.sandbox.demo_collections import lotus_collections
from src.sandbox.demo_credits import lotus_credits, lotus_money, open_ahead
from src.sandbox.demo_groups import lotus_group
from src.sandbox.demo_guests import Guests, Wish, address_of
from src.sandbox.demo_shop import Opened
from src.sandbox.demo_worksheets import worksheets_at
from src.tenants.commands.customer_care import add_note, set_tags
from src.tenants.commands.customers import find_or_add_customer

COURSE_DATE_TODAY = 2
"""The course's third date: it began two weeks ago."""


def one(kind: SubjectKind, subject_id: UUID | None, *party: str, coupon: str = "") -> Wish:
    if subject_id is None:
        raise LookupError("The demo's service has no course.")
    return Wish(kind=kind, subject_id=subject_id, party=party, coupon=coupon)


async def lotus_people(lotus: Opened) -> None:
    guests = Guests(lotus)
    packages = await open_ahead(lotus)
    await _course_people(lotus, guests)
    await _community(lotus, guests)
    await _mornings(lotus, guests)
    await _waiting(lotus, guests)
    await lotus_credits(lotus, guests, packages)
    await lotus_money(lotus, guests)
    await lotus_appointments(lotus, guests)
    await lotus_collections(lotus, packages.mornings)
    await lotus_group(lotus)
    await worksheets_at(lotus, "hatha")
    await _known(lotus)


async def _course_people(lotus: Opened, guests: Guests) -> None:
    """Two weeks of the course are over, the third is today, and some join late. One of the Dales
    misses a later date, and gets a credit for it.
    """
    hatha = lotus.offers["hatha"]
    dates, course = hatha.session_ids, hatha.series_id
    await guests.book_by_staff(one("series", course, "Carl Cedar"), days_ago=20)
    dales = await guests.book_by_staff(one("series", course, "Dora Dale", "Dot Dale"), days_ago=19)
    leaves = await guests.book_by_staff(one("series", course, "Emil Elm"), days_ago=18)
    await guests.book_by_staff(one("series", course, "Gus Grove"), days_ago=16, is_paid=False)
    await guests.came(dates[0], days_ago=13)
    await guests.came(dates[1], days_ago=6, missing=1)
    await guests.book(one("series", course, "Fay Field"))
    today = dates[COURSE_DATE_TODAY]
    await guests.book(one("session", today, "Hedy Heath", coupon="WELCOME"))
    await guests.leave(dales, dates[COURSE_DATE_TODAY + 3], days_ago=1)
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        await ask_to_leave(uow, leaves, "I am moving to Utrecht next month.")
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        await set_minimum(
            uow, lotus.ctx, dates[COURSE_DATE_TODAY + 2], min_seats=4, decide_hours=48
        )


async def _community(lotus: Opened, guests: Guests) -> None:
    """One class was a week ago, one is just over and half ticked off."""
    dates = lotus.offers["community"].session_ids
    for name in ("Ines Isle", "Jon Juniper", "Carl Cedar"):
        await guests.book(one("session", dates[0], name), days_ago=9)
    await guests.came(dates[0], days_ago=6, missing=1)
    for name in ("Ines Isle", "Kaia Kelp", "Fay Field", "Oda Oleander"):
        await guests.book(one("session", dates[1], name), days_ago=2)
    await guests.came(dates[1], open_seats=2)
    await guests.book(one("session", dates[2], "Jon Juniper", "Jim Juniper"))


async def _mornings(lotus: Opened, guests: Guests) -> None:
    """Mornings that fill up."""
    dates = lotus.offers["flow"].session_ids
    for place, name in enumerate(("Pia Pine", "Quin Quince", "Rosa Rowan", "Sam Spruce")):
        await guests.book_by_staff(one("session", dates[0], name), days_ago=1 + place)
    for name in ("Pia Pine", "Rosa Rowan"):
        await guests.book_by_staff(one("session", dates[2], name), days_ago=1, is_paid=False)
    await guests.book(one("session", dates[3], "Tara Thyme"))


async def _waiting(lotus: Opened, guests: Guests) -> None:
    """One morning is full; of three who wait for it, the first is offered a place."""
    full = lotus.offers["flow"].session_ids[1]
    family = Wish(
        kind="session",
        subject_id=full,
        party=("Ines Isle", "Igor Isle", "Ida Isle"),
        tiers=("full", "student", "child"),
    )
    await guests.book(family)
    await guests.book_by_staff(
        one("session", full, "Kaia Kelp", "Kim Kelp", "Kit Kelp"), days_ago=1
    )
    await guests.book(one("session", full, "Jon Juniper", "Jim Juniper"))
    first = await _wait(lotus, full, "Lena Linden", 1)
    await _wait(lotus, full, "Milo Moss", 2)
    await _wait(lotus, full, "Nell Nettle", 1)
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        session = await get_session(uow, full)
        seen = details_of_session(session)
        await update_session(
            uow,
            lotus.ctx,
            UpdateSession(
                session_id=full,
                starts_at=seen.starts_at,
                ends_at=seen.ends_at,
                capacity=seen.capacity + 1,
                title=seen.title,
                location_id=seen.location_id,
                performer_id=seen.performer_id,
            ),
        )
    await offer_unless_offered(lotus, first)


async def offer_unless_offered(business: Opened, entry_id: UUID) -> None:
    """A running worker offers the place as soon as it is there, and to the same person."""
    try:
        async with business.services.uow_factory(business.ctx.here.id) as uow:
            await offer_by_hand(uow, business.ctx, business.ctx.here, entry_id)
    except Conflict as refusal:
        if refusal.code != NOT_WAITING:
            raise


async def _wait(lotus: Opened, session_id: UUID, name: str, size: int) -> UUID:
    cmd = JoinWaitlist(
        kind="session",
        subject_id=session_id,
        name=name,
        email=address_of(name),
        size=size,
        locale=lotus.ctx.here.locale,
    )
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        return await join_waitlist(uow, lotus.ctx.here, cmd)


async def _known(lotus: Opened) -> None:
    """What the team has written down about somebody."""
    name = "Carl Cedar"
    async with lotus.services.uow_factory(lotus.ctx.here.id) as uow:
        now = uow.clock.now()
        customer_id = await find_or_add_customer(uow, address_of(name), name, "", now)
        await set_tags(uow, lotus.ctx, customer_id, "regular, brings his own mat")
        note = "Sore left knee: show him the kneeling pose with a blanket."
        await add_note(uow, lotus.ctx, customer_id, note)


async def kiln_people(kiln: Opened) -> None:
    guests = Guests(kiln)
    wheel, taster = kiln.offers["wheel"], kiln.offers["taster"]
    for name in ("Carl Cedar", "Dora Dale", "Emil Elm", "Fay Field"):
        await guests.book(one("series", wheel.series_id, name))
    await guests.book(one("session", taster.session_ids[0], "Gus Grove", "Gia Grove"), days_ago=3)
    await guests.book(one("session", taster.session_ids[0], "Hedy Heath"), days_ago=2)
    await guests.book(one("session", taster.session_ids[1], "Ines Isle", "Igor Isle"))
    async with kiln.services.uow_factory(kiln.ctx.here.id) as uow:
        await set_minimum(uow, kiln.ctx, taster.session_ids[1], min_seats=3, decide_hours=24)
    await sign_at(kiln, "wheel")
