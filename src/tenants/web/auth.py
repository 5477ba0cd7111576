"""Signing in and out, proving an address, a new password. Answers never tell who has an account."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.links import LinkSigner
from src.platform.ratelimit import CODE_MAILS, SIGN_IN_BY_ACCOUNT
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.forms import Bound, Email, Password, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect, safe_next
from src.platform.web.security import client_address
from src.platform.web.sessions import session_of
from src.tenants.commands.accounts import (
    Proof,
    ask_to_confirm,
    authenticate,
    confirm_email,
    forget_password,
    set_password,
)
from src.tenants.commands.customers import normalise_email
from src.tenants.context import RequestContext
from src.tenants.domain import link_purposes
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.web.guards import requires_sign_in

WAY_IN = {"public": "The way in is for whoever is not signed in yet."}
BY_LINK = {"public": "The signed link in the mail is the key."}


class SignInForm(msgspec.Struct):
    email: Email
    password: Password
    next: str = ""


class ForgottenForm(msgspec.Struct):
    email: Email


class ResetForm(msgspec.Struct):
    password: Password


class FormView(msgspec.Struct):
    """A page that is one form."""

    form: Any
    next: str = ""


@get("/sign-in", opt=WAY_IN, include_in_schema=False)
async def show_sign_in(
    request: Request[Any, Any, Any],
    next: FromQuery[str] = "",  # noqa: A002  the parameter's name
) -> Response[bytes]:
    if (await session_of(request)).user_id is not None:
        return redirect(request, safe_next(next, "/app"))
    form = blank(SignInForm, {"next": safe_next(next, "")})
    return page(request, "tenants/sign_in.html", FormView(form, safe_next(next, "")))


@post("/sign-in", opt=WAY_IN, status_code=200, include_in_schema=False)
async def sign_in(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    """A right password starts a session under a new id; a wrong one says nothing of the account.

    Where no session can be kept, no password is looked at: the answers would tell them apart.
    """
    form = bind(SignInForm, await read_form(request))
    if form.struct is None:
        return _again(request, form)
    limiter = services.limiter
    await limiter.sign_in(client_address(request.scope), form.struct.email)
    await exchange_of(request.scope).kit.sessions.check_reachable()
    user = await authenticate(services.uow_factory, form.struct.email, form.struct.password)
    if user is None:
        refusal = _("The address or the password is not right. Please try again.")
        return _again(request, form.with_errors(form_error=refusal))
    await limiter.forget(SIGN_IN_BY_ACCOUNT, form.struct.email.strip().casefold())
    (await session_of(request)).sign_in(user.id, services.clock.now())
    return redirect(request, safe_next(form.struct.next, "/app"))


def _again(request: AnyRequest, form: Bound[SignInForm]) -> Response[bytes]:
    leads_to = safe_next(form.value("next"), "")
    again_with = [("next", leads_to)] if leads_to else []
    view = FormView(form, leads_to)
    return page(request, "tenants/sign_in.html", view, status_code=422, again_with=again_with)


@post(
    "/sign-out",
    opt={"public": "Leaving is for everyone."},
    status_code=200,
    include_in_schema=False,
)
async def sign_out(request: Request[Any, Any, Any]) -> Response[bytes]:
    (await session_of(request)).sign_out()
    return redirect(request, "/")


@get("/confirm-email/{token:str}", opt=BY_LINK, include_in_schema=False)
async def follow_confirmation_link(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: FromPath[str]
) -> Response[bytes]:
    """The first time, the address is proved and its user signed in; again, it only says so."""
    now = services.clock.now()
    signer = LinkSigner(services.settings.secret_keys)
    lifetime = link_purposes.CONFIRM_EMAIL_LIFETIME
    link = signer.read(link_purposes.CONFIRM_EMAIL, token, lifetime, now)
    user_id = UUID(link.payload["user"])
    async with services.uow_factory(None) as uow:
        proof = await confirm_email(uow, user_id, str(link.payload["email"]), now)
    session = await session_of(request)
    if proof is Proof.STALE:
        flash(request, "warning", _("This link belongs to an address that is no longer in use."))
        return redirect(request, "/sign-in")
    flash(request, "success", _("Your e-mail address is confirmed."))
    if proof is Proof.FIRST and session.user_id is None:
        session.sign_in(user_id, now)
    return redirect(request, "/app")


@post("/confirm-email", guards=[requires_sign_in], status_code=200, include_in_schema=False)
async def send_confirmation_again(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    limiter = services.limiter
    await limiter.check(CODE_MAILS, str(ctx.user_id))
    async with services.uow_factory(PLATFORM_TENANT_ID) as uow:
        ask_to_confirm(uow, ctx.user_id)
    flash(request, "success", _("We have sent you a new link. Please look into your mail."))
    return redirect(request, safe_next(request.headers.get("referer"), "/app"))


@get("/password/forgotten", opt=WAY_IN, include_in_schema=False)
async def show_forgotten(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "tenants/password_forgotten.html", FormView(blank(ForgottenForm)))


@post("/password/forgotten", opt=WAY_IN, status_code=200, include_in_schema=False)
async def send_reset(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    """The same answer whether or not anybody has this address."""
    form = bind(ForgottenForm, await read_form(request))
    if form.struct is None:
        view = FormView(form)
        return page(request, "tenants/password_forgotten.html", view, status_code=422)
    limiter = services.limiter
    await limiter.check(CODE_MAILS, client_address(request.scope))
    await limiter.check(CODE_MAILS, normalise_email(form.struct.email))
    async with services.uow_factory(PLATFORM_TENANT_ID) as uow:
        forget_password(uow, form.struct.email)
    flash(
        request,
        "success",
        _("If this address has an account, a mail with a link is on its way."),
    )
    return redirect(request, "/sign-in")


@get("/password/reset/{token:str}", opt=BY_LINK, include_in_schema=False)
async def show_reset(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: FromPath[str]
) -> Response[bytes]:
    _read_reset(services, token)
    return page(request, "tenants/password_reset.html", FormView(blank(ResetForm)))


@post("/password/reset/{token:str}", opt=BY_LINK, status_code=200, include_in_schema=False)
async def reset_password(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: FromPath[str]
) -> Response[bytes]:
    """Sets the new password and ends every session the user had."""
    user_id, tail = _read_reset(services, token)
    form = bind(ResetForm, await read_form(request))
    if form.struct is None:
        return page(request, "tenants/password_reset.html", FormView(form), status_code=422)
    now = services.clock.now()
    try:
        changed = await set_password(
            services.uow_factory, user_id, tail, form.struct.password, proved_at=now
        )
    except InvalidInput as refusal:
        view = FormView(form.refused(refusal))
        return page(request, "tenants/password_reset.html", view, status_code=422)
    if not changed:
        flash(request, "warning", _("This link was used already. Please ask for a new one."))
        return redirect(request, "/password/forgotten")
    await exchange_of(request.scope).kit.sessions.revoke_all(user_id)
    flash(request, "success", _("Your new password is set. Please sign in with it."))
    return redirect(request, "/sign-in")


def _read_reset(services: Services, token: str) -> tuple[UUID, str]:
    """Raises: LinkInvalid, LinkExpired."""
    signer = LinkSigner(services.settings.secret_keys)
    lifetime = link_purposes.RESET_PASSWORD_LIFETIME
    link = signer.read(link_purposes.RESET_PASSWORD, token, lifetime, services.clock.now())
    return UUID(link.payload["user"]), str(link.payload["tail"])


route_handlers = [
    show_sign_in,
    sign_in,
    sign_out,
    follow_confirmation_link,
    send_confirmation_again,
    show_forgotten,
    send_reset,
    show_reset,
    reset_password,
]
