"""What a guest is about to book: price, dates, and whether it can be had."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from src.billing.domain.coupons import guest_sentence as coupon_sentence
from src.billing.queries.payment_settings import find_transfer_terms
from src.booking.domain.bookable import (
    BusinessFacts,
    why_not_bookable_series,
    why_not_bookable_session,
)
from src.booking.domain.drop_in import PayWay, open_ways
from src.booking.domain.kinds import ServiceKind, SessionMode, SessionState
from src.booking.domain.price_tiers import FULL, PriceTier, booker_first, first_choice
from src.booking.domain.questions import read_questions
from src.booking.domain.quotes import Quote, QuoteLine, SubjectKind
from src.booking.domain.reasons import Reason, guest_sentence
from src.booking.domain.seats_told import is_told, seats_told
from src.booking.models import Series, Service, Session
from src.booking.queries.coupons import find_voucher, judge_for_quote
from src.booking.queries.decide import business_now
from src.booking.queries.names import find_places_and_performers
from src.booking.queries.offer_facts import (
    quote_of_series,
    quote_of_session,
    series_facts,
    session_facts,
)
from src.booking.queries.offers import count_as_free, get_series_offer, get_session_offer
from src.booking.queries.paying_with import takes_codes, with_voucher
from src.booking.queries.service_page import no_such_service
from src.booking.queries.sold_terms import SoldTerms, find_sold_terms
from src.booking.queries.terms_said import said_of_quote
from src.booking.queries.tiers import (
    for_people,
    tiers_of_series,
    tiers_of_session,
    why_not_chosen,
)
from src.booking.queries.transfers import as_transfer, due_day, may_be_transferred
from src.booking.queries.waiting import may_be_waited_for, terms_of
from src.booking.queries.waitlist_times import is_too_late_for
from src.booking.views.guest import PriceChoice, PriceLine, Wish
from src.booking.views.hub import SpelledDate
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.context import TenantSnapshot


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest has chosen so far: how many come, the key of everyone's price where they chose
    one, the code of a coupon, and the way to pay.
    """

    size: int = 1
    tiers: tuple[str, ...] = ()
    code: str = ""
    way: PayWay | None = None


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An offer together with how to quote it, and refuse it, for a party of any size; `tiers` are
    its prices beside the full one.
    """

    service: Service
    series: Series | None
    runs: Sequence[Session]
    quote: Callable[[int], Quote]
    refuse: Callable[[int], list[Reason]]
    tiers: Callable[[int], tuple[PriceTier, ...]]
    sold: SoldTerms

    def quote_for(self, people: Sequence[str]) -> Quote:
        """For those who have chosen a price each."""
        size = len(people)
        return for_people(self.quote(size), self.tiers(size), people)

    def as_for_one(self) -> "_Asked":
        """At the price and with the dates that one person gets, whatever the party's size."""
        return msgspec.structs.replace(
            self,
            quote=lambda size: replace(self.quote(1), party_size=size),
            tiers=lambda _size: self.tiers(1),
        )


async def get_wish(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    kind: SubjectKind,
    subject_id: UUID,
    service_slug: str,
    typed: Typed,
    held: Mapping[UUID, int] | None = None,
) -> Wish:
    """The subject as a stranger may book it now, with what they have chosen and typed so far.
    `held` are seats by session that count as free.

    Raises: NotFound for what is absent, hidden, another business's or another service's.
    """
    now = uow.clock.now()
    business = await business_now(uow, tenant, now)
    if kind == "session":
        asked = await _session(uow, tenant, subject_id, business, now, typed.way)
    else:
        asked = await _series(uow, tenant, subject_id, business, now)
    count_as_free(asked.runs, held or {})
    asked = await _with_transfer(uow, tenant, asked, typed.way)
    if not _is_seen(asked, service_slug):
        raise no_such_service()
    if asked.refuse(len(typed.tiers) or typed.size):
        # Nothing can be had by so many; they are shown what there is, at what it costs.
        asked = asked.as_for_one()
    people = _people(asked, typed)
    wish = await _wish(uow, tenant, kind, asked, people)
    error = why_not_chosen(asked.tiers(len(people)), typed.tiers, typed.size)
    wish = msgspec.structs.replace(wish, size_error=wish.size_error or error)
    if wish.closed or not typed.code.strip():
        takes = bool(not wish.closed and wish.total_minor and await takes_codes(uow, tenant))
        return msgspec.structs.replace(wish, takes_codes=takes)
    quote = asked.quote_for(people)
    return await _with_code(uow, tenant, asked, wish, quote, typed.code)


def _people(asked: _Asked, typed: Typed) -> tuple[str, ...]:
    """The key of everyone's price; until somebody has chosen, the one to begin with."""
    if typed.tiers:
        size = len(typed.tiers)
        prices_minor = {tier.key: tier.price_minor for tier in asked.tiers(size)}
        return booker_first(typed.tiers, {FULL: asked.quote(size).unit_minor, **prices_minor})
    return (first_choice(asked.tiers(typed.size)),) * typed.size


