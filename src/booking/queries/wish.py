"""What a guest is about to book: price, dates, and whether it can be had."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from src.billing.domain.kinds import PaymentMode
from src.billing.domain.lot_users import Comer
from src.billing.queries.coupon_use import why_no_code
from src.billing.queries.payment_settings import find_transfer_terms
from src.booking.domain.agreements import Needed
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.drop_in import PayWay, open_ways
from src.booking.domain.kinds import ServiceKind, SessionMode, SessionState
from src.booking.domain.price_tiers import FULL, booker_first, first_choice
from src.booking.domain.questions import read_questions
from src.booking.domain.quotes import Quote, SubjectKind
from src.booking.domain.reasons import guest_sentence
from src.booking.domain.refund_policy import BuyerKind
from src.booking.domain.seats_told import is_told, seats_told
from src.booking.leaving_words import dates_in_words, rules_in_words
from src.booking.minimum_words import takes_place_if
from src.booking.models import Service, Session
from src.booking.queries.agreements import find_needed, find_to_ask
from src.booking.queries.comers import find_comers
from src.booking.queries.coupons import find_voucher, judge_for_quote, was_quoted
from src.booking.queries.decide import business_now
from src.booking.queries.names import find_places_and_performers
from src.booking.queries.offers import count_as_free
from src.booking.queries.paying_with import takes_codes, with_voucher
from src.booking.queries.service_page import no_such_service
from src.booking.queries.terms_said import said_of_quote
from src.booking.queries.tiers import why_not_chosen
from src.booking.queries.transfers import as_transfer, due_day, may_be_transferred
from src.booking.queries.waiting import may_be_waited_for, terms_of
from src.booking.queries.waitlist_times import is_too_late_for
from src.booking.queries.wish_asked import AskedFor, asked_series, asked_session, asked_slot
from src.booking.queries.wish_credits import Purse, find_credits
from src.booking.queries.wish_lines import price_choices, price_lines
from src.booking.views.guest import Wish
from src.booking.views.hub import SpelledDate
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.errors import EstablishedOnly
from src.tenants.queries.established import is_established


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest has chosen so far: how many come, the key of everyone's price where they chose
    one, the code of a coupon, and the way to pay; `purse` is whose credits there are, `owner` the
    guest's own name, and `names` those of all who come, empty where nothing was typed yet.
    `quoted_minor` is what they were shown that is to pay. `knew_no_credits`: the way was chosen
    while no credits could pay, so it is no choice against those that can by now.
    """

    size: int = 1
    tiers: tuple[str, ...] = ()
    code: str = ""
    quoted_minor: int | None = None
    way: PayWay | None = None
    purse: Purse = Purse()
    knew_no_credits: bool = False
    owner: str = ""
    names: tuple[str, ...] = ()


async def get_wish(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    kind: SubjectKind,
    subject_id: UUID,
    service_slug: str,
    typed: Typed,
    held: Mapping[UUID, int] | None = None,
    *,
    slot: SlotWish | None = None,
    admits: bool = False,
) -> Wish:
    """The subject as a stranger may book it now, with what they have chosen and typed so far.
    `held` are seats by session that count as free. With `slot` it is an appointment at that time.
    `admits`: they may have what is kept for established customers, whoever is signed in.

    Raises: NotFound for what is absent, hidden, another business's or another service's;
    EstablishedOnly.
    """
    now = uow.clock.now()
    business = await business_now(uow, tenant, now)
    if slot is not None:
        asked = await asked_slot(uow, tenant, service_slug, slot, business, now, typed.way)
    elif kind == "session":
        asked = await asked_session(uow, tenant, subject_id, business, now, typed.way)
    else:
        asked = await asked_series(uow, tenant, subject_id, business, now)
    count_as_free(asked.runs, held or {})
    asked = await _with_transfer(uow, tenant, asked, typed.way)
    if not _is_seen(asked, service_slug, ServiceKind.APPOINTMENT if slot else ServiceKind.GROUP):
        raise no_such_service()
    if asked.is_kept and not admits and not await is_established(uow, typed.purse.customer_id):
        raise EstablishedOnly
    chosen = asked.quote_for(_people(asked, typed))
    party = await _comers(uow, typed)
    has_way = typed.way is not None and not typed.knew_no_credits
    purse = await find_credits(
        uow, tenant, asked, chosen, typed.purse, has_way=has_way, party=party
    )
    if purse.paying is not None:
        asked = msgspec.structs.replace(asked, refuse=asked.refuse_by_credit)
    if asked.refuse(len(typed.tiers) or typed.size):
        # Nothing can be had by so many; they are shown what there is, at what it costs.
        asked = asked.as_for_one()
    people = _people(asked, typed)
    wish = await _wish(uow, tenant, kind, asked, people)
    error = why_not_chosen(asked.tiers(len(people)), typed.tiers, typed.size)
    to_sign = await _to_sign(uow, asked, typed.purse.customer_id)
    wish = msgspec.structs.replace(
        wish, size_error=wish.size_error or error, credits=purse, agreements=to_sign
    )
    if purse.paying is not None and not wish.closed:
        return _by_credits(tenant, asked, wish, now)
    if wish.closed or not typed.code.strip():
        takes = bool(not wish.closed and wish.total_minor and await takes_codes(uow, tenant))
        return msgspec.structs.replace(wish, takes_codes=takes)
    quote = asked.quote_for(people)
    return await _with_code(uow, tenant, asked, wish, quote, typed)


