"""/b/<slug>/me: the way into a guest's own pages, by a code or a link sent to their address.

Answers never tell whose addresses are known. A code works in the browser that asked for it, a link
in any; looking at a link changes nothing, for mail programs follow links by themselves.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from src.platform.errors import Gone, TooManyRequests
from src.platform.i18n import _, ngettext
from src.platform.ratelimit import Limit, Outage
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.forms import Bound, Email, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect, safe_next
from src.platform.web.security import client_address
from src.tenants.commands.customers import normalise_email
from src.tenants.commands.portal import (
    NotEntered,
    ask_for_code,
    enter_by_code,
    enter_by_link,
    is_open_link,
)
from src.tenants.context import RequestContext
from src.tenants.domain.portal import CODE_LIFETIME, looks_like_code
from src.tenants.portal_links import Asked, portal_link_behind, read_asked, sign_asked
from src.tenants.queries.portal import Proved, find_portal_guest
from src.tenants.web.portal import (
    KNOWN_ONLY,
    AnyRequest,
    open_portal,
    portal_guest,
    portal_path,
    sign_in_guest,
    sign_out_guest,
    sign_out_guest_everywhere,
)

ME = "/b/{slug:str}/me"
WAY_IN = {
    "public": "The way in is for whoever is not signed in yet.",
    "while_suspended": True,
}
BY_LINK = {
    "public": "The signed link in the mail is the key, once.",
    "while_suspended": True,
}
GUESTS = {
    "public": "The business's own cookie says whose pages they are.",
    "while_suspended": True,
}
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
LONGEST_NEXT = 400

MAILS_BY_SENDER = Limit("portal-mails-sender", 30, 15 * 60, Outage.COUNT_HERE)
MAILS_BY_ADDRESS = Limit("portal-mails-address", 5, 15 * 60, Outage.COUNT_HERE)
MAILS_A_DAY = Limit("portal-mails-day", 20, 24 * 60 * 60, Outage.COUNT_HERE)
TRIES_BY_SENDER = Limit("portal-tries-sender", 60, 15 * 60, Outage.COUNT_HERE)
TRIES_BY_ADDRESS = Limit("portal-tries-address", 20, 24 * 60 * 60, Outage.COUNT_HERE)
"""Of a million codes: who guesses at somebody's for a year has tried less than one in a hundred."""


class AddressForm(msgspec.Struct):
    email: Email
    next: str = ""
    why: str = ""


class CodeForm(msgspec.Struct):
    code: Annotated[str, Meta(min_length=1, max_length=40)]


class WayInView(msgspec.Struct, frozen=True, kw_only=True):
    """A page on the way in. `email` is the address that was typed, or that the link proves;
    `instead_of` who is signed in in this browser and would be no more. `is_known_only`: what they
    come for is for known customers; `comes_back`: they came from a page outside their own ones, and
    go on there.
    """

    form: Any
    me: str
    business: str
    email: str = ""
    next: str = ""
    minutes: int = int(CODE_LIFETIME.total_seconds()) // 60
    action: str = ""
    instead_of: str = ""
    is_known_only: bool = False
    comes_back: bool = False


@get(f"{ME}/sign-in", opt=WAY_IN, include_in_schema=False)
async def show_way_in(
    request: Request[Any, Any, Any],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
    next: FromQuery[str] = "",  # noqa: A002  the parameter's name
    why: FromQuery[str] = "",
) -> Response[bytes]:
    """Asks for the address; the one that this browser has asked for stands there again."""
    if await portal_guest(request, services, ctx) is not None:
        return redirect(request, _next(ctx, next))
    asked = _asked(request, services, ctx)
    known = {"email": asked.email if asked is not None else "", "next": _next(ctx, next)}
    known["why"] = why
    return _address_page(request, ctx, blank(AddressForm, known))


