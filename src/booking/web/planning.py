"""/b/<slug>/me/week: a guest's own two weeks, and what makes a phone keep them.

A device that installs the page reads the manifest, draws the icon, and lets the worker keep the
plan: docs/algorithms/planning.md says what is kept, and for how long.
"""

from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.booking.app_icon import SIZES, app_icon
from src.booking.domain.planning import FARTHEST_WEEKS, WEEKS, on_their_days, planned_days
from src.booking.queries.planning import find_next_planned, list_planned
from src.booking.views.planning import PlannedDay, PlannedWeek, PlanningView
from src.platform.errors import NotFound
from src.platform.i18n import _, current_locale, first_weekday
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.formats import day_short
from src.platform.web.pages import AnyRequest, page
from src.platform.web.theme import shown_accents
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.portal_sections import Portal, portal_head
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE
from src.tenants.web.theme import theme_href

A_DAY = "public, max-age=86400"
FOR_A_DEVICE = {
    "public": "What a phone asks for when it installs a business's page.",
    "quiet": True,
    "session": False,
    "while_suspended": True,
}
STYLES = ("css/app.css",)
SCRIPTS = ("vendor/htmx-2.0.11.min.js", "js/kit.min.js", "js/planning.js")
FONT = "/static/fonts/figtree-latin.woff2"
WORKER = "js/planning-worker.js"
LONGEST_SHORT_NAME = 12


