"""One service as a stranger sees it: its series with every date, and its single dates."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec

from src.booking.domain.bookable import SeriesFacts, why_not_bookable_series
from src.booking.domain.kinds import SalesMode, SeriesPriceType, SessionMode, Visibility
from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.price_label import PriceKind
from src.booking.domain.price_label import text as price_text
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.pricing import last_start_to_join
from src.booking.domain.reasons import guest_sentence, not_at_present
from src.booking.errors import NotOffered
from src.booking.leaving_words import rules_in_words
from src.booking.queries.dates import Wanted, month_of, within_reach
from src.booking.queries.drop_in import LOOSE
from src.booking.queries.guest_packages import list_fitting_packages
from src.booking.queries.hub import has_waitlist, month_view, shortened
from src.booking.queries.kept import is_service_kept
from src.booking.queries.leaving import find_terms
from src.booking.queries.offer_facts import business_facts
from src.booking.queries.on_sale import Joinable, OnSale, find_on_sale
from src.booking.queries.on_sale_rows import Run, ServiceRow
from src.booking.queries.shop import Shop, shop_of
from src.booking.queries.slots import find_appointment_service, is_shown
from src.booking.queries.structured import describe_service
from src.booking.views.hub import (
    MonthView,
    NamedPrice,
    PackageOffer,
    SalesTab,
    SeriesOffer,
    ServicePageView,
    SpelledDate,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _, current_locale
from src.tenants.context import TenantSnapshot
from src.tenants.errors import EstablishedOnly

MOST_PACKAGES = 3

Side = Literal["series", "single"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of a service's page asks for; None: whatever there is. `in_frame`: for
    another site, where its own months and sides stay in the frame, and a series stands alone, with
    no price but its own.
    """

    slug: str
    side: Side | None = None
    series: UUID | None = None
    dates: Wanted = Wanted()
    in_frame: bool = False


async def get_service_page(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    asked: Asked,
    base_url: str,
    *,
    to_established: bool = False,
) -> ServicePageView:
    """`to_established`: who looks has proved to be an established customer.

    Raises: NotFound for a service that is absent, hidden or frozen; EstablishedOnly for one, or a
    series of it that is asked for, which is kept for such.
    """
    now = uow.clock.now()
    on_sale = await find_on_sale(uow, tenant, now, asked.slug, asked.series)
    if on_sale is None:
        raise no_such_service()
    if _is_kept(on_sale) and not to_established:
        raise EstablishedOnly
    shop, row = shop_of(tenant, on_sale, now), on_sale.services[0]
    series, month = [], None
    sides = _sides(on_sale, row, asked)
    side = asked.side if asked.side in sides else sides[0]
    is_alone = asked.in_frame and asked.series is not None
    if is_alone:
        sides, side = ["series"], "series"
    terms = await find_terms(uow, tenant, row.id, [one.row.id for one in on_sale.series])
    if row.active:
        series = [series_offer(offer, row, shop, terms[offer.row.id]) for offer in on_sale.series]
        month = await _month(uow, shop, row, asked) if side == "single" else None
    if is_alone:
        series = [offer for offer in series if offer.series_id == asked.series]
    path, label = f"{shop.path}/{row.slug}", on_sale.label(row, tenant.currency)
    return ServicePageView(
        name=row.name,
        description=row.description,
        summary=shortened(row.description),
        minutes=row.duration_minutes,
        is_online=row.mode == SessionMode.ONLINE,
        price="" if is_alone else price_text(label, current_locale()),
        price_alone=price_text(replace(label, sold_out=False), current_locale()),
        zone=tenant.zone,
        currency=tenant.currency,
        hub_href=shop.path,
        path=path,
        url=base_url + path,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        notice=shop.notice if row.active else not_at_present(),
        is_listed=row.active and row.visibility == Visibility.PUBLIC and not row.is_kept,
        tabs=_tabs(_stays_at(shop, row, asked), sides if row.active else [], side),
        series=series if side == "series" else [],
        month=month,
        prices=_single_prices(month, row, on_sale),
        leaving=_single_rules(terms[row.id], row, shop),
        structured=describe_service(on_sale, row, tenant, base_url),
        next_at=row.next_at,
        packages=await _packages(uow, tenant, on_sale, row),
        packages_href=f"{shop.path}/packages",
    )


