"""The front page of a business.

A page that everybody is shown alike is kept for `FRESH_SECONDS` in this process, compressed. It is
found by tenant, language and what was asked for, and only used while the tenant's own row, which
every request reads, is what it was made from: a paused business, a lost plan or a new name show at
once. What may be a second old are seats and dates; both are judged again when a guest books. Who is
signed in is shown a page of their own: what they have just published is on it.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.booking.queries.dates import Wanted
from src.booking.queries.hub import get_hub
from src.booking.web.page_cache import PageCache
from src.booking.web.share_cards import hub_card
from src.platform.i18n import current_locale
from src.platform.services import Services
from src.platform.web.pages import cacheable_page, may_be_cached, page
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

FRESH = timedelta(seconds=1)
LONGEST_SEARCH = 60
PUBLIC = {"public": "Guests see what a business offers without signing in."}

hub_pages = PageCache(fresh=FRESH)


@get("/b/{slug:str}", opt=PUBLIC)
async def hub_page(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What the business offers; `month`, `service`, `performer`, `weekday` narrow the dates, `q`
    and `tag` all of it. What somebody typed is no page that others ask for.
    """
    now, wanted = services.clock.now(), wanted_of(request)
    if wanted.words is not None or not may_be_cached(request):
        return page(request, "booking/guest/hub.html", await _view(services, ctx, wanted, now))

    async def make() -> Any:
        view = await _view(services, ctx, wanted, now)
        return cacheable_page(request, "booking/guest/hub.html", view)

    key = (ctx.here.id, current_locale(), wanted)
    return (await hub_pages.get(key, ctx.here, now, make)).respond(request)


async def _view(services: Services, ctx: RequestContext, wanted: Wanted, now: datetime) -> Any:
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_hub(uow, ctx.here, wanted, now, services.settings.base_url)
    return msgspec.structs.replace(view, card=hub_card(ctx.here, view, services.settings.base_url))


def wanted_of(request: AnyRequest) -> Wanted:
    """The wishes in the address; what makes no sense is no wish."""
    query = request.query_params
    return Wanted(
        month=_month(query.get("month", "")),
        service=uuid_of(query.get("service", "")),
        performer=uuid_of(query.get("performer", "")),
        weekday=_weekday(query.get("weekday", "")),
        after=uuid_of(query.get("after", "")),
        words=_words(query.get("q", "")),
        tag=_words(query.get("tag", "").lower()),
    )


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _words(text: str) -> str | None:
    return " ".join(text.split())[:LONGEST_SEARCH].strip() or None


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _weekday(text: str) -> int | None:
    return int(text) if text in {"1", "2", "3", "4", "5", "6", "7"} else None


route_handlers: list[Any] = [hub_page]
