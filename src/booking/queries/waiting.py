"""What waiting lists are decided on: who waits, for which sessions, and what is free in them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, select

from src.booking.domain.bookable import BusinessFacts
from src.booking.domain.kinds import SessionState
from src.booking.domain.reasons import Reason, established_only
from src.booking.domain.waiting import (
    STANDING,
    EntryState,
    ListFacts,
    Waiting,
    WaitlistTerms,
    facts_of,
    waitlist_from,
)
from src.booking.models import Series, Service, Session, WaitlistEntry, WaitlistOffer
from src.booking.queries.completing import Completing, completing_of
from src.booking.queries.decide import business_now
from src.booking.queries.list_facts import (
    but_full,
    is_coming,
    most_that_fit,
    sells_with_gaps,
    series_list,
    session_list,
    still_sold,
)
from src.booking.queries.offers import (
    SeriesOffer,
    SessionOffer,
    get_series_offer,
    get_session_offer,
)
from src.booking.queries.waitlist_times import is_too_late_for, last_to_join
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.queries.established import established_among

STANDS = tuple(sorted(str(state) for state in STANDING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The lists that share sessions: a series' with those of its dates, or one loose session's.

    `pool_id` is the series', or the loose session's. `runs` are all of its sessions, `free` the
    places of those that can still be come to. `completing` is what entries for a purchase are for,
    by entry; what holds for them is in `lists` under their own ids. `is_kept`: it is for
    established customers only, and others who wait are offered nothing.
    """

    pool_id: UUID
    service: Service
    series: Series | None
    terms: WaitlistTerms
    runs: dict[UUID, Session]
    lists: dict[UUID, ListFacts]
    free: dict[UUID, int]
    entries: list[WaitlistEntry]
    completing: dict[UUID, Completing]
    is_kept: bool = False

    @property
    def queue(self) -> list[Waiting]:
        """Who is on a list by now."""
        return [as_waiting(entry) for entry in self.entries if entry.state in STANDS]

    def facts_of(self, entry: WaitlistEntry) -> ListFacts:
        """What holds for the entry: its list's, or its own where it completes a purchase."""
        return facts_of(self.lists, as_waiting(entry))

    def size_of(self, entry: WaitlistEntry) -> int:
        """For how many an offer would be by now: fewer of a purchase may lack its date since."""
        found = self.completing.get(entry.id)
        return entry.party_size if found is None else len(found.missing) or entry.party_size

    def is_stopped(self, offer: WaitlistOffer) -> bool:
        """Whether one of its dates, or the purchase that it completes, is being cancelled, which
        may still be undone, or one is cancelled: then its list is about to be closed, with a mail.
        """
        completing = self.completing.get(offer.entry_id)
        if completing is not None and completing.is_being_cancelled:
            return True
        runs = [self.runs[one] for one in offer.session_ids if one in self.runs]
        return any(run.state != SessionState.SCHEDULED for run in runs)

    def is_over(self, entry: WaitlistEntry, now: datetime) -> bool:
        """Whether all that it waits for has begun."""
        runs = self.runs.values() if entry.session_id is None else [self.runs[entry.session_id]]
        return all(run.starts_at <= now for run in runs)


def as_waiting(entry: WaitlistEntry) -> Waiting:
    return Waiting(
        entry_id=entry.id,
        list_id=entry.list_id,
        size=entry.party_size,
        queued_at=entry.queued_at,
        short_since=entry.short_since,
        has_offer=entry.state == EntryState.OFFERED,
    )


async def get_entry(uow: UnitOfWork, entry_id: UUID) -> WaitlistEntry:
    """Raises: NotFound, for another tenant's too."""
    found = await uow.session.get(WaitlistEntry, (uow.tenant, entry_id))
    if found is None:
        raise NotFound(_("There is no such entry in a waiting list."))
    return found


async def find_live_offer(uow: UnitOfWork, entry_id: UUID) -> WaitlistOffer | None:
    """The entry's offer that has not ended, although its time may be over."""
    found: WaitlistOffer | None = await uow.session.scalar(
        select(WaitlistOffer).where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.entry_id == entry_id,
            WaitlistOffer.state == "live",
        )
    )
    return found