def _is_kept(on_sale: OnSale) -> bool:
    """A kept series is among what is found only when it is asked for."""
    return on_sale.services[0].is_kept or any(offer.row.is_kept for offer in on_sale.series)


async def _packages(
    uow: UnitOfWork, tenant: TenantSnapshot, on_sale: OnSale, row: ServiceRow
) -> list[PackageOffer]:
    """The first few that dates of the service can be paid with; others are on their own page."""
    if not on_sale.has_packages:
        return []
    cards = await list_fitting_packages(uow, tenant, row.id)
    return [
        PackageOffer(card.name, card.href, card.credits, card.price_minor, card.each_minor)
        for card in cards[:MOST_PACKAGES]
    ]


def _single_prices(month: MonthView | None, row: ServiceRow, on_sale: OnSale) -> list[NamedPrice]:
    """The full price and those beside it, where a listed date is sold at them; in a month without
    any that is sold alone, where one of the next dates is, or where there is none, one would be.
    """
    if month is None:
        return []
    dates = [date for day in month.days for date in day.rows if date.price_minor is not None]
    coming = [run.rules() for run in row.coming_runs or ()] or [LOOSE]
    has_them = (
        any(date.is_from for date in dates)
        if dates
        else any(row.tiers(rules, on_sale.today) for rules in coming)
    )
    tiers = row.tiers(LOOSE, on_sale.today)
    if not has_them or not tiers:
        return []
    return [NamedPrice(_("Full price"), row.single_price_minor(), None), *_named(tiers)]


def _single_rules(terms: LeavingTerms, row: ServiceRow, shop: Shop) -> list[str]:
    price_type = SeriesPriceType(row.price_type)
    return rules_in_words(terms, price_type, shop.tenant.zone, row.next_at, shop.now)


async def not_offered(uow: UnitOfWork, tenant: TenantSnapshot, slug: str) -> NotFound:
    """What to say of a date or a series that is not there for a guest: it leads to what else its
    service has, where that has a page for everybody.
    """
    on_sale = await find_on_sale(uow, tenant, uow.clock.now(), slug, None)
    if on_sale is not None and on_sale.services[0].is_kept:
        return no_such_service()
    if on_sale is not None:
        return NotOffered(service_name=on_sale.services[0].name, service_slug=slug)
    service = await find_appointment_service(uow, slug)
    if service is None or not is_shown(tenant, service) or await is_service_kept(uow, service.id):
        return no_such_service()
    return NotOffered(service_name=service.name, service_slug=slug)


def no_such_service() -> NotFound:
    return NotFound(_("There is nothing to book at this address. Please look at the overview."))


def _sides(on_sale: OnSale, row: ServiceRow, asked: Asked) -> list[Side]:
    """The sides that are really on sale; the one that the service is meant for where none is."""
    label = on_sale.label(row, "")
    found: list[Side] = []
    if on_sale.series or label.kind in (PriceKind.SERIES, PriceKind.BOTH):
        found.append("series")
    if row.sales_mode != SalesMode.SERIES and row.coming_runs:
        found.append("single")
    return found or ["series" if row.sales_mode == SalesMode.SERIES else "single"]


def _tabs(path: str, sides: list[Side], shown: Side) -> list[SalesTab]:
    """None where there is but one side."""
    if len(sides) < 2:
        return []
    words = {"series": _("Whole series"), "single": _("Single dates")}
    return [
        SalesTab(label=words[side], href=f"{path}?how={side}", is_shown=side == shown)
        for side in sides
    ]


