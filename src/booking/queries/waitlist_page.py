"""One entry of a waiting list, as its page and its mails tell of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select

from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import GIVEN_UP_WHY, OrderState
from src.billing.models import Order
from src.booking.domain.kinds import SeriesPriceType, SessionMode
from src.booking.domain.moves import Heard
from src.booking.domain.states import LIVE_SEATS
from src.booking.domain.waiting import EntryState, OfferState, wanted_places, why_no_waiting
from src.booking.guest_links import booking_path
from src.booking.leaving_words import dates_in_words
from src.booking.models import Seat, Series, Service, Session, WaitlistEntry, WaitlistOffer
from src.booking.queries.completing import Completing, completing_of
from src.booking.queries.offered_price import OfferedPrice, offered_price
from src.booking.queries.offers import get_series_offer, get_session_offer
from src.booking.queries.waiting import STANDS, get_entry, terms_of
from src.booking.queries.waitlist_room import find_list
from src.booking.views.waiting import CompletesView, EntryDate, EntryView
from src.booking.waitlist_links import waitlist_path, waitlist_token
from src.booking.waitlist_words import offered_price_words
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.web.formats import date_short
from src.tenants.context import TenantSnapshot
from src.tenants.models import Location

ENDED_BY_THEMSELVES = frozenset({"expired", "given_up", "unpaid", "ended", "left"})
"""Stages after which nobody has anything against their having another place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """An entry with what it waits for. `coming` are the dates to come, `runs` those of them that
    are offered, or all; `offer` is its latest one, `order` what that became. The `price` is only
    known where it was asked for, and so is what was `heard` of dates that have another time now.
    `has_come_to_nothing`: nobody of the order comes any more.
    """

    entry: WaitlistEntry
    service: Service
    series: Series | None
    coming: Sequence[Session]
    runs: Sequence[Session]
    places: dict[UUID, str]
    position: int
    count: int
    offer: WaitlistOffer | None
    order: Order | None
    has_come_to_nothing: bool = False
    price: OfferedPrice | None = None
    heard: Mapping[UUID, Heard] = field(default_factory=dict)

    def what(self, zone: ZoneInfo) -> str:
        """In words: the service with the series or the session's own title. A date that a course
        was sold without has its day with it: the course itself is had.
        """
        title = self.runs[0].title if self.entry.session_id and self.runs else ""
        is_of_course = self.entry.series_id or self.entry.for_booking_id
        if is_of_course and self.series is not None:
            title = self.series.title
        is_missing = self.entry.for_booking_id and self.runs
        day = date_short(self.runs[0].starts_at, zone) if is_missing else ""
        return " · ".join(filter(None, (self.service.name, title, day)))

    @property
    def live_offer(self) -> WaitlistOffer | None:
        if self.offer is None or self.offer.state != OfferState.LIVE:
            return None
        return self.offer

    @property
    def has_lost_offer(self) -> bool:
        """Whether an offer was withdrawn because its dates came too near to take it."""
        offer = self.offer
        return (
            offer is not None
            and offer.state == OfferState.WITHDRAWN
            and offer.ended_at is not None
            and offer.expires_at < offer.ended_at
        )

    def place_of(self, run: Session) -> str | None:
        if run.mode == SessionMode.ONLINE:
            return _("Online")
        return self.places.get(run.location_id) if run.location_id else None


async def get_entry_facts(uow: UnitOfWork, entry_id: UUID) -> EntryFacts:
    """Raises: NotFound."""
    entry = await get_entry(uow, entry_id)
    offer = await _latest_offer(uow, entry_id)
    order = None
    if offer is not None and offer.order_id is not None:
        order = await uow.session.get(Order, (uow.tenant, offer.order_id))
    service, series, coming = await _subject(uow, entry)
    runs = coming
    if offer is not None and offer.state == OfferState.LIVE:
        runs = [run for run in coming if run.id in offer.session_ids]
    position, count = await _position(uow, entry)
    return EntryFacts(
        entry=entry,
        service=service,
        series=series,
        coming=coming,
        runs=runs,
        places=await _places(uow, coming),
        position=position,
        count=count,
        offer=offer,
        order=order,
        has_come_to_nothing=order is not None and not await _stands(uow, order),
    )