async def find_taken_offer(uow: UnitOfWork, entry_id: UUID) -> WaitlistOffer | None:
    """The entry's offer that was taken, which a form that has changed may take over."""
    found: WaitlistOffer | None = await uow.session.scalar(
        select(WaitlistOffer)
        .where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.entry_id == entry_id,
            WaitlistOffer.state == "taken",
        )
        .order_by(WaitlistOffer.made_at.desc(), WaitlistOffer.id.desc())
        .limit(1)
    )
    return found


async def list_live_offers(
    uow: UnitOfWork, entries: Sequence[WaitlistEntry]
) -> Sequence[WaitlistOffer]:
    found = await uow.session.scalars(
        select(WaitlistOffer)
        .where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.entry_id.in_([entry.id for entry in entries]),
            WaitlistOffer.state == "live",
        )
        .execution_options(populate_existing=True)
    )
    return found.all()


async def pool_of(uow: UnitOfWork, entry: WaitlistEntry) -> UUID:
    """The pool that the entry's list belongs to by now."""
    if entry.series_id is not None:
        return entry.series_id
    [found] = await pools_of(uow, [entry.list_id])
    return found


async def pools_of(uow: UnitOfWork, session_ids: Sequence[UUID]) -> list[UUID]:
    """The pools that the sessions belong to, each once."""
    found = await uow.session.execute(
        select(Session.series_id, Session.id).where(
            Session.tenant_id == uow.tenant, Session.id.in_(session_ids)
        )
    )
    return sorted({row.series_id or row.id for row in found})


def standing_in(uow: UnitOfWork, pool_id: UUID) -> Select[tuple[WaitlistEntry]]:
    """The pool's entries that are on a list."""
    of_series = select(Session.id).where(
        Session.tenant_id == uow.tenant, Session.series_id == pool_id
    )
    in_pool: ColumnElement[bool] = (
        (WaitlistEntry.series_id == pool_id)
        | (WaitlistEntry.session_id == pool_id)
        | WaitlistEntry.session_id.in_(of_series)
    )
    return select(WaitlistEntry).where(
        WaitlistEntry.tenant_id == uow.tenant, WaitlistEntry.state.in_(STANDS), in_pool
    )


async def list_waiting_for(
    uow: UnitOfWork, session_ids: Sequence[UUID], *, after: UUID | None, most: int
) -> Sequence[UUID]:
    """By id, the next entries that are on a list of one of the sessions or of its series."""
    of_series = select(Session.series_id).where(
        Session.tenant_id == uow.tenant,
        Session.id.in_(session_ids),
        Session.series_id.is_not(None),
    )
    statement = select(WaitlistEntry.id).where(
        WaitlistEntry.tenant_id == uow.tenant,
        WaitlistEntry.state.in_(STANDS),
        WaitlistEntry.session_id.in_(session_ids) | WaitlistEntry.series_id.in_(of_series),
    )
    if after is not None:
        statement = statement.where(WaitlistEntry.id > after)
    found = await uow.session.scalars(statement.order_by(WaitlistEntry.id).limit(most))
    return found.all()


async def load_pool(uow: UnitOfWork, tenant: TenantSnapshot, pool_id: UUID, now: datetime) -> Pool:
    """Raises: NotFound for what is neither a series nor a session."""
    found = await uow.session.scalars(
        standing_in(uow, pool_id)
        .order_by(WaitlistEntry.queued_at, WaitlistEntry.id)
        .execution_options(populate_existing=True)
    )
    entries = list(found)
    pool = await load_lists(uow, tenant, pool_id, entries, now)
    await add_completing(uow, tenant, pool, entries)
    await keep_back(uow, pool, {entry.id: entry.address for entry in entries})
    return pool


async def keep_back(uow: UnitOfWork, pool: Pool, addresses: Mapping[UUID, str]) -> None:
    """Lets the pool know who of these entries, given with their addresses, may not have what is
    kept for established customers: they joined before it was. A purchase's own date is sold.
    """
    if not pool.is_kept:
        return
    known = await established_among(uow, set(addresses.values()))
    others = [one for one, address in addresses.items() if address not in known]
    entries = await uow.session.execute(
        select(WaitlistEntry.id, WaitlistEntry.session_id, WaitlistEntry.series_id).where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.id.in_(others),
            WaitlistEntry.for_booking_id.is_(None),
        )
    )
    for row in entries:
        facts = pool.lists[row.session_id or row.series_id]
        reasons = (established_only(), *facts.reasons)
        pool.lists[row.id] = dataclasses.replace(facts, reasons=reasons)


