"""What search engines read of a service: schema.org as JSON-LD."""

from typing import Any

import msgspec
from markupsafe import Markup

from src.booking.domain.kinds import SessionMode
from src.booking.queries.on_sale import Joinable, OnSale
from src.booking.queries.on_sale_rows import ServiceRow
from src.platform.money import currency_exponent
from src.tenants.context import TenantSnapshot

MOST_EVENTS = 20
IN_STOCK, SOLD_OUT = "https://schema.org/InStock", "https://schema.org/SoldOut"
ONLINE = "https://schema.org/OnlineEventAttendanceMode"
ON_SITE = "https://schema.org/OfflineEventAttendanceMode"


def describe_service(
    on_sale: OnSale, row: ServiceRow, tenant: TenantSnapshot, base_url: str
) -> Markup:
    """A Course with its series as instances, safe inside of a script element."""
    url = f"{base_url}/b/{tenant.slug}/{row.slug}"
    provider = {"@type": "Organization", "name": tenant.name, "url": f"{base_url}/b/{tenant.slug}"}
    described: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Course",
        "name": row.name,
        "description": row.description or row.name,
        "url": url,
        "provider": provider,
    }
    instances = [
        _instance(offer, row, tenant, url)
        for offer in on_sale.series
        if not offer.is_closed and offer.row.visibility == "public"
    ]
    if instances:
        described["hasCourseInstance"] = instances[:MOST_EVENTS]
    return escaped_json(described)


def escaped_json(value: Any) -> Markup:
    """JSON in which nothing can end the element around it, so that it need not be escaped again."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  # what HTML would read is escaped as JSON does


def _instance(offer: Joinable, row: ServiceRow, tenant: TenantSnapshot, url: str) -> dict[str, Any]:
    held = [run for run in offer.row.runs if run.state == "scheduled"]
    quote = offer.quote
    minor = quote.asked_minor
    exponent = currency_exponent(tenant.currency)
    described: dict[str, Any] = {
        "@type": ["CourseInstance", "EventSeries"],
        "name": f"{row.name}: {offer.row.title}",
        "courseMode": "Online" if row.mode == SessionMode.ONLINE else "Onsite",
        "eventAttendanceMode": ONLINE if row.mode == SessionMode.ONLINE else ON_SITE,
        "startDate": held[0].starts_at.astimezone(tenant.zone).isoformat(),
        "endDate": held[-1].ends_at.astimezone(tenant.zone).isoformat(),
        "offers": {
            "@type": "Offer",
            "price": f"{minor / 10**exponent:.{exponent}f}",
            "priceCurrency": tenant.currency,
            "availability": SOLD_OUT if offer.is_sold_out else IN_STOCK,
            "url": url,
        },
    }
    place = held[0].place
    if place:
        described["location"] = {"@type": "Place", "name": place}
    return described