async def _with_code(
    uow: UnitOfWork, tenant: TenantSnapshot, asked: _Asked, wish: Wish, quote: Quote, code: str
) -> Wish:
    """The same at the price that the code makes, or with why it makes none."""
    judged = await judge_for_quote(uow, tenant, quote, code)
    voucher = await find_voucher(uow, tenant, quote, code) if judged.coupon is None else None
    if voucher is not None:
        return with_voucher(wish, voucher, tenant.currency)
    if judged.applied is None:
        error = coupon_sentence(judged.reasons)
        return msgspec.structs.replace(wish, takes_codes=True, code_error=error)
    quote = replace(quote, coupon=judged.applied)
    line = (_("Code %(code)s", code=judged.applied.code), -quote.discount_minor, "")
    return msgspec.structs.replace(
        wish,
        takes_codes=True,
        lines=[*wish.lines, line],
        total_minor=quote.total_minor,
        payment_mode=str(quote.payment_mode),
        leaving=said_of_quote(tenant, asked.sold, quote, asked.runs, uow.clock.now()),
    )


async def _session(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    session_id: UUID,
    business: BusinessFacts,
    now: datetime,
    way: PayWay | None,
) -> _Asked:
    offer, ready = await get_session_offer(uow, session_id), business.payments_ready

    def quote(size: int) -> Quote:
        return quote_of_session(offer, size, way, payments_ready=ready)

    def refuse(size: int) -> list[Reason]:
        return why_not_bookable_session(session_facts(offer, business, quote(size)), now)

    return _Asked(
        service=offer.service,
        series=offer.series,
        runs=[offer.session],
        quote=quote,
        refuse=refuse,
        tiers=lambda _size: tiers_of_session(offer, now, business.zone),
        sold=await find_sold_terms(uow, tenant, offer.service, offer.series),
    )


async def _series(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    series_id: UUID,
    business: BusinessFacts,
    now: datetime,
) -> _Asked:
    offer = await get_series_offer(uow, series_id)
    return _Asked(
        service=offer.service,
        series=offer.series,
        runs=offer.sessions,
        quote=lambda size: quote_of_series(offer, tenant, size, now),
        refuse=lambda size: why_not_bookable_series(series_facts(offer, business, size), now),
        tiers=lambda size: tiers_of_series(offer, now, tenant.zone, size),
        sold=await find_sold_terms(uow, tenant, offer.service, offer.series),
    )


async def _with_transfer(
    uow: UnitOfWork, tenant: TenantSnapshot, asked: _Asked, way: PayWay | None
) -> _Asked:
    """The same, to be paid by bank transfer as well where the business takes them."""
    if not may_be_transferred(asked.quote(1)):
        return asked
    terms, now = await find_transfer_terms(uow), uow.clock.now()
    return msgspec.structs.replace(
        asked,
        quote=lambda size: as_transfer(asked.quote(size), terms, asked.runs, way, tenant.zone, now),
    )


def _is_seen(asked: _Asked, service_slug: str) -> bool:
    service, series = asked.service, asked.series
    if service.slug != service_slug or service.kind != ServiceKind.GROUP:
        return False
    hidden = [thing for thing in (service, series) if thing and thing.visibility == "hidden"]
    return not hidden


async def _wish(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    kind: SubjectKind,
    asked: _Asked,
    people: tuple[str, ...],
) -> Wish:
    now, service, size = uow.clock.now(), asked.service, len(people)
    closed = asked.refuse(1)
    refused = [] if closed else asked.refuse(size)
    waiting = 1 if closed else size
    against = closed or refused
    is_waited_for = may_be_waited_for(
        tenant, service, asked.series, against, asked.runs, waiting, now
    )
    quote = asked.quote_for(people)
    included = set(quote.session_ids) or {run.id for run in asked.runs}
    left, capacity = _room([run for run in asked.runs if run.id in included])
    places, performers = await find_places_and_performers(uow, asked.runs)
    return Wish(
        name=quote.description,
        service_name=service.name,
        service_href=f"/b/{tenant.slug}/{service.slug}",
        kind=kind,
        dates=[_spelled(tenant, run, included, places, service, now) for run in asked.runs],
        dates_key=quote.dates_key,
        performer=performers,
        size=size,
        prices=_prices(asked, quote, people),
        people=[person.tier for person in quote.party],
        most=_most(tenant, service, left),
        seats=seats_told(left, capacity, tenant.seats_told_up_to),
        lines=_lines(asked, quote, now),
        total_minor=quote.total_minor,
        payment_mode=str(quote.payment_mode),
        ways=_ways(tenant, quote),
        part_of=asked.series.title if kind == "session" and asked.series else "",
        questions=read_questions(service.questions),
        leaving=said_of_quote(tenant, asked.sold, quote, asked.runs, now),
        closed=guest_sentence(closed) if closed else None,
        size_error=guest_sentence(refused) if refused else None,
        transfer_until_on=due_day(quote.transfer_due_at, tenant.zone),
        waitlist_href=f"/b/{tenant.slug}/{service.slug}/waitlist?{kind}={quote.subject_id}"
        if is_waited_for
        else None,
        takes_codes=False,
        code_error=None,
    )