async def load_lists(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    pool_id: UUID,
    entries: list[WaitlistEntry],
    now: datetime,
) -> Pool:
    """A pool of these entries, without what those for purchases are for. Raises: NotFound."""
    business = await business_now(uow, tenant, now)
    series = await uow.session.get(Series, (uow.tenant, pool_id))
    if series is None:
        one = await get_session_offer(uow, pool_id)
        return _of_session(tenant, one, business, entries, now)
    term = await get_series_offer(uow, pool_id)
    return _of_series(tenant, term, business, entries, now)


async def add_completing(
    uow: UnitOfWork, tenant: TenantSnapshot, pool: Pool, entries: Sequence[WaitlistEntry]
) -> None:
    """Lets the pool know what these entries for purchases are for, ones that have ended too."""
    found, now = await completing_of(uow, tenant, entries), uow.clock.now()
    business = await business_now(uow, tenant, now) if found else None
    for entry_id, one in found.items():
        pool.completing[entry_id] = one
        if business is not None:
            pool.lists[entry_id] = one.waits(business, now)


def _of_session(
    tenant: TenantSnapshot,
    offer: SessionOffer,
    business: BusinessFacts,
    entries: list[WaitlistEntry],
    now: datetime,
) -> Pool:
    return _pool(
        tenant,
        offer.session.id,
        offer.service,
        None,
        [offer.session],
        {offer.session.id: session_list(offer, business, now)},
        entries,
        now,
        is_kept=offer.is_kept,
    )


def _of_series(
    tenant: TenantSnapshot,
    offer: SeriesOffer,
    business: BusinessFacts,
    entries: list[WaitlistEntry],
    now: datetime,
) -> Pool:
    lists = {
        session.id: session_list(
            SessionOffer(session, offer.service, offer.series, offer.is_kept), business, now
        )
        for session in offer.sessions
    }
    lists[offer.series.id] = series_list(offer, business, now)
    return _pool(
        tenant,
        offer.series.id,
        offer.service,
        offer.series,
        offer.sessions,
        lists,
        entries,
        now,
        is_kept=offer.is_kept,
    )


def _pool(
    tenant: TenantSnapshot,
    pool_id: UUID,
    service: Service,
    series: Series | None,
    sessions: Sequence[Session],
    lists: dict[UUID, ListFacts],
    entries: list[WaitlistEntry],
    now: datetime,
    *,
    is_kept: bool,
) -> Pool:
    coming = [one for one in sessions if is_coming(one, now)]
    return Pool(
        pool_id=pool_id,
        service=service,
        series=series,
        terms=terms_of(tenant, service),
        runs={one.id: one for one in sessions},
        lists=lists,
        free={one.id: one.capacity - one.seats_taken for one in coming},
        entries=entries,
        completing={},
        is_kept=is_kept,
    )


def terms_of(tenant: TenantSnapshot, service: Service) -> WaitlistTerms:
    """The service's terms; a plan without waiting lists has them switched off."""
    terms = waitlist_from(service.waitlist)
    if terms.is_on and not tenant.entitlements.has(Feature.WAITLIST):
        return replace(terms, is_on=False)
    return terms


def may_be_waited_for(
    tenant: TenantSnapshot,
    service: Service,
    series: Series | None,
    reasons: Sequence[Reason],
    runs: Sequence[Session],
    size: int,
    now: datetime,
) -> bool:
    """Whether nothing but that it is full stands against it for so many, who would fit in if others
    left, and there is time to wait.
    """
    if not reasons or but_full(reasons) or not terms_of(tenant, service).is_on:
        return False
    coming = still_sold(service, runs, now)
    if not coming:
        return False
    if size > most_that_fit(coming, has_gaps=sells_with_gaps(series)):
        return False
    until_at = min(run.starts_at for run in coming)
    if series is not None and len(runs) > 1:
        until_at = last_to_join(service, series, runs, tenant.zone, now) or until_at
    return not is_too_late_for(service, until_at, now)
