"""Who is signed in at one business's own pages for its guests, at `/b/<slug>/me`.

Each business has a cookie of its own, read only where a page asks and never for a page that is the
same for everybody. A session keeps which address was proved: once it is the customer's no longer,
the session is over.
"""

from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response

from src.platform.errors import SignInRequired
from src.platform.i18n import _, set_locale
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.pages import redirect
from src.platform.web.sessions import guest_session_of
from src.tenants.context import RequestContext
from src.tenants.portal_sections import Portal, load_portal_menu
from src.tenants.queries.portal import Proved, find_portal_guest, list_known_as
from src.tenants.views.portal import PortalGuest
from src.tenants.web.middleware import context_of

AnyRequest = Request[Any, Any, Any]


class PortalSignInRequired(SignInRequired):
    """A guest has to show who they are, at this business's own way in."""


__all__ = [
    "KNOWN_ONLY",
    "PortalGuest",
    "PortalSignInRequired",
    "found_guest",
    "has_portal_cookie",
    "open_portal",
    "portal_guest",
    "portal_path",
    "sign_in_guest",
    "sign_out_guest",
    "sign_out_guest_everywhere",
    "to_portal_sign_in",
    "to_sign_in_from",
]
_FOUND = "seatline.portal_guest"


def portal_path(ctx: RequestContext) -> str:
    """The guest's own pages; the same address for everyone."""
    return f"/b/{ctx.here.slug}/me"


def has_portal_cookie(request: AnyRequest, ctx: RequestContext) -> bool:
    """Whether it is worth asking who is signed in; says nothing of whether anybody is."""
    exchange = exchange_of(request.scope)
    return exchange.cookie_named(exchange.kit.cookies.guest(ctx.here.id)) is not None


async def portal_guest(
    request: AnyRequest, services: Services, ctx: RequestContext
) -> PortalGuest | None:
    """Who is signed in at this business, None for everyone else; asked once for a request.

    Nothing is looked up for a browser without the business's cookie. A session whose customer was
    erased, or has another address by now, ends here; one who was merged is who is left.
    Raises: Unavailable when Valkey does not answer.
    """
    kept = cast("dict[str, Any]", request.scope)
    if _FOUND not in kept:
        kept[_FOUND] = await _find(request, services, ctx)
    return cast("PortalGuest | None", kept[_FOUND])


def found_guest(request: AnyRequest) -> PortalGuest | None:
    """Who was found by `portal_guest` in this request; None too where nothing has asked."""
    return cast("PortalGuest | None", cast("dict[str, Any]", request.scope).get(_FOUND))


async def open_portal(request: AnyRequest, services: Services, ctx: RequestContext) -> Portal:
    """The same for what is for them alone, from here on in the language that they chose.

    Raises: PortalSignInRequired, Unavailable.
    """
    guest = await portal_guest(request, services, ctx)
    if guest is None:
        raise PortalSignInRequired(_("Please sign in first."))
    if guest.locale:
        set_locale(guest.locale)
    portal = Portal(guest=guest, tenant=ctx.here, settings=services.settings)
    async with services.uow_factory(ctx.here.id) as uow:
        menu = await load_portal_menu(uow, portal)
    return msgspec.structs.replace(portal, menu=menu)


def to_portal_sign_in(request: AnyRequest, error: PortalSignInRequired) -> Response[Any]:
    """An error renderer: to the business's own way in, and back to where the guest was."""
    ctx = context_of(request)
    back = request.scope["path"] if request.method in {"GET", "HEAD"} else portal_path(ctx)
    return redirect(request, f"{portal_path(ctx)}/sign-in?next={quote(back, safe='/')}")


KNOWN_ONLY = "known"
"""Why somebody is led to the way in: what they looked for is for known customers. It is said to
whoever follows such a link, and tells nothing of what is behind it, nor of any address.
"""


def to_sign_in_from(request: AnyRequest, why: str) -> Response[Any]:
    """To the business's own way in, and back to this very page, which what is asked for with it
    belongs to; a form is looked at again before it is sent. The way in says `why`.
    """
    query = request.scope.get("query_string", b"").decode("ascii", "ignore")
    back = request.scope["path"] + (f"?{query}" if query else "")
    way_in = f"{portal_path(context_of(request))}/sign-in"
    return redirect(request, f"{way_in}?next={quote(back)}&why={why}")


async def _find(request: AnyRequest, services: Services, ctx: RequestContext) -> PortalGuest | None:
    if not has_portal_cookie(request, ctx):
        return None
    session = await guest_session_of(request, ctx.here.id)
    if session.user_id is None or session.get("business") != ctx.here.id.hex:
        return None
    proved = Proved(customer_id=session.user_id, mark=session.get("proved", ""))
    async with services.uow_factory(ctx.here.id) as uow:
        guest = await find_portal_guest(uow, proved)
    if guest is None:
        session.sign_out()
    return guest


async def sign_in_guest(
    request: AnyRequest, services: Services, ctx: RequestContext, proved: Proved
) -> None:
    """From now on this browser is the guest at this business, under a new id."""
    session = await guest_session_of(request, ctx.here.id)
    session.sign_in(proved.customer_id, services.clock.now())
    session.set("business", ctx.here.id.hex)
    session.set("proved", proved.mark)
    cast("dict[str, Any]", request.scope).pop(_FOUND, None)


async def sign_out_guest(request: AnyRequest, ctx: RequestContext) -> None:
    """This browser is nobody at this business; what it is elsewhere stays."""
    (await guest_session_of(request, ctx.here.id)).sign_out()
    cast("dict[str, Any]", request.scope)[_FOUND] = None


async def sign_out_guest_everywhere(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    customer_id: UUID,
    *,
    but_here: bool = False,
) -> int:
    """Ends every session of the customer at this business, and says how many; with `but_here` this
    browser's stays.

    Raises: Unavailable when Valkey does not answer.
    """
    session = await guest_session_of(request, ctx.here.id)
    spared = session.key if but_here else None
    async with services.uow_factory(ctx.here.id) as uow:
        known_as = await list_known_as(uow, customer_id)
    store = exchange_of(request.scope).kit.guest_sessions
    ended = sum([await store.revoke_all(one, except_key=spared) for one in known_as])
    if not but_here:
        await sign_out_guest(request, ctx)
    return ended