@post(f"{ME}/sign-in", opt=WAY_IN, status_code=200, include_in_schema=False)
async def send_code(
    request: Request[Any, Any, Any],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The same answer, after the same work, whether or not the address is a customer's."""
    form = bind(AddressForm, await read_form(request))
    if form.struct is None:
        return _address_page(request, ctx, form, 422)
    email = normalise_email(form.struct.email)
    try:
        await _limit_mails(request, services, ctx, email)
    except TooManyRequests as refusal:
        return _address_page(request, ctx, form.with_errors(form_error=refusal.message), 429)
    before = _asked(request, services, ctx)
    is_same = before is not None and before.email == email
    async with services.uow_factory(ctx.here.id) as uow:
        code_id = await ask_for_code(uow, email, before.code_id if before and is_same else None)
    asked = Asked(code_id=code_id, email=email, next=_next(ctx, form.struct.next))
    _remember(request, services, ctx, asked)
    return redirect(request, f"{portal_path(ctx)}/code")


@get(f"{ME}/code", opt=WAY_IN, include_in_schema=False)
async def show_code_form(
    request: Request[Any, Any, Any],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    asked = _asked(request, services, ctx)
    if asked is None:
        return redirect(request, f"{portal_path(ctx)}/sign-in")
    return _code_page(request, ctx, asked, blank(CodeForm))


@post(f"{ME}/code", opt=WAY_IN, status_code=200, include_in_schema=False)
async def enter_code(
    request: Request[Any, Any, Any],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Where no session can be kept, no code is looked at: it would be used up for nothing. What is
    plainly none is no try.
    """
    asked = _asked(request, services, ctx)
    if asked is None:
        return _over(request, ctx)
    form = bind(CodeForm, await read_form(request))
    if form.struct is None:
        return _code_page(request, ctx, asked, form, 422)
    if not looks_like_code(form.struct.code):
        said = _("A code has six digits. Please look into the mail again.")
        return _code_page(request, ctx, asked, form.with_errors({"code": said}), 422)
    refusal = await _slow_down(request, services, ctx, asked.email)
    if refusal:
        return _code_page(request, ctx, asked, form.with_errors({"code": refusal}), 429)
    await exchange_of(request.scope).kit.guest_sessions.check_reachable()
    secrets = services.settings.secret_keys
    async with services.uow_factory(ctx.here.id) as uow:
        found = await enter_by_code(uow, secrets, asked.code_id, asked.email, form.struct.code)
    if isinstance(found, Proved):
        await services.limiter.forget(TRIES_BY_ADDRESS, f"{ctx.here.id}:{asked.email}")
        return await _enter(request, services, ctx, found, asked.next)
    if not found.tries_left:
        return _over(request, ctx, said=_too_many() if found.too_many else "")
    return _code_page(request, ctx, asked, form.with_errors({"code": _wrong(found)}), 422)


@get(f"{ME}/link/{{way_in:str}}", opt=BY_LINK, include_in_schema=False)
async def show_link(
    request: Request[Any, Any, Any],
    way_in: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """A button, and whose pages it opens: nobody is led into another's without seeing it."""
    signed_in = await portal_guest(request, services, ctx)
    try:
        link = portal_link_behind(services.settings, way_in, ctx.here.id, services.clock.now())
        async with services.uow_factory(ctx.here.id) as uow:
            guest = await find_portal_guest(uow, link.proved)
            if guest is None or not await is_open_link(uow, link):
                return _over(request, ctx, is_in=signed_in is not None)
    except Gone:
        return _over(request, ctx, is_in=signed_in is not None)
    other = signed_in is not None and signed_in.customer_id != guest.customer_id
    view = WayInView(
        form=None,
        me=portal_path(ctx),
        business=ctx.here.name,
        email=guest.email,
        action=f"{portal_path(ctx)}/link/{way_in}",
        instead_of=signed_in.email if signed_in is not None and other else "",
    )
    return page(request, "tenants/portal/link.html", view, headers=PRIVATE)


@post(f"{ME}/link/{{way_in:str}}", opt=BY_LINK, status_code=200, include_in_schema=False)
async def enter_link(
    request: Request[Any, Any, Any],
    way_in: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    await exchange_of(request.scope).kit.guest_sessions.check_reachable()
    asked = _asked(request, services, ctx)
    try:
        link = portal_link_behind(services.settings, way_in, ctx.here.id, services.clock.now())
        async with services.uow_factory(ctx.here.id) as uow:
            proved = await enter_by_link(uow, link)
    except Gone:
        return _over(request, ctx, is_in=await portal_guest(request, services, ctx) is not None)
    is_own = asked is not None and asked.code_id == link.code_id
    return await _enter(request, services, ctx, proved, asked.next if asked and is_own else "")


@post(f"{ME}/sign-out", opt=GUESTS, status_code=200, include_in_schema=False)
async def sign_out_here(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """On to where the form says, within the business; else to its way in."""
    wanted = (await read_form(request)).texts.get("next", [""])[-1]
    await sign_out_guest(request, ctx)
    flash(request, "success", _("You are signed out."))
    return redirect(request, _next(ctx, wanted or f"{portal_path(ctx)}/sign-in"))


@post(f"{ME}/sign-out/everywhere", opt=GUESTS, status_code=200, include_in_schema=False)
async def sign_out_all(
    request: Request[Any, Any, Any],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    await sign_out_guest_everywhere(request, services, ctx, portal.guest.customer_id)
    flash(request, "success", _("You are signed out on every device."))
    return redirect(request, f"{portal_path(ctx)}/sign-in")


async def _enter(
    request: AnyRequest, services: Services, ctx: RequestContext, proved: Proved, then: str
) -> Response[bytes]:
    await sign_in_guest(request, services, ctx, proved)
    _forget(request, ctx)
    return redirect(request, _next(ctx, then))


async def _limit_mails(
    request: AnyRequest, services: Services, ctx: RequestContext, email: str
) -> None:
    """By sender everywhere, by address here, known or not. Raises: TooManyRequests."""
    limiter, whose = services.limiter, f"{ctx.here.id}:{email}"
    await limiter.check(MAILS_BY_SENDER, client_address(request.scope))
    await limiter.check(MAILS_BY_ADDRESS, whose)
    await limiter.check(MAILS_A_DAY, whose)


async def _slow_down(
    request: AnyRequest, services: Services, ctx: RequestContext, email: str
) -> str | None:
    """The sentence for who has tried too many codes. The link in the mail still opens: whoever
    tries codes for somebody else keeps nobody out.
    """
    try:
        await services.limiter.check(TRIES_BY_SENDER, client_address(request.scope))
    except TooManyRequests as refusal:
        return refusal.message
    try:
        await services.limiter.check(TRIES_BY_ADDRESS, f"{ctx.here.id}:{email}")
    except TooManyRequests:
        return _("Too many codes were tried for this address. Please open the link in the mail.")
    return None


def _wrong(found: NotEntered) -> str:
    return ngettext(
        "This is not the code. You can try %(num)s more time.",
        "This is not the code. You can try %(num)s more times.",
        found.tries_left,
    )


def _too_many() -> str:
    return _("Too many wrong codes were typed. Please ask for a new one.")


def _over(
    request: AnyRequest, ctx: RequestContext, *, is_in: bool = False, said: str = ""
) -> Response[bytes]:
    """What was used, or is too old, unless it is `said`; who is in already, as after a second tap,
    goes on.
    """
    if is_in:
        return redirect(request, portal_path(ctx))
    _forget(request, ctx)
    over = _("This code or link was used already, or is too old. Please ask for a new one.")
    flash(request, "warning", said or over)
    return redirect(request, f"{portal_path(ctx)}/sign-in")


def _next(ctx: RequestContext, wanted: str) -> str:
    """Within the business's own pages; the guest's own where nothing else makes sense."""
    home = f"/b/{ctx.here.slug}"
    path = safe_next(wanted[:LONGEST_NEXT], "") if len(wanted) <= LONGEST_NEXT else ""
    return path if path == home or path.startswith((f"{home}/", f"{home}?")) else f"{home}/me"


def _asked(request: AnyRequest, services: Services, ctx: RequestContext) -> Asked | None:
    exchange = exchange_of(request.scope)
    token = exchange.cookie_named(exchange.kit.cookies.code(ctx.here.id))
    return read_asked(services.settings, token, ctx.here.id, services.clock.now())


def _remember(request: AnyRequest, services: Services, ctx: RequestContext, asked: Asked) -> None:
    exchange, now = exchange_of(request.scope), services.clock.now()
    name = exchange.kit.cookies.code(ctx.here.id)
    token = sign_asked(services.settings, ctx.here.id, asked, now)
    age = int(CODE_LIFETIME.total_seconds())
    exchange.cookies_to_write.append(exchange.kit.cookies.written(name, token, age))


def _forget(request: AnyRequest, ctx: RequestContext) -> None:
    exchange = exchange_of(request.scope)
    name = exchange.kit.cookies.code(ctx.here.id)
    if exchange.cookie_named(name) is not None:
        exchange.cookies_to_write.append(exchange.kit.cookies.expired(name))


def _address_page(
    request: AnyRequest, ctx: RequestContext, form: Bound[AddressForm], status: int = 200
) -> Response[bytes]:
    is_known_only = form.value("why") == KNOWN_ONLY
    then = _next(ctx, form.value("next"))
    view = WayInView(
        form=form,
        me=portal_path(ctx),
        business=ctx.here.name,
        is_known_only=is_known_only,
        comes_back=bool(then) and not then.startswith(portal_path(ctx)),
    )
    template = "tenants/portal/sign_in.html"
    asked = [("next", then)]
    if is_known_only:
        asked.append(("why", KNOWN_ONLY))
    return page(request, template, view, status_code=status, headers=PRIVATE, again_with=asked)


def _code_page(
    request: AnyRequest,
    ctx: RequestContext,
    asked: Asked,
    form: Bound[CodeForm],
    status: int = 200,
) -> Response[bytes]:
    view = WayInView(
        form=form, me=portal_path(ctx), business=ctx.here.name, email=asked.email, next=asked.next
    )
    template = "tenants/portal/code.html"
    return page(request, template, view, status_code=status, headers=PRIVATE)


route_handlers: list[Any] = [
    show_way_in,
    send_code,
    show_code_form,
    enter_code,
    show_link,
    enter_link,
    sign_out_here,
    sign_out_all,
]
