"""Waiting for a place in what is full: joining a list, leaving it, and its owner's settings.

Whoever has the link in the mail is the one who waits; an address alone proves nothing, so joining
answers a known one as it does an unknown one.
Source: docs/algorithms/waitlist.md.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.commands.claims import give_back_seats
from src.booking.commands.completing import wait_for_missing_again
from src.booking.commands.services import get_service
from src.booking.commands.waitlist_said import note_said
from src.booking.commands.waking import dates_behind, wake_each_list, wake_waitlists
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.waiting import (
    STANDING,
    EntryState,
    ListFacts,
    OfferState,
    WaitlistTerms,
    waitlist_errors,
    waitlist_from,
    wanted_places,
    why_no_waiting,
)
from src.booking.events import WaiterRemoved, WaitlistJoined
from src.booking.models import Series, Session, WaitlistEntry
from src.booking.queries.offers import get_series_offer, get_session_offer
from src.booking.queries.waiting import STANDS, find_live_offer, get_entry, terms_of
from src.booking.queries.waitlist_room import find_list
from src.booking.waitlist_words import guest_refusal
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import normalise_email
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.naming import on_one_line
from src.tenants.errors import EstablishedOnly
from src.tenants.gates import lacks_feature
from src.tenants.models import Customer
from src.tenants.queries.established import established_among, is_established

for _name in ("session", "series", "for_booking"):
    register_constraint(
        f"uq_waitlist_entries_{_name}",
        lambda: Conflict(_("The list has just changed. Please try again."), code="list_changed"),
    )
for _name in ("session_id", "series_id"):
    register_constraint(
        f"fk_waitlist_entries_tenant_id_{_name}",
        lambda: Conflict(
            _("People have waited for this, so it stays as history."), code="somebody_waited"
        ),
    )


class JoinWaitlist(msgspec.Struct, frozen=True, kw_only=True):
    """So many people wait for places in a session, or in all of a series. `customer_id` is who has
    proved to be that customer; with `is_own_link` it is proved that the address is theirs.
    """

    kind: SubjectKind
    subject_id: UUID
    name: str
    email: str
    size: int = 1
    locale: str = "en"
    customer_id: UUID | None = None
    is_own_link: bool = False


class Room(NamedTuple):
    """A list, for how many there is room without waiting, and the terms of waiting."""

    facts: ListFacts
    places: int
    terms: WaitlistTerms


class PlacesAreFree(Conflict):
    """Nobody has to wait: it can be booked."""

    code = "places_are_free"

    def __init__(self) -> None:
        super().__init__(_("There is room: you can book at once."))


async def join_waitlist(uow: UnitOfWork, tenant: TenantSnapshot, cmd: JoinWaitlist) -> UUID:
    """Puts the address at the end of the list, and lets it have a mail with the link to its entry.

    An address that is on the list stays where it is, for as many as it was, and is written to
    again. Returns the entry.
    Raises: NotFound, EstablishedOnly, PlacesAreFree, InvalidInput, and Conflict where waiting makes
    no sense.
    """
    now, address = uow.clock.now(), normalise_email(cmd.email)
    name = on_one_line(cmd.name)
    if not name:
        said = _("Please give a name.")
        raise InvalidInput(said, fields={"name": said})
    address = await _admitted_address(uow, cmd, address)
    room = await room_in_list(uow, tenant, cmd.subject_id, cmd.size)
    if room.places >= cmd.size:
        raise PlacesAreFree
    of_list = (
        WaitlistEntry.session_id == cmd.subject_id
        if cmd.kind == "session"
        else WaitlistEntry.series_id == cmd.subject_id
    )
    entry_id: UUID | None = await uow.session.scalar(
        select(WaitlistEntry.id).where(
            WaitlistEntry.tenant_id == uow.tenant,
            of_list,
            WaitlistEntry.address == address,
            WaitlistEntry.for_booking_id.is_(None),
            WaitlistEntry.state.in_(STANDS),
        )
    )
    asked = cmd.size if entry_id is not None else 0
    if entry_id is None:
        entry_id = new_id()
        entry = WaitlistEntry(
            tenant_id=uow.tenant,
            id=entry_id,
            session_id=cmd.subject_id if cmd.kind == "session" else None,
            series_id=cmd.subject_id if cmd.kind == "series" else None,
            address=address,
            name=name,
            locale=cmd.locale,
            party_size=cmd.size,
            joined_at=now,
            queued_at=now,
            said={},
        )
        # A move before is no news to them, for their own mail says the time; one after it is.
        keys = [(uow.tenant, one) for one in room.facts.session_ids]
        note_said(entry, [await uow.session.get_one(Session, key) for key in keys])
        uow.session.add(entry)
    uow.record(WaitlistJoined(entry_id=entry_id, asked=asked))
    return entry_id


async def _admitted_address(uow: UnitOfWork, cmd: JoinWaitlist, address: str) -> str:
    """The address to write to. For what is kept it is that of the customer who has proved to be
    one of those that it is for, whatever was typed. Raises: NotFound, EstablishedOnly.
    """
    if cmd.kind == "session":
        is_kept = (await get_session_offer(uow, cmd.subject_id)).is_kept
    else:
        is_kept = (await get_series_offer(uow, cmd.subject_id)).is_kept
    if not is_kept:
        return address
    if cmd.is_own_link and await established_among(uow, {address}):
        return address
    customer = None
    if await is_established(uow, cmd.customer_id):
        customer = await uow.session.get(Customer, (uow.tenant, cmd.customer_id))
    if customer is None or customer.email is None:
        raise EstablishedOnly
    return customer.email


async def room_in_list(
    uow: UnitOfWork, tenant: TenantSnapshot, subject_id: UUID, size: int = 1
) -> Room:
    """The list that so many may wait on, and for how many there is room without waiting, behind
    those who wait already.

    Raises: NotFound; Conflict where nobody can wait.
    """
    now = uow.clock.now()
    service, facts, free = await find_list(uow, tenant, subject_id, now)
    terms = terms_of(tenant, service)
    against = why_no_waiting(facts, size, terms, now)
    if against is not None:
        raise Conflict(guest_refusal(*against), code=f"waitlist_{against[0]}")
    return Room(facts, max(wanted_places(facts, size, free)[1], 0), terms)


async def lock_entry(uow: UnitOfWork, entry_id: UUID) -> WaitlistEntry:
    """The entry, its row locked: before its offers and the sessions. Raises: NotFound."""
    await get_entry(uow, entry_id)
    return await uow.session.get_one(
        WaitlistEntry,
        (uow.tenant, entry_id),
        with_for_update={"key_share": True},
        populate_existing=True,
    )


async def end_entry(
    uow: UnitOfWork, entry: WaitlistEntry, state: EntryState, offer_state: OfferState, by: str
) -> bool:
    """Takes a locked entry off its list, and with it the places that it was offered. Others are
    woken: for those places, or as it held them up. False for one that is on no list any more.
    """
    if entry.state not in STANDING:
        return False
    now = uow.clock.now()
    offer = await find_live_offer(uow, entry.id)
    held = {} if offer is None else offer.held()
    if offer is not None:
        offer.state, offer.ended_at = str(offer_state), now
    entry.state, entry.ended_at, entry.ended_by = str(state), now, by
    await uow.session.flush()
    await wake_waitlists(uow, {*held, *await dates_behind(uow, [entry])})
    await uow.settle()
    await give_back_seats(uow, held)
    return True


async def leave_waitlist(uow: UnitOfWork, entry_id: UUID) -> None:
    """The one who waits does not want to any more; what they were offered goes to the next.
    Pressed again it changes nothing. Raises: NotFound.
    """
    entry = await lock_entry(uow, entry_id)
    await end_entry(uow, entry, EntryState.LEFT, OfferState.DECLINED, "guest")


async def wait_again(uow: UnitOfWork, tenant: TenantSnapshot, entry_id: UUID) -> UUID:
    """Who let an offer pass goes to the end of the list; returns the new entry.

    Raises: NotFound, PlacesAreFree, Conflict where waiting makes no sense, or staff took them off.
    """
    entry = await get_entry(uow, entry_id)
    if entry.state == EntryState.REMOVED:
        raise Conflict(_("The business has taken you off the list. Please contact it."))
    if entry.for_booking_id is not None:
        return await wait_for_missing_again(uow, tenant, entry)
    return await join_waitlist(
        uow,
        tenant,
        JoinWaitlist(
            kind="session" if entry.session_id is not None else "series",
            subject_id=entry.list_id,
            name=entry.name,
            email=entry.address,
            size=entry.party_size,
            locale=entry.locale,
            is_own_link=True,
        ),
    )


async def remove_entry(
    uow: UnitOfWork, ctx: RequestContext, entry_id: UUID, *, may_lose_offer: bool = True
) -> bool:
    """Staff take somebody off the list, who is told and not offered anything by itself again.
    False for one that is on no list any more, who is told nothing. Raises: NotFound; Conflict for
    an offer that staff did not know of.
    """
    entry = await lock_entry(uow, entry_id)
    if entry.state not in STANDING:
        return False
    offer = await find_live_offer(uow, entry_id)
    if offer is not None and not may_lose_offer:
        raise Conflict(
            _("A place has been offered to them meanwhile. Please look again."), code="offered"
        )
    offer_id = None if offer is None else offer.id
    uow.record(WaiterRemoved(entry_id=entry_id, lost_offer=offer_id is not None, offer_id=offer_id))
    await audit(uow, ctx, "waitlist.removed", "waitlist_entry", entry_id, name=entry.name)
    await end_entry(uow, entry, EntryState.REMOVED, OfferState.WITHDRAWN, "staff")
    return True


async def change_waitlist(
    uow: UnitOfWork, ctx: RequestContext, service_id: UUID, terms: WaitlistTerms
) -> None:
    """The service's lists go by these terms from now on, and are looked at anew; offers that were
    made stand.

    Switching lists on needs a plan that has them; changing and switching off never does.
    Raises: NotFound, PlanLimitReached, InvalidInput.
    """
    service = await get_service(uow, service_id)
    kept = waitlist_from(service.waitlist)
    if terms.is_on and not kept.is_on and not ctx.here.entitlements.has(Feature.WAITLIST):
        raise lacks_feature(ctx.here.entitlements, Feature.WAITLIST)
    errors = waitlist_errors(terms)
    if errors:
        raise InvalidInput(_("The waiting list cannot be saved like this."), fields=errors)
    if terms == kept:
        return
    service.waitlist, service.updated_at = terms.document(), uow.clock.now()
    await wake_each_list(uow, await _standing_of(uow, service_id))
    said = msgspec.to_builtins(terms)
    await audit(uow, ctx, "service.waitlist_changed", "service", service_id, **said)


async def _standing_of(uow: UnitOfWork, service_id: UUID) -> Sequence[WaitlistEntry]:
    """Who is on any list of the service."""
    dates = select(Session.id).where(
        Session.tenant_id == uow.tenant, Session.service_id == service_id
    )
    series = select(Series.id).where(
        Series.tenant_id == uow.tenant, Series.service_id == service_id
    )
    found = await uow.session.scalars(
        select(WaitlistEntry).where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.state.in_(STANDS),
            WaitlistEntry.session_id.in_(dates) | WaitlistEntry.series_id.in_(series),
        )
    )
    return found.all()