@get(f"{ME}/week", opt=GUESTS)
async def show_week(
    request: Request[Any, Any, Any],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Two weeks of dates; `weeks` so many later, or earlier. What is no number is this week."""
    portal = await open_portal(request, services, ctx)
    shift = _weeks_of(request.query_params.get("weeks", ""))
    now = services.clock.now()
    view = await _view(services, portal, shift, now)
    headers = {**PRIVATE, "x-made-at": now.isoformat(timespec="seconds")}
    return page(request, "booking/portal/week.html", view, headers=headers)


async def _view(services: Services, portal: Portal, shift: int, now: datetime) -> PlanningView:
    tenant, here = portal.tenant, f"{portal.path}/week"
    today = now.astimezone(tenant.zone).date()
    weeks = planned_days(today, first_weekday(tenant.country), shift)
    start = datetime.combine(weeks[0][0], time(), tenant.zone)
    end = datetime.combine(weeks[-1][-1] + timedelta(days=1), time(), tenant.zone)
    async with services.uow_factory(tenant.id) as uow:
        dates = await list_planned(uow, portal, start, end)
        later = None if dates else await find_next_planned(uow, portal, max(end, now))
    dated = [(one.starts_at.astimezone(tenant.zone).date(), one) for one in dates]
    return PlanningView(
        head=portal_head(portal, "week"),
        weeks=[
            PlannedWeek(
                label=_label(shift + number, f"{day_short(days[0])} – {day_short(days[-1])}"),
                days=[
                    PlannedDay(on=on, is_today=on == today, dates=own)
                    for on, own in on_their_days(days, dated)
                ],
            )
            for number, days in enumerate(weeks)
        ],
        zone=tenant.zone,
        made_at=now,
        earlier_href=_href(here, shift - WEEKS),
        later_href=_href(here, shift + WEEKS),
        now_href=here if shift else None,
        next_date=later,
        hub_href=f"/b/{tenant.slug}",
        worker_href=f"/b/{tenant.slug}/app/worker.js",
        scope=f"/b/{tenant.slug}",
    )


def _href(here: str, shift: int) -> str:
    within = min(max(shift, -FARTHEST_WEEKS), FARTHEST_WEEKS)
    return f"{here}?weeks={within}" if within else here


def _weeks_of(typed: str) -> int:
    digits = typed.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 4):
        return 0
    return min(max(int(typed), -FARTHEST_WEEKS), FARTHEST_WEEKS)


def _label(which: int, span: str) -> str:
    if which == 0:
        return _("This week, %(span)s", span=span)
    return _("Next week, %(span)s", span=span) if which == 1 else span


@get("/b/{slug:str}/app/offline", opt=FOR_A_DEVICE, include_in_schema=False)
async def show_offline(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """What a device shows in place of a page that it cannot have now."""
    return page(request, "booking/guest/offline.html", _week_path(ctx.here))


@get("/b/{slug:str}/app/site.webmanifest", opt=FOR_A_DEVICE, include_in_schema=False)
async def show_manifest(ctx: NamedDependency[RequestContext]) -> Response[bytes]:
    """Name, colour and icon of the installed page, which opens on the guest's own week."""
    tenant = ctx.here
    light, _dark = shown_accents(tenant.brand_color)
    icons = [
        {
            "src": icon_href(tenant, size),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size in SIZES[1:]
        for purpose in ("any", "maskable")
    ]
    manifest = {
        "id": f"/b/{tenant.id}",
        "name": tenant.name,
        "short_name": _short(tenant.name),
        "lang": current_locale(),
        "start_url": _week_path(tenant),
        "scope": f"/b/{tenant.slug}",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": light,
        "icons": icons,
    }
    return Response(
        msgspec.json.encode(manifest),
        media_type="application/manifest+json",
        headers={"cache-control": A_DAY},
    )


@get("/b/{slug:str}/app/icon", opt=FOR_A_DEVICE, include_in_schema=False)
async def show_icon(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """In the `size` asked for. Raises: NotFound for one that nobody was told of."""
    asked = request.query_params.get("size", "")
    size = next((one for one in SIZES if str(one) == asked), None)
    if size is None:
        raise NotFound(_("There is nothing here."))
    drawn = app_icon(ctx.here.name, ctx.here.brand_color, size)
    return Response(drawn, media_type="image/png", headers={"cache-control": A_DAY})


@get("/b/{slug:str}/app/worker.js", opt=FOR_A_DEVICE, include_in_schema=False)
async def show_worker(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """The script, with what it is to keep of this business; browsers look for a new one by
    themselves.
    """
    worker = exchange_of(request.scope).kit.assets.find(WORKER)
    if worker is None:
        raise NotFound(_("There is nothing here."))
    kept = msgspec.json.encode(_kept(request, ctx.here))
    body = b"const KEPT = " + kept + b";\n" + worker.content
    return Response(
        body,
        media_type="text/javascript; charset=utf-8",
        headers={"cache-control": "no-cache", "service-worker-allowed": f"/b/{ctx.here.slug}"},
    )


def _kept(request: AnyRequest, tenant: TenantSnapshot) -> dict[str, Any]:
    """A new version of any file makes a new shell; the plan outlives it."""
    assets = exchange_of(request.scope).kit.assets
    files = [*(assets.url(path) for path in (*STYLES, *SCRIPTS)), FONT, theme_href(tenant)]
    prefix = f"seatline-{tenant.id.hex}-"
    version = sha256("\n".join([*files, tenant.name]).encode()).hexdigest()[:12]
    me = f"/b/{tenant.slug}/me"
    return {
        "prefix": prefix,
        "shell": f"{prefix}shell-{version}",
        "own": f"{prefix}own",
        "home": f"/b/{tenant.slug}",
        "week": f"{me}/week",
        "signOut": f"{me}/sign-out",
        "offline": f"/b/{tenant.slug}/app/offline",
        "assets": files,
    }


def icon_href(tenant: TenantSnapshot, size: int) -> str:
    return f"/b/{tenant.slug}/app/icon?size={size}"


def _week_path(tenant: TenantSnapshot) -> str:
    return f"/b/{tenant.slug}/me/week"


def _short(name: str) -> str:
    """What fits below an icon: the first words that do, or as much of the first as does."""
    if len(name) <= LONGEST_SHORT_NAME:
        return name
    words = name.split()
    short = words[0]
    for word in words[1:]:
        if len(short) + 1 + len(word) > LONGEST_SHORT_NAME:
            break
        short = f"{short} {word}"
    return short[:LONGEST_SHORT_NAME]


route_handlers: list[Any] = [show_week, show_offline, show_manifest, show_icon, show_worker]
