"""/app/<slug>/.../link: the way to an offering, to be sent, printed and put into other sites."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import escape

from src.booking.domain.service_rules import slug_for
from src.booking.qr_codes import PRINTED_SCALE, qr_png, qr_svg
from src.booking.queries.collections import list_collections, list_offerable
from src.booking.queries.offering_links import (
    get_collection_link,
    get_hub_link,
    get_package_link,
    get_packages_link,
    get_series_link,
    get_service_link,
)
from src.booking.views.offering_links import OfferingLink
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

AnyRequest = Request[Any, Any, Any]
MAY_SEE = [requires_member(Role.MANAGER)]
HOME = "/app/{slug:str}"
KINDS = {"svg": "image/svg+xml", "png": "image/png"}
Find = Callable[[UnitOfWork], Awaitable[OfferingLink]]


class OtherLinks(msgspec.Struct, frozen=True, kw_only=True):
    """What else can be linked to, by kind: name, and the page with its link."""

    title: str
    rows: list[tuple[str, str]]


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """`url` and `frame_url` are whole addresses; `code_href` gives the QR code with `svg` or `png`
    behind it. `snippet` is the code for another site. `others` only for the business's own page.
    """

    link: OfferingLink
    url: str
    frame_url: str
    snippet: str
    code_href: str
    crumbs: Sequence[tuple[str, str]]
    others: Sequence[OtherLinks] = ()


@get(HOME + "/link", guards=MAY_SEE, include_in_schema=False)
async def show_hub_link(
    request: AnyRequest, ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> Response[bytes]:
    """The whole booking page, and the way to the link of each thing on it."""
    async with services.uow_factory(ctx.here.id) as uow:
        link = await get_hub_link(uow, ctx.here)
        others = await _others(uow, _base(ctx))
    return _answer(request, services, ctx, link, "/link", others)


@get(HOME + "/packages/embed", guards=MAY_SEE, include_in_schema=False)
async def show_packages_link(
    request: AnyRequest, ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> Response[bytes]:
    """Of all packages. Works without the feature too: what is sold stays to be seen."""
    return await _show(
        request, services, ctx, lambda uow: get_packages_link(uow, ctx.here), "/packages/embed"
    )


@get(HOME + "/services/{service_id:uuid}/link", guards=MAY_SEE, include_in_schema=False)
async def show_service_link(
    request: AnyRequest,
    service_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    return await _show(
        request,
        services,
        ctx,
        lambda uow: get_service_link(uow, ctx.here, service_id),
        f"/services/{service_id}/link",
    )


@get(HOME + "/series/{series_id:uuid}/link", guards=MAY_SEE, include_in_schema=False)
async def show_series_link(
    request: AnyRequest,
    series_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    return await _show(
        request,
        services,
        ctx,
        lambda uow: get_series_link(uow, ctx.here, series_id),
        f"/series/{series_id}/link",
    )


@get(HOME + "/packages/{package_id:uuid}/link", guards=MAY_SEE, include_in_schema=False)
async def show_package_link(
    request: AnyRequest,
    package_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    return await _show(
        request,
        services,
        ctx,
        lambda uow: get_package_link(uow, ctx.here, package_id),
        f"/packages/{package_id}/link",
    )


@get(HOME + "/collections/{collection_id:uuid}/link", guards=MAY_SEE, include_in_schema=False)
async def show_collection_link(
    request: AnyRequest,
    collection_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    return await _show(
        request,
        services,
        ctx,
        lambda uow: get_collection_link(uow, ctx.here, collection_id),
        f"/collections/{collection_id}/link",
    )


def snippet_of(base_url: str, frame_url: str, title: str) -> str:
    """A frame that is high enough without the script too, which then makes it exactly so."""
    return (
        f'<iframe src="{escape(frame_url)}" title="{escape(title)}" data-seatline\n'
        '  style="width:100%;height:640px;border:0" loading="lazy"></iframe>\n'
        f'<script async src="{escape(base_url)}/static/js/embed.js"></script>'
    )


async def _show(
    request: AnyRequest, services: Services, ctx: RequestContext, find: Find, here: str
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        link = await find(uow)
    return _answer(request, services, ctx, link, here)


def _answer(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    link: OfferingLink,
    here: str,
    others: Sequence[OtherLinks] = (),
) -> Response[bytes]:
    """The page, or with `code` the QR code of its link as a picture of that kind."""
    base, base_url = _base(ctx), services.settings.base_url
    kind = request.query_params.get("code", "")
    if kind in KINDS:
        return _code(base_url + link.path, kind, link)
    business = ctx.here.name
    is_hub = link.path == f"/b/{ctx.here.slug}"
    title = link.name if is_hub else f"{link.name} – {business}"
    view = LinkView(
        link=link,
        url=base_url + link.path,
        frame_url=base_url + link.frame,
        snippet=snippet_of(base_url, base_url + link.frame, title),
        code_href=f"{base}{here}?code=",
        crumbs=[(_("Services") if is_hub else link.name, f"{base}/{link.home}")],
        others=others,
    )
    return page(request, "booking/link.html", view)


def _code(url: str, kind: str, link: OfferingLink) -> Response[bytes]:
    """Named after what it leads to, where a browser keeps it as a file: a series not as its service
    is, or the one's poster gets the other's code.
    """
    drawn = qr_svg(url) if kind == "svg" else qr_png(url, PRINTED_SCALE)
    page_path, _mark, query = link.path.partition("?")
    words = page_path.strip("/").removeprefix("b/").replace("/", "-")
    if query:
        words = f"{words}-{slug_for(link.name.rpartition(' · ')[2])}"
    named = f'inline; filename="{words}-qr.{kind}"'
    headers = {"content-disposition": named, "cache-control": "private, no-store"}
    return Response(drawn, media_type=KINDS[kind], headers=headers)


async def _others(uow: UnitOfWork, base: str) -> list[OtherLinks]:
    """All else that has a link: series only while they have dates to come."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for choice in await list_offerable(uow, only_current=True):
        pages = {"service": "services", "series": "series", "package": "packages"}
        href = f"{base}/{pages[choice.thing.kind]}/{choice.thing.id}/link"
        name = f"{choice.name} ({choice.note})" if choice.note else choice.name
        groups.setdefault(choice.group, []).append((name, href))
    for row in await list_collections(uow):
        href = f"{base}/collections/{row.id}/link"
        groups.setdefault(_("Collections"), []).append((row.title, href))
    if _("Packages") in groups:
        groups[_("Packages")].insert(0, (_("All packages on sale"), f"{base}/packages/embed"))
    return [OtherLinks(title=title, rows=rows) for title, rows in groups.items()]


def _base(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


route_handlers: list[Any] = [
    show_hub_link,
    show_packages_link,
    show_service_link,
    show_series_link,
    show_package_link,
    show_collection_link,
]