async def _to_sign(uow: UnitOfWork, asked: AskedFor, customer_id: UUID | None) -> list[Needed]:
    """What whoever books this has not signed as it is now, if they have proved who they are."""
    series_id = next((run.series_id for run in asked.runs), None)
    needed = await find_needed(uow, service_id=asked.service.id, series_id=series_id)
    return await find_to_ask(uow, needed, customer_id)


async def _comers(uow: UnitOfWork, typed: Typed) -> tuple[Comer, ...] | None:
    """Who comes, for credits that are for certain people. A form that was just opened is of the
    guest themself, and of others nobody has named yet.
    """
    if typed.purse.customer_id is None:
        return None
    if not typed.names:
        return (Comer(is_owner=True), *(Comer() for _other in range(1, typed.size)))
    return await find_comers(uow, typed.purse.customer_id, typed.owner, typed.names)


def _people(asked: AskedFor, typed: Typed) -> tuple[str, ...]:
    """The key of everyone's price; until somebody has chosen, the one to begin with."""
    if typed.tiers:
        size = len(typed.tiers)
        prices_minor = {tier.key: tier.price_minor for tier in asked.tiers(size)}
        return booker_first(typed.tiers, {FULL: asked.quote(size).unit_minor, **prices_minor})
    return (first_choice(asked.tiers(typed.size)),) * typed.size


async def _with_code(
    uow: UnitOfWork, tenant: TenantSnapshot, asked: AskedFor, wish: Wish, quote: Quote, typed: Typed
) -> Wish:
    """The same at the price that the code makes, or with why it makes none."""
    code = typed.code
    judged = await judge_for_quote(uow, tenant, quote, code)
    voucher = await find_voucher(uow, tenant, quote, code) if judged.coupon is None else None
    if voucher is not None:
        return with_voucher(wish, voucher, tenant.currency)
    if judged.applied is None:
        knows = was_quoted(judged, quote, typed.quoted_minor)
        error = await why_no_code(uow, judged, code, was_quoted=knows)
        return msgspec.structs.replace(wish, takes_codes=True, code_error=error)
    quote = replace(quote, coupon=judged.applied)
    line = (_("Code %(code)s", code=judged.applied.code), -quote.discount_minor, "")
    return msgspec.structs.replace(
        wish,
        takes_codes=True,
        lines=[*wish.lines, line],
        total_minor=quote.total_minor,
        money_minor=quote.total_minor,
        code_off_minor=quote.discount_minor,
        payment_mode=str(quote.payment_mode),
        leaving=said_of_quote(tenant, asked.sold, quote, asked.runs, uow.clock.now()),
    )


def _by_credits(tenant: TenantSnapshot, asked: AskedFor, wish: Wish, now: datetime) -> Wish:
    """The same for credits: nothing is left to pay, and `money_minor` stays what it costs."""
    if wish.kind == "session":
        starts_at = asked.runs[0].starts_at
        terms = asked.sold.for_way(PayWay.CREDIT)
        leaving = dates_in_words(terms, PayWay.CREDIT, starts_at, tenant.zone, now, seats=wish.size)
    else:
        terms = asked.sold.for_kind(BuyerKind.COURSE, by_credits=True)
        leaving = rules_in_words(terms, PayWay.CREDIT, tenant.zone, None, now, seats=wish.size)
    return msgspec.structs.replace(
        wish, lines=[], total_minor=0, payment_mode=str(PaymentMode.CREDIT), leaving=leaving
    )


async def _with_transfer(
    uow: UnitOfWork, tenant: TenantSnapshot, asked: AskedFor, way: PayWay | None
) -> AskedFor:
    """The same, to be paid by bank transfer as well where the business takes them."""
    if not may_be_transferred(asked.quote(1)):
        return asked
    terms, now = await find_transfer_terms(uow), uow.clock.now()
    return msgspec.structs.replace(
        asked,
        quote=lambda size: as_transfer(asked.quote(size), terms, asked.runs, way, tenant.zone, now),
    )


def _is_seen(asked: AskedFor, service_slug: str, kind: ServiceKind) -> bool:
    service, series = asked.service, asked.series
    if service.slug != service_slug or service.kind != kind:
        return False
    hidden = [thing for thing in (service, series) if thing and thing.visibility == "hidden"]
    return not hidden


async def _wish(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    kind: SubjectKind,
    asked: AskedFor,
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
        service_id=service.id,
        service_name=service.name,
        service_href=f"/b/{tenant.slug}/{service.slug}",
        kind=kind,
        dates=[_spelled(tenant, run, included, places, service, now) for run in asked.runs],
        dates_key=quote.dates_key,
        performer=performers,
        size=size,
        prices=price_choices(asked, quote, people),
        people=[person.tier for person in quote.party],
        most=_most(tenant, service, left),
        # A time is free or taken: nobody chooses among its seats.
        seats=seats_told(
            left,
            capacity,
            0 if service.kind == ServiceKind.APPOINTMENT else tenant.seats_told_up_to,
        ),
        lines=price_lines(asked, quote, now),
        total_minor=quote.total_minor,
        money_minor=quote.total_minor,
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
        minimum=takes_place_if(run, tenant.zone, now) if state in ("included", "full") else "",
        may_be_waited_for=state == "full"
        and terms_of(tenant, service).is_on
        and not is_too_late_for(service, run.starts_at, now),
    )
