"""Working through the waiting lists of sessions that belong together: one transaction each time.

Entries are locked by id first, so two runs take turns and nobody is offered anything twice; offers
whose time is over end in the same transaction, and all places move in its last statement.
Source: docs/algorithms/waitlist.md.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import md5
from typing import cast
from uuid import UUID

from sqlalchemy import Table, func
from sqlalchemy.dialects.postgresql import insert

from src.billing.commands.due import drop_due
from src.booking.commands.claims import turn_seats
from src.booking.commands.waitlist import lock_entry
from src.booking.domain.waiting import (
    LOOK_AT_LEAST_EVERY,
    STANDING,
    EntryState,
    OfferState,
    Proposed,
    Weighed,
    WhyNot,
    is_rush,
    made_closes_at,
    offer_ends_at,
    rush_begins_at,
    wanted_places,
    weigh,
    why_no_places,
)
from src.booking.events import PlacesOffered
from src.booking.models import WaitlistEntry, WaitlistOffer
from src.booking.queries.waiting import (
    Pool,
    add_completing,
    as_waiting,
    list_live_offers,
    load_pool,
    pool_of,
    standing_in,
)
from src.booking.waitlist_words import owner_lines
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.models import Due

WAITLIST_DUE = "waitlist"
A_MOMENT = timedelta(seconds=1)
NOT_WAITING = "not_waiting"
"""The code of the refusal to offer places to somebody who does not wait for any now."""
_DUE = cast(Table, Due.__table__)


def waitlist_due_id(pool_id: UUID) -> UUID:
    """The id of the pool's one row of `due`: a session's own id names another one's."""
    return UUID(md5(f"waitlist:{pool_id}".encode(), usedforsecurity=False).hexdigest())


async def serve_pool(uow: UnitOfWork, tenant: TenantSnapshot, pool_id: UUID) -> int:
    """Ends what is over, offers what is free, and plans the next look. Returns how many offers.

    Raises: SeatsGone when somebody booked a place in this very moment, to be tried again.
    """
    now = uow.clock.now()
    if not await _lock_entries(uow, pool_id):
        await _plan(uow, pool_id, None)
        return 0
    pool = await load_pool(uow, tenant, pool_id, now)
    offers = await list_live_offers(uow, pool.entries)
    freed = _end_overdue(pool, offers, now)
    freed.update(_follow_dates(pool, offers, now))
    freed.update(_follow_purchases(pool, offers, now))
    _close_what_is_over(pool, now)
    free = {one: count + freed[one] for one, count in pool.free.items()}
    weighed = weigh(pool.queue, pool.lists, free, pool.terms, now, tenant.zone)
    made = _carry_out(uow, pool, weighed, now)
    wanted = Counter[UUID]()
    for offer in made:
        wanted.update(offer.held())
    await _plan(uow, pool_id, _next_look(pool, weighed, [*offers, *made], now))
    await uow.settle()
    await turn_seats(uow, freed, wanted, earliest=now)
    return len(made)


async def offer_by_hand(
    uow: UnitOfWork, ctx: RequestContext, tenant: TenantSnapshot, entry_id: UUID
) -> None:
    """Staff offer places out of turn, to somebody they had taken off the list too.

    Raises: NotFound; Conflict, with the reason, where nothing can be offered.
    """
    now = uow.clock.now()
    entry = await lock_entry(uow, entry_id)
    if entry.state not in {EntryState.WAITING, EntryState.REMOVED, EntryState.EXPIRED}:
        raise Conflict(
            _("This person has an offer, a place, or has left the list."), code=NOT_WAITING
        )
    pool_id = await pool_of(uow, entry)
    pool = await load_pool(uow, tenant, pool_id, now)
    await add_completing(uow, tenant, pool, [entry])
    if entry.id not in pool.completing:
        # Staff may offer to anybody what is kept for established customers.
        pool.lists.pop(entry.id, None)
    facts, entry.party_size = pool.facts_of(entry), pool.size_of(entry)
    against = why_no_places(facts, entry.party_size, pool.terms, pool.free, now)
    if against is not None:
        shown = Weighed(entry=as_waiting(entry), why=against[0], reasons=against[1])
        sentence, mend = owner_lines(shown, tenant.zone)[0]
        raise Conflict(f"{sentence} {mend}".strip(), code=f"waitlist_{against[0]}")
    wanted, _room = wanted_places(facts, entry.party_size, pool.free)
    ends_at = offer_ends_at(now, pool.terms, facts.closes_at, tenant.zone)
    _offer(uow, entry, Proposed(session_ids=wanted, expires_at=ends_at, holds=True), "staff")
    await audit(uow, ctx, "waitlist.offered", "waitlist_entry", entry_id, name=entry.name)
    await _plan(uow, pool_id, min(ends_at, now + LOOK_AT_LEAST_EVERY), at_latest=True)
    await uow.settle()
    await turn_seats(uow, {}, dict.fromkeys(wanted, entry.party_size), earliest=now)


