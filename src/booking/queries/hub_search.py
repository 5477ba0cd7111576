"""Finding one's way on a hub with much on it: by words and by tags."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from src.booking.queries.dates import Wanted
from src.booking.queries.on_sale import OnSale
from src.booking.queries.on_sale_rows import AppointmentRow, ServiceRow
from src.booking.views.hub import Search, TagLink

MANY_SERVICES = 9
MOST_TAGS = 24


def found_services(on_sale: OnSale, wanted: Wanted) -> list[ServiceRow]:
    """The services that have the tag, and every word in what is said of them or their series."""
    titles: dict[UUID, list[str]] = {}
    for offer in on_sale.series:
        titles.setdefault(offer.row.service_id, []).append(offer.row.title)
    return [row for row in on_sale.services if _fits(row, wanted, titles.get(row.id, ()))]


def found_appointments(on_sale: OnSale, wanted: Wanted) -> list[AppointmentRow]:
    """The same of services by appointment; all of them where nothing is searched for."""
    return [row for row in on_sale.appointments if _fits(row, wanted, ())]


def _fits(row: ServiceRow | AppointmentRow, wanted: Wanted, titles: Sequence[str]) -> bool:
    if wanted.tag is not None and wanted.tag not in row.tags:
        return False
    words = _plain(wanted.words or "").split()
    said = _plain(" ".join((row.name, row.description, *row.tags, *titles))) if words else ""
    return all(word in said for word in words)


def search_of(on_sale: OnSale, wanted: Wanted, path: str) -> Search | None:
    """None where there is little to search in; tags only where there are several."""
    every: list[ServiceRow | AppointmentRow] = [*on_sale.services, *on_sale.appointments]
    counted = Counter(tag for row in every for tag in row.tags)
    tags = sorted(tag for tag, _count in counted.most_common(MOST_TAGS))
    is_long = len(every) >= MANY_SERVICES
    if not is_long and len(tags) < 2 and not wanted.is_searched:
        return None
    return Search(
        words=wanted.words or "",
        tag=wanted.tag or "",
        has_words=is_long or wanted.words is not None,
        tags=[_link(tag, wanted, path) for tag in tags] if len(tags) > 1 else [],
        is_active=wanted.is_searched,
    )


def _link(tag: str, wanted: Wanted, path: str) -> TagLink:
    """The chosen one's link takes it off again."""
    is_chosen = tag == wanted.tag
    parts = {"q": wanted.words, "tag": None if is_chosen else tag}
    query = urlencode({name: value for name, value in parts.items() if value})
    href = f"{path}?{query}#services" if query else f"{path}#services"
    return TagLink(label=tag, href=href, is_chosen=is_chosen)


def _plain(text: str) -> str:
    """Small letters without accents: who types "zurich" finds Zürich."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in letters if not unicodedata.combining(one))
