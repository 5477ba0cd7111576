"""Who asks, and in which business: worked out once, before guard and handler.

A person is found by the session, a program by its API key, a business by the path's `slug` or the
key's tenant; both people and businesses come in one statement. What came out is in the scope:
`context_of` and `person_of` read it, handlers take `ctx: NamedDependency[RequestContext]`.

The pages of guests (below /b) and handlers with `opt={"session": False}` never look for a session,
so that the busiest pages ask nothing but the directory.
"""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from src.platform.errors import NotAllowed, NotFound
from src.platform.i18n import _, set_locale
from src.platform.services import Services
from src.platform.web.cookies import header_of
from src.platform.web.errors import wants_json
from src.platform.web.exchange import exchange_of
from src.platform.web.pages import html_response, page
from src.platform.web.sessions import session_of
from src.tenants.commands.api_keys import authenticate_api_key
from src.tenants.context import GUEST, Actor, RequestContext, TenantSnapshot
from src.tenants.domain.roles import Role, TenantStatus
from src.tenants.gates import price_list, read_price_list
from src.tenants.queries.members import find_person
from src.tenants.queries.tenants import Place, find_place
from src.tenants.views.people import Person

CONTEXT_KEY = "seatline.context"
PERSON_KEY = "seatline.person"
GUEST_PATH = "/b/"
PROGRAM_PATHS = ("/api/",)
REDIRECTED_FOR_GOOD, REDIRECTED_WITH_ITS_BODY = 301, 308
FORBIDDEN, GONE = 403, 410

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]


class ClosedView(msgspec.Struct, frozen=True, kw_only=True):
    """A business that nobody can reach at present."""

    name: str
    contact: str
    is_closed: bool
    is_for_staff: bool
    platform_contact: str


def context_of(connection: AnyConnection) -> RequestContext:
    """The caller's context of any request that the middleware has seen."""
    return cast("RequestContext", cast("dict[str, Any]", connection.scope)[CONTEXT_KEY])


def has_context(connection: AnyConnection) -> bool:
    """False for an address that no route has, which the middleware never sees."""
    return CONTEXT_KEY in connection.scope


def person_of(connection: AnyConnection) -> Person | None:
    """The signed-in user with name, address and businesses, None for anyone else."""
    return cast("Person | None", cast("dict[str, Any]", connection.scope).get(PERSON_KEY))


def provide_context(request: AnyRequest) -> RequestContext:
    """The dependency `ctx`."""
    return context_of(request)


class ContextMiddleware(ASGIMiddleware):
    """Puts the RequestContext into the scope, or answers itself: moved, closed, not there.

    Raises: NotFound for a slug that no business has or had; SignInRequired for a wrong API key.
    """

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "static"

    def __init__(self, services: Services) -> None:
        self._uow_factory = services.uow_factory
        self._clock = services.clock
        self._contact = parseaddr(services.settings.mail_from)[1]

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: AnyRequest = scope["litestar_app"].request_class(scope, receive, send)
        keep(scope, RequestContext(actor=GUEST, request_id=exchange_of(scope).request_id), None)
        answer = await self._resolve(request)
        if answer is None:
            await next_app(scope, receive, send)
            return
        respond = answer.to_asgi_response(app=None, request=request)
        await respond(scope, receive, send)

    async def _resolve(self, request: AnyRequest) -> Response[bytes] | None:
        path = request.scope["path"]
        if path.startswith(PROGRAM_PATHS):
            await self._resolve_program(request)
            return None
        slug = request.scope["path_params"].get("slug")
        user_id = await self._signed_in(request, path)
        if slug is None:
            await self._resolve_person(request, user_id)
            return None
        await self._keep_price_list()
        place = await self._place(str(slug), user_id)
        if place.person is not None and await _has_ended(request, place.person):
            place = msgspec.structs.replace(place, person=None)
        self._enter(request.scope, place)
        return _moved(request, str(slug), place.tenant.slug) or _closed(
            request, place.tenant, self._contact
        )

    async def _signed_in(self, request: AnyRequest, path: str) -> UUID | None:
        handler = cast("dict[str, Any]", request.scope)["route_handler"]
        if path.startswith(GUEST_PATH) or handler.opt.get("session") is False:
            return None
        return (await session_of(request)).user_id

    async def _place(self, slug: str, user_id: UUID | None) -> Place:
        async with self._uow_factory(None) as uow:
            place = await find_place(uow, slug.lower(), user_id)
        if place is None:
            raise NotFound(_("There is no business at this address. Please check the spelling."))
        return place

    async def _keep_price_list(self) -> None:
        """Lets refusals name a plan and its price without a query of their own."""
        if price_list.is_stale(self._clock.now()):
            async with self._uow_factory(None) as uow:
                await read_price_list(uow)

    def _enter(self, scope: Scope, place: Place) -> None:
        person, tenant = place.person, place.tenant
        role = person.role_in(tenant.id) if person is not None else None
        actor = _actor(person, role)
        request_id = exchange_of(scope).request_id
        keep(scope, RequestContext(actor=actor, tenant=tenant, request_id=request_id), person)
        bind_contextvars(tenant_id=str(tenant.id))
        set_locale(person.locale if person is not None else tenant.locale)

    async def _resolve_person(self, request: AnyRequest, user_id: UUID | None) -> None:
        if user_id is None:
            return
        async with self._uow_factory(None) as uow:
            person = await find_person(uow, user_id)
        if person is not None and not await _has_ended(request, person):
            request_id = exchange_of(request.scope).request_id
            context = RequestContext(actor=_actor(person, None), request_id=request_id)
            keep(request.scope, context, person)
            set_locale(person.locale)

    async def _resolve_program(self, request: AnyRequest) -> None:
        presented = bearer_of(request.scope)
        if presented is None:
            return
        scope = request.scope
        await self._keep_price_list()
        caller = await authenticate_api_key(self._uow_factory, presented, self._clock.now())
        if not caller.tenant.status.is_seen:
            raise NotAllowed(_("This business is not available at present."))
        request_id = exchange_of(scope).request_id
        context = RequestContext(actor=caller.actor, tenant=caller.tenant, request_id=request_id)
        keep(scope, context, None)
        bind_contextvars(tenant_id=str(caller.tenant.id))
        set_locale(caller.tenant.locale)