async def _lock_entries(uow: UnitOfWork, pool_id: UUID) -> bool:
    """Whether there are any."""
    found = await uow.session.scalars(
        standing_in(uow, pool_id)
        .with_only_columns(WaitlistEntry.id)
        .order_by(WaitlistEntry.id)
        .with_for_update(key_share=True)
    )
    return bool(found.all())


def _end_overdue(pool: Pool, offers: Sequence[WaitlistOffer], now: datetime) -> Counter[UUID]:
    """Ends the offers whose time is over; the places that this frees, by session. Nobody can take
    one while a date of it is being cancelled, so none passes then.
    """
    entries, freed = {entry.id: entry for entry in pool.entries}, Counter[UUID]()
    for offer in offers:
        if offer.expires_at < now and not pool.is_stopped(offer):
            freed.update(offer.held())
            offer.state, offer.ended_at = str(OfferState.EXPIRED), now
            _end(entries[offer.entry_id], EntryState.EXPIRED, now)
    return freed


def _follow_dates(pool: Pool, offers: Sequence[WaitlistOffer], now: datetime) -> Counter[UUID]:
    """Offers whose dates have got another time since: none outlives what it may. One that cannot be
    taken in time any more, or that is a rush no longer, is withdrawn, and its guest keeps their
    turn. The places that this frees, by session.
    """
    entries, freed = {entry.id: entry for entry in pool.entries}, Counter[UUID]()
    for offer in offers:
        starts = [pool.runs[one].starts_at for one in offer.session_ids if one in pool.runs]
        if offer.state != OfferState.LIVE or not starts or pool.is_stopped(offer):
            continue
        entry = entries[offer.entry_id]
        latest_at = made_closes_at(min(starts), pool.service.min_notice_minutes, pool.terms)
        # The list's own closing: with gaps its first date may be full and not among those offered.
        closing_at = pool.lists[entry.list_id].closes_at
        is_calm = not offer.holds and not is_rush(closing_at, now, pool.terms)
        if latest_at < now or is_calm:
            freed.update(offer.held())
            offer.state, offer.ended_at = str(OfferState.WITHDRAWN), now
            entry.state = str(EntryState.WAITING)
        offer.expires_at = min(offer.expires_at, latest_at)
    return freed


def _follow_purchases(pool: Pool, offers: Sequence[WaitlistOffer], now: datetime) -> Counter[UUID]:
    """Who completes a purchase waits for as many as still lack the date, and no more once nobody
    does: the purchase has ended, or they are there. An offer is for fewer then; where more lack the
    date it is withdrawn, and its guest keeps their turn. The places that this frees, by session.
    """
    live = {one.entry_id: one for one in offers if one.state == OfferState.LIVE}
    freed = Counter[UUID]()
    for entry in pool.entries:
        found = pool.completing.get(entry.id)
        if found is None or entry.state not in STANDING:
            continue
        offer, lacking = live.get(entry.id), len(found.missing)
        if offer is not None:
            freed.update(_fit(offer, lacking, now))
        if not lacking:
            _end(entry, EntryState.LEFT, now)
            continue
        entry.party_size = lacking
        if offer is not None and offer.state != OfferState.LIVE:
            entry.state = str(EntryState.WAITING)
    return freed


