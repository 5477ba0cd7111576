"""A waiting list as its owner sees it: in order, with why each has no offer, and what happened."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.domain.quotes import SubjectKind
from src.booking.domain.waiting import EntryState, Weighed, WhyNot, weigh, why_no_places
from src.booking.models import Session, WaitlistEntry, WaitlistOffer
from src.booking.queries.completing import Completing
from src.booking.queries.offered_price import OfferedPrice
from src.booking.queries.waiting import STANDS, Pool, add_completing, load_pool, pools_of
from src.booking.views.waiting import EntryRow, WaitlistView
from src.booking.waitlist_words import (
    closed_words,
    ended_words,
    offer_words,
    offered_price_words,
    owner_lines,
    state_words,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

MOST_ENDED = 100
MAY_BE_OFFERED = (EntryState.WAITING, EntryState.REMOVED, EntryState.EXPIRED)


async def get_waitlist(
    uow: UnitOfWork, tenant: TenantSnapshot, kind: SubjectKind, subject_id: UUID
) -> WaitlistView:
    """Raises: NotFound."""
    now = uow.clock.now()
    pool_id = subject_id
    if kind == "session":
        found = await pools_of(uow, [subject_id])
        if not found:
            raise NotFound(_("There is no such session."))
        [pool_id] = found
    pool = await load_pool(uow, tenant, pool_id, now)
    weighed = weigh(pool.queue, pool.lists, pool.free, pool.terms, now, tenant.zone)
    standing = [entry for entry in pool.entries if entry.list_id == subject_id]
    ended = await _ended(uow, kind, subject_id)
    await add_completing(uow, tenant, pool, ended)
    offers = await _offers(uow, [*standing, *ended])
    why = {one.entry.entry_id: one for one in weighed}
    session = pool.runs.get(subject_id)
    closed = "" if pool.lists[subject_id].session_ids else closed_words(session)
    base = f"/app/{tenant.slug}"
    here = f"{base}/{'sessions' if kind == 'session' else 'series'}/{subject_id}"
    mends = _mends(f"{base}/services/{pool.service.id}", here if kind == "session" else "")

    def row(entry: WaitlistEntry, position: int) -> EntryRow:
        """With an offer by hand where that finds places for the whole party."""
        facts, size = pool.facts_of(entry), pool.size_of(entry)
        none = why_no_places(facts, size, pool.terms, pool.free, now)
        shown = _row(entry, offers, tenant, position, why.get(entry.id), has_room=none is None)
        if (weighed_now := why.get(entry.id)) is not None and weighed_now.why is not None:
            href = mends.get(weighed_now.why, "")
            shown = msgspec.structs.replace(shown, mend_href=href)
        if entry.state in MAY_BE_OFFERED:
            shown = msgspec.structs.replace(shown, size=size)
        completing = pool.completing.get(entry.id)
        return shown if completing is None else _completes(shown, completing, tenant)

    return WaitlistView(
        what=_what(pool, session),
        when=None if session is None else (session.starts_at, session.ends_at),
        standing=[row(entry, position) for position, entry in enumerate(standing, start=1)],
        ended=[row(entry, 0) for entry in ended],
        is_on=pool.terms.is_on,
        closed=closed,
        here=here,
        base=base,
        settings_href=f"{base}/services/{pool.service.id}/waitlist",
        zone=tenant.zone,
        words=state_words(),
    )


def _mends(service: str, session: str) -> dict[WhyNot, str]:
    """Where each reason is mended; a series, whose `session` is empty, has no seats of its own."""
    of_seats = (WhyNot.NO_PLACE, WhyNot.NEVER_FITS, WhyNot.TOO_FEW_PLACES)
    return {
        WhyNot.SWITCHED_OFF: f"{service}/waitlist",
        WhyNot.PARTY_TOO_BIG: f"{service}/edit",
        **dict.fromkeys(of_seats if session else (), f"{session}/edit"),
    }


def _what(pool: Pool, session: Session | None) -> str:
    title = session.title if session is not None else pool.series.title if pool.series else ""
    return " · ".join(filter(None, (pool.service.name, title)))


def _row(
    entry: WaitlistEntry,
    offers: Mapping[UUID, Sequence[WaitlistOffer]],
    tenant: TenantSnapshot,
    position: int,
    weighed: Weighed | None,
    *,
    has_room: bool,
) -> EntryRow:
    own = offers.get(entry.id, ())
    live = next((offer for offer in own if offer.ended_at is None), None)
    return EntryRow(
        entry_id=entry.id,
        position=position,
        name=entry.name,
        address=entry.address,
        size=entry.party_size,
        joined_at=entry.joined_at,
        state=entry.state,
        until_at=None if live is None else live.expires_at,
        why=[] if weighed is None else owner_lines(weighed, tenant.zone),
        log=_log(entry, own),
        may_offer=has_room and entry.state in MAY_BE_OFFERED,
    )


def _completes(row: EntryRow, found: Completing, tenant: TenantSnapshot) -> EntryRow:
    """The price is said as long as there is anybody to pay it."""
    price = OfferedPrice(found.total_minor) if found.is_needed else None
    return msgspec.structs.replace(
        row,
        completes=found.series.title or found.service.name,
        price=offered_price_words(price, tenant.currency),
    )


def _log(entry: WaitlistEntry, offers: Sequence[WaitlistOffer]) -> list[tuple[datetime, str]]:
    """What happened to the entry, the latest first."""
    log = [(entry.joined_at, _("Joined the list"))]
    for offer in offers:
        log.append((offer.made_at, offer_words(offer.made_by, holds=offer.holds)))
        if offer.ended_at is not None:
            log.append((offer.ended_at, ended_words(offer.state)))
    if entry.ended_at is not None and entry.state != EntryState.ACCEPTED:
        log.append((entry.ended_at, state_words()[entry.state][0]))
    return log[::-1] if len(log) < 2 else sorted(log, key=lambda line: line[0])[::-1]


async def _ended(uow: UnitOfWork, kind: SubjectKind, subject_id: UUID) -> list[WaitlistEntry]:
    """Those who are on the list no more, the latest first."""
    of_list = (
        WaitlistEntry.session_id == subject_id
        if kind == "session"
        else WaitlistEntry.series_id == subject_id
    )
    found = await uow.session.scalars(
        select(WaitlistEntry)
        .where(WaitlistEntry.tenant_id == uow.tenant, of_list)
        .where(WaitlistEntry.state.not_in(STANDS))
        .order_by(WaitlistEntry.ended_at.desc(), WaitlistEntry.id.desc())
        .limit(MOST_ENDED)
    )
    return list(found)


async def _offers(
    uow: UnitOfWork, entries: Sequence[WaitlistEntry]
) -> Mapping[UUID, Sequence[WaitlistOffer]]:
    found = await uow.session.scalars(
        select(WaitlistOffer)
        .where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.entry_id.in_([entry.id for entry in entries]),
        )
        .order_by(WaitlistOffer.made_at, WaitlistOffer.id)
    )
    by_entry: dict[UUID, list[WaitlistOffer]] = defaultdict(list)
    for offer in found:
        by_entry[offer.entry_id].append(offer)
    return by_entry