async def with_price(uow: UnitOfWork, tenant: TenantSnapshot, facts: EntryFacts) -> EntryFacts:
    """With what all of the party would pay by now."""
    price = await offered_price(uow, tenant, facts.entry, facts.live_offer)
    return replace(facts, price=price)


async def get_entry_view(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, entry_id: UUID
) -> EntryView:
    """Raises: NotFound."""
    facts, now = await get_entry_facts(uow, entry_id), uow.clock.now()
    entry, offer = facts.entry, facts.offer
    base = f"/b/{tenant.slug}/{facts.service.slug}"
    subject = "session" if entry.session_id is not None else "series"
    stage = _stage(facts, now)
    if stage in ("offered", "rush"):
        facts = await with_price(uow, tenant, facts)
    completing = (await completing_of(uow, tenant, [entry])).get(entry.id)
    completes, size = None, entry.party_size
    if completing is not None:
        size = len(completing.missing) or size
        completes = _completes(tenant, settings, completing, entry, now)
        if entry.state in STANDS and not completing.is_needed:
            stage = "left"
    may_wait, is_free = False, False
    if stage in ENDED_BY_THEMSELVES:
        may_wait, is_free = await _ways_on(uow, tenant, entry, completing)
    book_path = f"{base}/book?{subject}={entry.list_id}"
    until_at = offer.expires_at if offer is not None else None
    if stage == "held" and facts.order is not None:
        until_at = payable_until(facts.order.hold_expires_at)
    return EntryView(
        stage=stage,
        what=facts.what(tenant.zone),
        guest_name=entry.name,
        size=size,
        dates=[
            EntryDate(
                title=run.title,
                starts_at=run.starts_at,
                ends_at=run.ends_at,
                place=facts.place_of(run),
                is_online=run.mode == SessionMode.ONLINE,
            )
            for run in facts.runs
        ],
        position=facts.position,
        count=facts.count,
        until_at=until_at,
        price=offered_price_words(facts.price, tenant.currency),
        path=waitlist_path(settings, tenant.slug, entry),
        accept_href=f"{book_path}&place={waitlist_token(settings, entry)}",
        may_wait=may_wait,
        book_href=book_path if is_free else "",
        booking_href=_booking_href(settings, tenant, facts.order),
        service_href=base,
        completes=completes,
        zone=tenant.zone,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )


def _completes(
    tenant: TenantSnapshot,
    settings: Settings,
    found: Completing,
    entry: WaitlistEntry,
    now: datetime,
) -> CompletesView:
    is_theirs = entry.address == found.order.guest_email
    quote = found.quote()
    price_type = quote.price_type if quote.total_minor else SeriesPriceType.FREE
    starts_at = found.session.starts_at
    return CompletesView(
        reference=found.order.reference if is_theirs else "",
        href=booking_path(settings, tenant.slug, found.order) if is_theirs else "",
        is_needed=found.is_needed,
        pays=str(quote.payment_mode),
        dates_key=quote.dates_key,
        total_minor=quote.total_minor,
        leaving=dates_in_words(
            quote.leaving, price_type, starts_at, tenant.zone, now, seats=quote.paid_places
        ),
    )


def _booking_href(settings: Settings, tenant: TenantSnapshot, order: Order | None) -> str:
    """Empty once the order's address was corrected: the entry's link went to the former one, which
    may be a stranger's, and the booking's own has been sent to the right one.
    """
    if order is None or order.link_version:
        return ""
    return booking_path(settings, tenant.slug, order)


def _stage(facts: EntryFacts, now: datetime) -> str:
    """An offer is over by the clock, also before its job has come by; an order that was never paid
    leaves its guest without a place.
    """
    state, offer = EntryState(facts.entry.state), facts.offer
    if state is EntryState.OFFERED and offer is not None:
        if offer.expires_at < now:
            return "expired"
        return "offered" if offer.holds else "rush"
    if state is EntryState.ACCEPTED:
        stage = _stage_of_order(facts.order, now)
        return "ended" if stage == "booking" and facts.has_come_to_nothing else stage
    return str(state)