def _fit(offer: WaitlistOffer, lacking: int, now: datetime) -> Counter[UUID]:
    """The offer gives back what it has too many, or all where it has too few or nobody needs it."""
    freed = Counter(offer.held())
    if 0 < lacking <= offer.places:
        offer.places = lacking
        freed.subtract(offer.held())
    else:
        offer.state, offer.ended_at = str(OfferState.WITHDRAWN), now
    return +freed


def _close_what_is_over(pool: Pool, now: datetime) -> None:
    """Nobody waits for what has begun."""
    for entry in pool.entries:
        if entry.state == EntryState.WAITING and pool.is_over(entry, now):
            _end(entry, EntryState.CLOSED, now)


def _end(entry: WaitlistEntry, state: EntryState, now: datetime) -> None:
    entry.state, entry.ended_at, entry.ended_by = str(state), now, "system"


def _carry_out(
    uow: UnitOfWork, pool: Pool, weighed: Sequence[Weighed], now: datetime
) -> list[WaitlistOffer]:
    """Makes the offers, and remembers who has too few places since when."""
    entries, made = {entry.id: entry for entry in pool.entries}, []
    for one in weighed:
        entry = entries[one.entry.entry_id]
        entry.short_since = (entry.short_since or now) if one.is_short else None
        if one.proposed is not None:
            made.append(_offer(uow, entry, one.proposed, "list"))
    return made


def _offer(uow: UnitOfWork, entry: WaitlistEntry, proposed: Proposed, by: str) -> WaitlistOffer:
    offer = WaitlistOffer(
        tenant_id=uow.tenant,
        id=new_id(),
        entry_id=entry.id,
        session_ids=list(proposed.session_ids),
        places=entry.party_size,
        holds=proposed.holds,
        state=str(OfferState.LIVE),
        made_by=by,
        made_at=uow.clock.now(),
        expires_at=proposed.expires_at,
    )
    uow.session.add(offer)
    entry.state, entry.ended_at, entry.ended_by = str(EntryState.OFFERED), None, ""
    uow.record(PlacesOffered(offer_id=offer.id))
    return offer


def _next_look(
    pool: Pool, weighed: Sequence[Weighed], offers: Sequence[WaitlistOffer], now: datetime
) -> datetime | None:
    """When something changes by itself: an offer ends, a party is passed, the rush begins."""
    live = [offer.expires_at for offer in offers if offer.state == OfferState.LIVE]
    waits = [one.entry.list_id for one in weighed if one.why is not WhyNot.HAS_OFFER]
    if not waits and not live:
        return None
    held_up = [one.passes_at for one in weighed if one.passes_at and not one.is_passed]
    looks = [*live, *held_up]
    if waits or any(at < now for at in live):
        looks.append(now + LOOK_AT_LEAST_EVERY)
        looks += [rush_begins_at(pool.lists[one].closes_at, pool.terms) for one in waits]
    return max(min(at for at in looks if at >= now), now + A_MOMENT)


async def _plan(
    uow: UnitOfWork, pool_id: UUID, at: datetime | None, *, at_latest: bool = False
) -> None:
    """The pool's next look; None: there is nothing to look at. With `at_latest` one that is planned
    for sooner stays, as who has not gone through the whole list must not put it off.
    """
    due_id = waitlist_due_id(pool_id)
    if at is None:
        await drop_due(uow, due_id)
        return
    planned = insert(_DUE).values(
        id=due_id, tenant_id=uow.tenant, kind=WAITLIST_DUE, at=at, ref=pool_id
    )
    new_at = func.least(_DUE.c.at, planned.excluded.at) if at_latest else planned.excluded.at
    await uow.session.execute(
        planned.on_conflict_do_update(index_elements=[_DUE.c.id], set_={"at": new_at})
    )