async def _has_ended(request: AnyRequest, person: Person) -> bool:
    """Whether the session is from before what ended all of the person's; it is left then."""
    session = await session_of(request)
    if not person.has_ended(session.record.created_at):
        return False
    session.sign_out()
    return True


def keep(scope: Scope, context: RequestContext, person: Person | None) -> None:
    """Writes what was found into the scope."""
    found = cast("dict[str, Any]", scope)
    found[CONTEXT_KEY], found[PERSON_KEY] = context, person


def bearer_of(scope: Scope) -> str | None:
    """What an `Authorization: Bearer` header presents, None without one."""
    scheme, _blank, presented = header_of(scope, b"authorization").partition(" ")
    return presented.strip() or None if scheme.lower() == "bearer" else None


def _actor(person: Person | None, role: Role | None) -> Actor:
    if person is None:
        return GUEST
    return Actor(
        kind="user",
        user_id=person.user_id,
        name=person.name,
        role=role,
        is_platform_admin=person.is_platform_admin,
    )


def _moved(request: AnyRequest, asked: str, current: str) -> Response[bytes] | None:
    """From a slug that the business has left (or typed in capitals) to the one it has.

    Never stored by the browser: a business may go back to an old slug. The path came decoded and is
    quoted anew: whatever it holds stays inside the one header.
    """
    if asked == current:
        return None
    path = quote(
        request.scope["path"].replace(f"/{asked}", f"/{current}", 1), safe="/:@!$&'()*+,;="
    )
    query = request.scope["query_string"].decode("latin-1")
    is_plain = request.method in {"GET", "HEAD"}
    headers: Mapping[str, str] = {
        "location": path + (f"?{query}" if query else ""),
        "cache-control": "no-store",
    }
    return html_response(
        b"", REDIRECTED_FOR_GOOD if is_plain else REDIRECTED_WITH_ITS_BODY, headers
    )


def _closed(
    request: AnyRequest, tenant: TenantSnapshot, platform_contact: str
) -> Response[bytes] | None:
    """A calm page in place of everything, for a business that is suspended or closed.

    While it is suspended, guests still reach what they have booked, and can leave it; they cannot
    pay for what they only hold.
    """
    if tenant.status.is_seen:
        return None
    handler = cast("dict[str, Any]", request.scope)["route_handler"]
    if tenant.status is TenantStatus.SUSPENDED and handler.opt.get("while_suspended"):
        return None
    if wants_json(request):
        raise NotAllowed(_("This business is not available at present."))
    view = ClosedView(
        name=tenant.name,
        contact=tenant.contact_email,
        platform_contact=platform_contact,
        is_closed=tenant.status is TenantStatus.CLOSED,
        is_for_staff=context_of(request).actor.role is not None,
    )
    headers = {"cache-control": "no-store"}
    return page(
        request,
        "tenants/closed.html",
        view,
        status_code=410 if view.is_closed else 403,
        headers=headers,
    )