def _stage_of_order(order: Order | None, now: datetime) -> str:
    if order is not None and order.state == OrderState.OPEN:
        until = payable_until(order.hold_expires_at)
        return "held" if until is not None and now < until else "unclear"
    if order is None:
        return "expired"
    if order.state == OrderState.CANCELLED:
        return "given_up" if order.closed_why == GIVEN_UP_WHY else "ended"
    return "booking" if order.state == OrderState.CONFIRMED else "unpaid"


async def _ways_on(
    uow: UnitOfWork, tenant: TenantSnapshot, entry: WaitlistEntry, completing: Completing | None
) -> tuple[bool, bool]:
    """Whether they can wait again, and whether nobody has to: all of them can book at once."""
    if entry.for_booking_id is not None:
        return completing is not None and completing.is_needed, False
    now, size = uow.clock.now(), entry.party_size
    service, facts, free = await find_list(uow, tenant, entry.list_id, now)
    if why_no_waiting(facts, size, terms_of(tenant, service), now) is not None:
        return False, False
    is_free = wanted_places(facts, size, free)[1] >= size
    return not is_free, is_free


async def _stands(uow: UnitOfWork, order: Order) -> bool:
    """Whether anybody has a place by the order."""
    live = [str(state) for state in LIVE_SEATS]
    own = (Seat.tenant_id == uow.tenant) & (Seat.order_id == order.id)
    found = await uow.session.scalar(select(exists().where(own, Seat.state.in_(live))))
    return bool(found)


async def _latest_offer(uow: UnitOfWork, entry_id: UUID) -> WaitlistOffer | None:
    found: WaitlistOffer | None = await uow.session.scalar(
        select(WaitlistOffer)
        .where(WaitlistOffer.tenant_id == uow.tenant, WaitlistOffer.entry_id == entry_id)
        .order_by(WaitlistOffer.made_at.desc(), WaitlistOffer.id.desc())
        .limit(1)
    )
    return found


async def _subject(
    uow: UnitOfWork, entry: WaitlistEntry
) -> tuple[Service, Series | None, Sequence[Session]]:
    if entry.session_id is not None:
        one = await get_session_offer(uow, entry.session_id)
        return one.service, one.series, [one.session]
    term = await get_series_offer(uow, entry.list_id)
    now = uow.clock.now()
    coming = [run for run in term.sessions if run.state == "scheduled" and run.starts_at > now]
    if entry.state == EntryState.CLOSED and entry.ended_at is not None:
        # None of a series that was called off is to come: shown is what was when its list closed.
        coming = [run for run in term.sessions if run.starts_at > entry.ended_at]
    return term.service, term.series, coming


async def _position(uow: UnitOfWork, entry: WaitlistEntry) -> tuple[int, int]:
    """Where the entry stands in its list, from 1, and of how many; 0 once it has ended."""
    if entry.state not in STANDS:
        return 0, 0
    before = (WaitlistEntry.queued_at < entry.queued_at) | (
        (WaitlistEntry.queued_at == entry.queued_at) & (WaitlistEntry.id <= entry.id)
    )
    of_list = (
        WaitlistEntry.session_id == entry.session_id
        if entry.session_id is not None
        else WaitlistEntry.series_id == entry.series_id
    )
    found = await uow.session.execute(
        select(func.count().filter(before), func.count()).where(
            WaitlistEntry.tenant_id == uow.tenant, of_list, WaitlistEntry.state.in_(STANDS)
        )
    )
    position, count = found.one()
    return position, count


async def _places(uow: UnitOfWork, runs: Sequence[Session]) -> dict[UUID, str]:
    ids = {run.location_id for run in runs if run.location_id is not None}
    if not ids:
        return {}
    found = await uow.session.execute(
        select(Location.id, Location.name).where(
            Location.tenant_id == uow.tenant, Location.id.in_(ids)
        )
    )
    return {row[0]: row[1] for row in found}
