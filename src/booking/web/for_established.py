"""What is kept for established customers, on the pages of guests.

Who is not signed in is led to the way in, and from there back to where they were. Who is signed in
and is no such customer reads a page that says so, and how to get in touch.
"""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response

from src.platform.errors import Unavailable
from src.platform.i18n import set_locale
from src.platform.services import Services
from src.platform.web.pages import page, redirect
from src.tenants.context import RequestContext
from src.tenants.errors import EstablishedOnly
from src.tenants.queries.established import is_established
from src.tenants.views.portal import PortalGuest
from src.tenants.web.middleware import context_of
from src.tenants.web.portal import (
    KNOWN_ONLY,
    found_guest,
    has_portal_cookie,
    portal_guest,
    to_sign_in_from,
)

AnyRequest = Request[Any, Any, Any]

PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}


class ForEstablishedView(msgspec.Struct, frozen=True, kw_only=True):
    """`email` is whom they are signed in as."""

    email: str
    business: str
    hub_href: str
    me: str
    contact_email: str
    contact_phone: str


async def look_who_looks(
    request: AnyRequest, services: Services, ctx: RequestContext
) -> PortalGuest | None:
    """Who is signed in, for a page that is there without a session too."""
    if not has_portal_cookie(request, ctx):
        return None
    try:
        return await portal_guest(request, services, ctx)
    except Unavailable:
        return None


async def require_established(
    request: AnyRequest, services: Services, ctx: RequestContext
) -> PortalGuest:
    """Who is signed in and is one, from here on in the language that they chose.

    Raises: EstablishedOnly, Unavailable.
    """
    guest = await portal_guest(request, services, ctx)
    if guest is None:
        raise EstablishedOnly
    if guest.locale:
        set_locale(guest.locale)
    async with services.uow_factory(ctx.here.id) as uow:
        if not await is_established(uow, guest.customer_id):
            raise EstablishedOnly
    return guest


def render_established_only(request: AnyRequest, error: EstablishedOnly) -> Response[Any] | None:
    """An error renderer; the usual answer where it is no page of a guest that was asked for."""
    path = request.scope["path"]
    if not path.startswith("/b/"):
        return None
    guest, ctx = found_guest(request), context_of(request)
    place = request.query_params.get("place", "")
    if guest is None and place:
        # By the link of somebody who waited, whose offer is over: its own page says so.
        return redirect(request, f"/b/{ctx.here.slug}/waitlist/{quote(place, safe='')}")
    if guest is None:
        return to_sign_in_from(request, KNOWN_ONLY)
    tenant, home = ctx.here, f"/b/{ctx.here.slug}"
    view = ForEstablishedView(
        email=guest.email,
        business=tenant.name,
        hub_href=home,
        me=f"{home}/me",
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )
    return page(
        request,
        "booking/guest/for_established.html",
        view,
        status_code=error.status,
        headers=PRIVATE,
    )