async def _month(uow: UnitOfWork, shop: Shop, row: ServiceRow, asked: Asked) -> MonthView:
    zone, now = shop.tenant.zone, shop.now
    month = within_reach(asked.dates.month or month_of(row.next_at or now, zone), now, zone)
    wanted = Wanted(service=row.id, month=month, after=asked.dates.after)
    path = _stays_at(shop, row, asked)
    return await month_view(uow, shop, {row.id: row}, wanted, month, path)


def _stays_at(shop: Shop, row: ServiceRow, asked: Asked) -> str:
    """The page that is looked at, by itself or in a frame."""
    home = f"/embed/{shop.tenant.slug}" if asked.in_frame else shop.path
    return f"{home}/{row.slug}"


def series_offer(
    offer: Joinable, service: ServiceRow, shop: Shop, terms: LeavingTerms
) -> SeriesOffer:
    """The series as it is sold now, with the reason where it is not."""
    row, quote = offer.row, offer.quote
    reason = why_not_joined(offer, service, shop)
    return SeriesOffer(
        series_id=row.id,
        title=row.title,
        description=row.description,
        dates=[spelled(run, offer, service, shop) for run in row.runs],
        included=len(quote.included),
        base=quote.base,
        price_minor=quote.asked_minor,
        full_price_minor=quote.full_price_minor,
        prices=_named(offer.tiers),
        seats=shop.seats_told(*offer.tightest(shop.now)),
        reason=reason,
        book_href=None if reason else f"{shop.path}/{service.slug}/book?series={row.id}",
        waitlist_href=_waitlist_href(offer, service, shop),
        is_late=quote.closed is None and bool(quote.passed),
        gaps=0 if quote.closed else len(quote.gaps),
        pays_on_site=row.price_type == "on_site",
        leaving=rules_in_words(
            terms,
            SeriesPriceType(row.price_type),
            shop.tenant.zone,
            min((run.starts_at for run in offer.had_by_buyers(shop.now)), default=None),
            shop.now,
        ),
    )


def _waitlist_href(offer: Joinable, service: ServiceRow, shop: Shop) -> str | None:
    """Where to wait for a series that is full, and for nothing else not to be had."""
    if not offer.is_sold_out or not has_waitlist(service, shop):
        return None
    row, zone = offer.row, shop.tenant.zone
    last_at = last_start_to_join(row.terms(), row.sessions(), shop.now, zone)
    if last_at is None or service.is_too_late_to_wait(last_at, shop.now):
        return None
    return f"{shop.path}/{service.slug}/waitlist?series={offer.row.id}"


def _named(tiers: Sequence[PriceTier]) -> list[NamedPrice]:
    return [NamedPrice(tier.name, tier.price_minor, tier.until_on) for tier in tiers]


def why_not_joined(offer: Joinable, service: ServiceRow, shop: Shop) -> str | None:
    """In one sentence for guests; None where it can be bought."""
    if not shop.is_open:
        return not_at_present()
    facts = SeriesFacts(
        business=business_facts(shop.tenant),
        service=service.facts(),
        terms=offer.row.terms(),
        sessions=offer.row.sessions(),
        active=True,
        visibility=Visibility(offer.row.visibility),
    )
    reasons = why_not_bookable_series(facts, shop.now)
    return guest_sentence(reasons) if reasons else None


def spelled(run: Run, offer: Joinable, service: ServiceRow, shop: Shop) -> SpelledDate:
    """A date with what a buyer has to know of it."""
    place = run.place or (_("Online") if run.mode == SessionMode.ONLINE else None)
    earliest_at = shop.now + timedelta(minutes=offer.row.min_notice_minutes)
    if run.state == "cancelled":
        state = "cancelled"
    elif run.state != "scheduled":
        state = "not_now"
    elif run.starts_at < earliest_at:
        state = "passed"
    else:
        state = "full" if run.taken >= run.capacity else "included"
    return SpelledDate(
        title=run.title,
        starts_at=run.starts_at,
        ends_at=run.ends_at,
        place=place,
        is_online=run.mode == SessionMode.ONLINE,
        state=state,
        may_be_waited_for=state == "full"
        and has_waitlist(service, shop)
        and not service.is_too_late_to_wait(run.starts_at, shop.now),
    )
