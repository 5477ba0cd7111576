"""/account: one's own name, password and signed-in devices."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.passwords import verify_password
from src.platform.ratelimit import CODE_TRIES
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.forms import Bound, Password, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.platform.web.sessions import SessionInfo, session_of
from src.tenants.commands.accounts import rename_user, set_password, tail_of
from src.tenants.context import RequestContext
from src.tenants.models import User
from src.tenants.web.devices import device_name
from src.tenants.web.guards import requires_sign_in
from src.tenants.web.middleware import person_of

SIGNED_IN = [requires_sign_in]
HOME = "/account"


class NameForm(msgspec.Struct):
    name: Annotated[str, Meta(max_length=100)]


class PasswordForm(msgspec.Struct):
    current: Password
    password: Password


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in."""

    name: str
    seen_at: datetime
    is_current: bool


class AccountView(msgspec.Struct):
    email: str
    name_form: Any
    password_form: Any
    devices: list[DeviceView]


@get(HOME, guards=SIGNED_IN, include_in_schema=False)
async def show_account(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _account(request)


@post(f"{HOME}/name", guards=SIGNED_IN, status_code=200, include_in_schema=False, shown_at=HOME)
async def change_name(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(NameForm, await read_form(request))
    if form.struct is None:
        return await _account(request, name_form=form)
    try:
        async with services.uow_factory(None) as uow:
            await rename_user(uow, ctx.user_id, form.struct.name)
    except InvalidInput as refusal:
        return await _account(request, name_form=form.refused(refusal))
    flash(request, "success", _("Your name is changed."))
    return redirect(request, HOME)


@post(f"{HOME}/password", guards=SIGNED_IN, status_code=200, include_in_schema=False, shown_at=HOME)
async def change_password(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Asks for the present password; every other device is signed out."""
    form = bind(PasswordForm, await read_form(request))
    if form.struct is None:
        return await _account(request, password_form=form)
    await services.limiter.check(CODE_TRIES, f"password:{ctx.user_id}")
    async with services.uow_factory(None) as uow:
        user = await uow.session.get_one(User, ctx.user_id)
    if not await verify_password(user.password_hash, form.struct.current):
        wrong = form.with_errors({"current": _("This is not your present password.")})
        return await _account(request, password_form=wrong)
    try:
        tail = tail_of(user.password_hash)
        changed = await set_password(services.uow_factory, user.id, tail, form.struct.password)
    except InvalidInput as refusal:
        return await _account(request, password_form=form.refused(refusal))
    if not changed:
        again = form.with_errors({"current": _("Your password was changed meanwhile.")})
        return await _account(request, password_form=again)
    session = await session_of(request)
    await exchange_of(request.scope).kit.sessions.revoke_all(user.id, session.key)
    session.sign_in(user.id, services.clock.now())
    flash(request, "success", _("Your password is changed. Other devices are signed out."))
    return redirect(request, HOME)


@post("/account/sign-out-others", guards=SIGNED_IN, status_code=200, include_in_schema=False)
async def sign_out_others(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    session = await session_of(request)
    await exchange_of(request.scope).kit.sessions.revoke_all(ctx.user_id, session.key)
    flash(request, "success", _("Every other device is signed out."))
    return redirect(request, HOME)


async def _account(
    request: AnyRequest,
    *,
    name_form: Bound[Any] | None = None,
    password_form: Bound[Any] | None = None,
) -> Response[bytes]:
    person, session = person_of(request), await session_of(request)
    assert person is not None
    store = exchange_of(request.scope).kit.sessions
    view = AccountView(
        email=person.email,
        name_form=name_form or blank(NameForm, {"name": person.name}),
        password_form=password_form or blank(PasswordForm),
        devices=[_device(one) for one in await store.sessions_of(person.user_id, session.key)],
    )
    refused = name_form is not None or password_form is not None
    return page(request, "tenants/account.html", view, status_code=422 if refused else 200)


def _device(session: SessionInfo) -> DeviceView:
    return DeviceView(
        name=device_name(session.agent), seen_at=session.seen_at, is_current=session.is_current
    )


route_handlers = [show_account, change_name, change_password, sign_out_others]