def _most(tenant: TenantSnapshot, service: Service, left: int) -> int:
    """How many can be chosen: what there is, where that may be known."""
    if not is_told(left, tenant.seats_told_up_to):
        return service.max_party
    return max(min(service.max_party, left), 1)


def _ways(tenant: TenantSnapshot, quote: Quote) -> list[str]:
    """What there is to choose from, the one it is quoted for among it; nothing where it is free."""
    if quote.full_minor == 0:
        return []
    own = () if quote.transfer_due_at is None else (PayWay.TRANSFER,)
    ways = (*open_ways(quote.ways, payments_ready=tenant.payments_ready), *own)
    return [str(way) for way in PayWay if way in ways]


def _room(runs: Sequence[Session]) -> tuple[int, int]:
    """Seats left and capacity of the fullest of the sessions."""
    return min(((run.capacity - run.seats_taken, run.capacity) for run in runs), default=(0, 0))


def _lines(asked: _Asked, quote: Quote, now: datetime) -> list[PriceLine]:
    """The price worked out: the whole term, less what is over, times how many come."""
    if quote.people:
        return [_line_of(line) for line in quote.lines()]
    lines: list[PriceLine] = []
    full_minor = asked.series.price_minor if asked.series and quote.kind == "series" else None
    if full_minor is not None and 0 < quote.unit_minor < full_minor:
        lines += [
            (_("The whole series"), full_minor, ""),
            (_("Less what you miss"), quote.unit_minor - full_minor, _missed(asked, quote, now)),
        ]
        if quote.party_size > 1:
            lines.append((_("Per person"), quote.unit_minor, ""))
    if quote.party_size > 1:
        count = ngettext("%(num)s person", "%(num)s people", quote.party_size)
        lines.append((count, quote.total_minor, ""))
    elif not lines:
        lines.append((_("One person"), quote.total_minor, ""))
    return lines


def _missed(asked: _Asked, quote: Quote, now: datetime) -> str:
    """The dates that are paid for by nobody who joins now: those that are over, and full ones."""
    got = set(quote.session_ids)
    earliest_at = now + timedelta(minutes=asked.service.min_notice_minutes)
    missed = [
        run.starts_at < earliest_at
        for run in asked.runs
        if run.in_term and run.state == SessionState.SCHEDULED and run.id not in got
    ]
    over, full = missed.count(True), missed.count(False)
    is_over = ngettext("%(num)s date is over", "%(num)s dates are over", over) if over else ""
    is_full = ngettext("%(num)s date is full", "%(num)s dates are full", full) if full else ""
    return ", ".join(filter(None, (is_over, is_full)))


def _line_of(line: QuoteLine) -> PriceLine:
    count = ngettext("%(num)s person", "%(num)s people", line.quantity)
    return (line.tier or _("Full price"), line.unit_minor * line.quantity, count)


def _prices(asked: _Asked, quote: Quote, people: Sequence[str]) -> list[PriceChoice]:
    """What everybody can choose from, the full price first; nothing where there is but one."""
    tiers = asked.tiers(quote.party_size)
    if not tiers:
        return []
    full = PriceChoice(FULL, _("Full price"), quote.unit_minor, None, people.count(FULL))
    return [full] + [
        PriceChoice(tier.key, tier.name, tier.price_minor, tier.until_on, people.count(tier.key))
        for tier in tiers
    ]


def _spelled(
    tenant: TenantSnapshot,
    run: Session,
    included: set[UUID],
    places: dict[UUID, str],
    service: Service,
    now: datetime,
) -> SpelledDate:
    earliest_at = now + timedelta(minutes=service.min_notice_minutes)
    if run.state == SessionState.CANCELLED:
        state = "cancelled"
    elif run.state != SessionState.SCHEDULED:
        state = "not_now"
    elif run.starts_at < earliest_at:
        state = "passed"
    else:
        state = "included" if run.id in included else "full"
    place = places.get(run.location_id) if run.location_id else None
    if place is None and run.mode == SessionMode.ONLINE:
        place = _("Online")
    return SpelledDate(
        title=run.title,
        starts_at=run.starts_at,
        ends_at=run.ends_at,
        place=place,
        is_online=run.mode == SessionMode.ONLINE,
        state=state,
        may_be_waited_for=state == "full"
        and terms_of(tenant, service).is_on
        and not is_too_late_for(service, run.starts_at, now),
    )
