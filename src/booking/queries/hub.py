"""The hub: what a business offers, and when. Two statements, however much there is."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from src.booking.domain.drop_in import DropInRules, PayWay, opens_at
from src.booking.domain.kinds import SessionMode
from src.booking.domain.price_label import text as price_text
from src.booking.domain.reasons import not_at_present
from src.booking.queries.dates import (
    DatedRow,
    Wanted,
    Window,
    find_next_date,
    following,
    list_dates,
    month_bounds,
    month_of,
    preceding,
    within_reach,
)
from src.booking.queries.drop_in import LOOSE
from src.booking.queries.hub_search import found_appointments, found_services, search_of
from src.booking.queries.on_sale import Joinable, OnSale, list_on_sale
from src.booking.queries.on_sale_rows import AppointmentRow, ServiceRow
from src.booking.queries.shop import Shop, shop_of
from src.booking.views.hub import (
    Choice,
    DateRow,
    DateState,
    Day,
    Filters,
    HubView,
    MonthView,
    SeriesCard,
    ServiceCard,
)
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, current_babel_locale, current_locale, ngettext, use_locale
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature

MANY_DATES = 8
MOST_CARDS = 24
SUMMARY_CHARACTERS = 140


async def get_hub(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    wanted: Wanted,
    now: datetime,
    base_url: str,
    *,
    in_frame: bool = False,
) -> HubView:
    """The front page of the business as a stranger sees it; `in_frame`, other months stay there."""
    on_sale = await list_on_sale(uow, tenant, now)
    shop = shop_of(tenant, on_sale, now)
    wanted = _known_only(wanted, on_sale)
    found = found_services(on_sale, wanted) if wanted.is_searched else on_sale.services
    if wanted.is_searched:
        wanted = msgspec.structs.replace(wanted, services=tuple(row.id for row in found))
    stays_at = f"/embed/{tenant.slug}" if in_frame else shop.path
    month = await _month(uow, shop, found, wanted, stays_at) if found else None
    cards = [service_card(row, on_sale, shop) for row in found]
    cards += [_appointment_card(row, shop) for row in found_appointments(on_sale, wanted)]
    return HubView(
        name=tenant.name,
        about=tenant.about,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        zone=tenant.zone,
        currency=tenant.currency,
        path=shop.path,
        url=base_url + shop.path,
        notice=shop.notice or (None if cards else _nothing_yet(tenant)),
        services=sorted(cards, key=lambda card: card.name.casefold()),
        series=series_cards(on_sale, found, shop)[:MOST_CARDS],
        month=month,
        filters=_filters(found, on_sale, wanted) if _wants_filters(wanted, month) else None,
        search=search_of(on_sale, wanted, shop.path),
        packages_href=f"{shop.path}/packages" if on_sale.has_packages and shop.may_sell else "",
        vouchers_href=f"{shop.path}/vouchers" if on_sale.has_vouchers else "",
    )


def _nothing_yet(tenant: TenantSnapshot) -> str | None:
    return None if tenant.status.sells else not_at_present()


def _known_only(wanted: Wanted, on_sale: OnSale) -> Wanted:
    """Without wishes for what is not on the page, such as a service that was hidden since."""
    services = {row.id for row in on_sale.services}
    performers = {row.id for row in on_sale.performers}
    return msgspec.structs.replace(
        wanted,
        service=wanted.service if wanted.service in services else None,
        performer=wanted.performer if wanted.performer in performers else None,
    )


async def _month(
    uow: UnitOfWork, shop: Shop, found: Sequence[ServiceRow], wanted: Wanted, path: str
) -> MonthView:
    """The month asked for, else the first that has a date."""
    zone, now = shop.tenant.zone, shop.now
    soonest = min((row.next_at for row in found if row.next_at), default=now)
    month = within_reach(wanted.month or month_of(soonest, zone), now, zone)
    services = {row.id: row for row in found}
    return await month_view(uow, shop, services, wanted, month, path)


async def month_view(
    uow: UnitOfWork,
    shop: Shop,
    services: dict[UUID, ServiceRow],
    wanted: Wanted,
    month: date,
    path: str,
) -> MonthView:
    """A month of dates with the ways out of it; an empty one also says when the next date is."""
    zone, now = shop.tenant.zone, shop.now
    window = await list_dates(uow, wanted, month, zone, now)
    later_at = None
    if not window.rows:
        later_at = await find_next_date(uow, wanted, max(month_bounds(month, zone)[1], now))
    first = month_of(now, zone)
    ahead = following(month)
    return MonthView(
        on=month,
        days=_days(window, shop, services),
        previous_href=_href(path, wanted, preceding(month)) if month > first else None,
        next_href=_href(path, wanted, ahead) if within_reach(ahead, now, zone) == ahead else None,
        start_href=_href(path, wanted, month) if wanted.after else None,
        more_href=_href(path, wanted, month, window.rows[-1].id) if window.has_more else None,
        later_at=later_at,
        later_href=_href(path, wanted, month_of(later_at, zone)) if later_at else None,
    )


def _href(path: str, wanted: Wanted, month: date, after: UUID | None = None) -> str:
    # A service's own address is one part longer than the hub's, in a frame as well.
    is_hub = path.count("/") == 2
    parts = {
        "month": f"{month:%Y-%m}",
        "service": wanted.service if is_hub else None,
        "performer": wanted.performer,
        "weekday": wanted.weekday,
        "q": wanted.words,
        "tag": wanted.tag,
        "after": after,
        "how": None if is_hub else "single",
    }
    query = urlencode({name: str(value) for name, value in parts.items() if value is not None})
    return f"{path}?{query}#dates"


def _days(window: Window, shop: Shop, services: dict[UUID, ServiceRow]) -> list[Day]:
    zone = shop.tenant.zone
    days: list[Day] = []
    for _on, rows in groupby(window.rows, key=lambda row: to_local(row.starts_at, zone).date()):
        shown = [date_row(row, services[row.service_id], shop) for row in rows]
        days.append(Day(shown[0].starts_at, shown))
    return days


def date_row(row: DatedRow, service: ServiceRow, shop: Shop) -> DateRow:
    rules = row.rules() if row.series_id is not None else LOOSE
    price_minor = None
    if _is_sold_alone(row, service):
        price_minor = service.single_price_minor(rules)
    tiers = service.tiers(rules, to_local(shop.now, shop.tenant.zone).date())
    if price_minor is not None and tiers:
        price_minor = min(price_minor, *(tier.price_minor for tier in tiers))
    opening_at = opens_at(rules, row.starts_at, shop.tenant.zone)
    state = _state(row, service, shop, rules, price_minor)
    if state in ("book", "credits", "full") and opening_at is not None and shop.now < opening_at:
        # Nobody can wait for a place that is not sold alone yet, either.
        state = "soon"
    told = shop.seats_told(row.capacity - row.taken, row.capacity)
    return DateRow(
        session_id=row.id,
        name=f"{service.name} · {row.title}" if row.title else service.name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        is_full=row.taken >= row.capacity,
        seats=seats_in_words(told.left, current_locale()),
        is_scarce=told.is_scarce,
        is_online=row.mode == SessionMode.ONLINE,
        performer=row.performer,
        place=row.place,
        series_title=row.series_title,
        price_minor=price_minor,
        is_from=price_minor is not None and bool(tiers),
        opens_at=opening_at if state == "soon" else None,
        state=state,
        href=_row_href(row, service, shop, state),
    )


def _is_sold_alone(row: DatedRow, service: ServiceRow) -> bool:
    return service.sales_mode != "series" and (row.series_id is None or bool(row.drop_in_allowed))


def _state(
    row: DatedRow, service: ServiceRow, shop: Shop, rules: DropInRules, price_minor: int | None
) -> DateState:
    if price_minor is None:
        return "series" if row.series_id is not None else "closed"
    if row.taken >= row.capacity:
        return "full"
    earliest_at = shop.now + timedelta(minutes=service.min_notice_minutes)
    if row.starts_at < earliest_at or not _is_within_horizon(row, service, shop):
        return "closed"
    ways = service.ways(rules)
    if ways == (PayWay.CREDIT,) and price_minor:
        return "credits" if shop.is_open else "closed"
    return "book" if shop.sells_by(ways, price_minor) else "closed"


def _is_within_horizon(row: DatedRow, service: ServiceRow, shop: Shop) -> bool:
    zone = shop.tenant.zone
    furthest_on = to_local(shop.now, zone).date() + timedelta(days=service.horizon_days)
    return to_local(row.starts_at, zone).date() <= furthest_on


def _row_href(row: DatedRow, service: ServiceRow, shop: Shop, state: DateState) -> str | None:
    base = f"{shop.path}/{service.slug}"
    if state in ("book", "credits"):
        return f"{base}/book?session={row.id}"
    if state == "full":
        return f"{base}/waitlist?session={row.id}" if _is_waited_for(row, service, shop) else None
    leads_to_series = state == "series" or (state == "soon" and service.sales_mode != "single")
    return f"{base}?how=series#series-{row.series_id}" if leads_to_series else None


def _is_waited_for(row: DatedRow, service: ServiceRow, shop: Shop) -> bool:
    return (
        has_waitlist(service, shop)
        and not service.is_too_late_to_wait(row.starts_at, shop.now)
        and _is_within_horizon(row, service, shop)
    )


def has_waitlist(service: ServiceRow, shop: Shop) -> bool:
    """Whether one can wait for what is full of the service."""
    return (
        service.waitlist.is_on and shop.is_open and shop.tenant.entitlements.has(Feature.WAITLIST)
    )


def service_card(row: ServiceRow, on_sale: OnSale, shop: Shop) -> ServiceCard:
    return ServiceCard(
        name=row.name,
        href=f"{shop.path}/{row.slug}",
        summary=shortened(row.description),
        minutes=row.duration_minutes,
        is_online=row.mode == SessionMode.ONLINE,
        price=price_text(on_sale.label(row, shop.tenant.currency), current_locale()),
        next_at=row.next_at,
        # A course is bought as a whole, whichever of its dates has a seat left.
        next_free_at=row.next_at if row.sales_mode == "series" else on_sale.next_place_at(row),
        is_sold_out=row.sales_mode != "series" and row.next_free_at is None,
    )


def _appointment_card(row: AppointmentRow, shop: Shop) -> ServiceCard:
    return ServiceCard(
        name=row.name,
        href=f"{shop.path}/{row.slug}",
        summary=shortened(row.description),
        minutes=row.duration_minutes,
        is_online=row.mode == SessionMode.ONLINE,
        price=price_text(row.label(shop.tenant.currency), current_locale()),
        next_at=None,
        by_appointment=True,
    )


@lru_cache(maxsize=4096)
def seats_in_words(left: int | None, locale: str) -> str:
    """How many seats are left, kept by language: a list says it on every line. Empty where it is
    not told.
    """
    if left is None:
        return ""
    with use_locale(locale):
        if left == 0:
            return _("Sold out")
        return ngettext("%(num)s seat left", "%(num)s seats left", left)


def shortened(description: str) -> str:
    """The beginning on one line, cut between words."""
    line = " ".join(description.split())
    if len(line) <= SUMMARY_CHARACTERS:
        return line
    return line[:SUMMARY_CHARACTERS].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def series_cards(on_sale: OnSale, found: Sequence[ServiceRow], shop: Shop) -> list[SeriesCard]:
    services = {row.id: row for row in found}
    return [
        _series_card(offer, services[offer.row.service_id], shop)
        for offer in on_sale.series
        if not offer.is_closed and offer.row.service_id in services
    ]


def _series_card(offer: Joinable, service: ServiceRow, shop: Shop) -> SeriesCard:
    row, quote = offer.row, offer.quote
    held = [run for run in row.runs if run.state == "scheduled"]
    told = shop.seats_told(*offer.tightest(shop.now))
    sells = not offer.is_sold_out and shop.sells(row.price_type, quote.price_minor)
    base = f"{shop.path}/{service.slug}"
    return SeriesCard(
        series_id=row.id,
        title=row.title,
        service_name=service.name,
        href=f"{base}?how=series#series-{row.id}",
        first_at=held[0].starts_at,
        last_at=held[-1].starts_at,
        dates=len(held),
        remaining=len(quote.included) if quote.included else len(quote.gaps),
        price_minor=min([quote.asked_minor, *(tier.price_minor for tier in offer.tiers)]),
        is_from=bool(offer.tiers),
        seats=seats_in_words(told.left, current_locale()),
        is_scarce=told.is_scarce,
        is_sold_out=offer.is_sold_out,
        book_href=f"{base}/book?series={row.id}" if sells else None,
    )


def _wants_filters(wanted: Wanted, month: MonthView | None) -> bool:
    if month is None:
        return False
    return wanted.is_narrowed or sum(len(day.rows) for day in month.days) > MANY_DATES


def _filters(found: Sequence[ServiceRow], on_sale: OnSale, wanted: Wanted) -> Filters:
    names = current_babel_locale().days["stand-alone"]["wide"]
    services = ((row.id, row.name) for row in found)
    performers = ((row.id, row.name) for row in on_sale.performers)
    weekdays = ((number, names[number - 1]) for number in range(1, 8))
    return Filters(
        services=_choices(services, wanted.service),
        performers=_choices(performers, wanted.performer),
        weekdays=_choices(weekdays, wanted.weekday),
        is_active=wanted.is_narrowed,
    )


def _choices(options: Iterable[tuple[UUID | int, str]], chosen: UUID | int | None) -> list[Choice]:
    """Nothing to choose from where there is but one."""
    found = [Choice(str(value), label, value == chosen) for value, label in options]
    return found if len(found) > 1 else []
