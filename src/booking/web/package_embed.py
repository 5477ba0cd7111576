"""/app/<slug>/packages/embed: what to paste into one's own site to show the packages there."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from markupsafe import escape

from src.booking.queries.guest_packages import get_packages_page
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

AnyRequest = Request[Any, Any, Any]

MAY_SEE = [requires_member(Role.MANAGER)]


class EmbedView(msgspec.Struct, frozen=True, kw_only=True):
    """The text to be copied, and where its frame and the page itself can be looked at. `cards`: how
    many packages are in it at present.
    """

    snippet: str
    frame_url: str
    page_url: str
    packages_href: str
    cards: int


@get("/app/{slug:str}/packages/embed", guards=MAY_SEE, include_in_schema=False)
async def package_embed(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Works without the feature too: what is sold stays to be seen, and the frame is empty then."""
    base, tenant = services.settings.base_url, ctx.here
    async with services.uow_factory(tenant.id) as uow:
        shown = await get_packages_page(uow, tenant, base)
    frame_url = f"{base}/embed/{tenant.slug}/packages"
    view = EmbedView(
        snippet=snippet_of(base, frame_url, _("Packages of %(business)s", business=tenant.name)),
        frame_url=frame_url,
        page_url=shown.url,
        packages_href=f"/app/{tenant.slug}/packages",
        cards=len(shown.cards),
    )
    return page(request, "booking/guest_packages/embed_code.html", view)


def snippet_of(base_url: str, frame_url: str, title: str) -> str:
    """A frame that is high enough without the script too, which then makes it exactly so."""
    return (
        f'<iframe src="{escape(frame_url)}" title="{escape(title)}" data-seatline\n'
        '  style="width:100%;height:640px;border:0" loading="lazy"></iframe>\n'
        f'<script async src="{escape(base_url)}/static/js/embed.js"></script>'
    )


route_handlers: list[Any] = [package_embed]
