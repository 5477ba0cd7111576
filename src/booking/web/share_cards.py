"""What links to the hub, to a service and to a series say where they are sent."""

from datetime import datetime

from src.booking.domain.price_label import price as price_words
from src.booking.queries.guest_collections import series_path
from src.booking.queries.hub import shortened
from src.booking.queries.service_page import Asked
from src.booking.views.appointments import AppointmentPageView
from src.booking.views.hub import HubView, SeriesOffer, ServicePageView
from src.booking.views.sharing import Poster, ShareCard
from src.platform.i18n import _, ngettext
from src.platform.web.formats import date_short, time_short
from src.tenants.context import TenantSnapshot

FILE = "share.png"


def hub_card(tenant: TenantSnapshot, view: HubView, base_url: str) -> ShareCard:
    """With the next date that somebody can have a place on, or what is in the way of booking."""
    about = _("Dates, courses and free seats at %(business)s.", business=view.name)
    coming = [at for card in view.services if (at := card.next_free_at) is not None]
    return _card(
        tenant,
        title=view.name,
        text=view.about[:200] or about,
        facts=[
            shortened(view.about),
            view.notice or _next(min(coming, default=None), tenant),
        ],
        url=view.url,
        picture=f"{base_url}{view.path}/app/{FILE}?",
    )


def service_card(
    tenant: TenantSnapshot, view: ServicePageView | AppointmentPageView, base_url: str
) -> ShareCard:
    """With its one price label and its next date where it has dates, or why it cannot be had."""
    next_at = view.next_at if isinstance(view, ServicePageView) else None
    return _card(
        tenant,
        title=view.name,
        text=_sentences(view.notice or view.price, view.summary),
        facts=[view.notice] if view.notice else [view.price, _next(next_at, tenant)],
        url=view.url,
        picture=f"{base_url}{view.path}/{FILE}?",
    )


def series_card(
    tenant: TenantSnapshot, view: ServicePageView, offer: SeriesOffer, base_url: str
) -> ShareCard:
    """Of one series of the service: its price with the dates that it is for, or why it cannot be
    had, and the next one.
    """
    price = min([offer.price_minor, *(one.price_minor for one in offer.prices)])
    words = price_words(price, view.currency, is_lowest=bool(offer.prices))
    held = [date for date in offer.dates if date.state != "cancelled"]
    dates = ngettext("%(num)s date", "%(num)s dates", len(held))
    if offer.included < len(held):
        dates = ngettext(
            "%(left)s of %(num)s date", "%(left)s of %(num)s dates", len(held), left=offer.included
        )
    coming = [date.starts_at for date in held if date.state in ("included", "full")]
    path = series_path(tenant.slug, view.path.rpartition("/")[2], offer.series_id)
    return _card(
        tenant,
        title=f"{view.name} · {offer.title}",
        text=_sentences(offer.reason or words, shortened(offer.description) or view.summary),
        facts=[
            offer.reason or f"{words} · {dates}",
            _next(min(coming, default=None), tenant),
        ],
        url=base_url + path.partition("#")[0],
        picture=f"{base_url}{view.path}/{FILE}?series={offer.series_id}&",
    )


def _card(
    tenant: TenantSnapshot, *, title: str, text: str, facts: list[str], url: str, picture: str
) -> ShareCard:
    poster = Poster(
        title=title,
        business=tenant.name,
        facts=tuple(filter(None, facts)),
        accent=tenant.brand_color,
    )
    image = f"{picture}v={poster.version}"
    return ShareCard(title=title, text=text, url=url, image=image, poster=poster)


def _sentences(*parts: str) -> str:
    """One after the other, whether or not they end as sentences do."""
    return " ".join(part if part[-1] in ".!?…" else f"{part}." for part in parts if part)


def _next(at: datetime | None, tenant: TenantSnapshot) -> str:
    if at is None:
        return ""
    zone = tenant.zone
    return f"{_('Next: %(date)s', date=date_short(at, zone))}, {time_short(at, zone)}"


def card_of(
    tenant: TenantSnapshot, view: ServicePageView, asked: Asked, base_url: str
) -> ShareCard:
    """Of the series that is asked for, where it is there, else of the service."""
    asked_for = [one for one in view.series if one.series_id == asked.series]
    if asked_for:
        return series_card(tenant, view, asked_for[0], base_url)
    return service_card(tenant, view, base_url)
