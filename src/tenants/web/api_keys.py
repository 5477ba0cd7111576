"""/app/<slug>/settings/api-keys: keys of the JSON API, for the owner alone."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.api_keys import create_api_key, revoke_api_key
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.queries.settings import get_api_key, list_api_keys
from src.tenants.views.settings import ApiKeyRow
from src.tenants.web.guards import requires_member
from src.tenants.web.settings_tabs import Tab, settings_path, settings_tabs

OWNERS = [requires_member(Role.OWNER)]
HOME = "/app/{slug:str}/settings/api-keys"
REVOKE = HOME + "/{key_id:uuid}/revoke"
NOT_KEPT = {"cache-control": "no-store"}


class KeyForm(msgspec.Struct, kw_only=True):
    """What a key is called. `token` becomes its id, so that a form sent twice makes one."""

    token: UUID | None = None
    name: Annotated[str, Meta(max_length=60)]


class KeysView(msgspec.Struct, frozen=True, kw_only=True):
    """The list; `plain` is the key just made, shown this once, and `again` one that had been made
    by the same form before.
    """

    tabs: list[Tab]
    rows: list[ApiKeyRow]
    base: str
    zone: str
    form: Any
    plain: str | None
    again: ApiKeyRow | None


class RevokeView(msgspec.Struct, frozen=True, kw_only=True):
    tabs: list[Tab]
    row: ApiKeyRow
    base: str
    zone: str


@get(HOME, guards=OWNERS, include_in_schema=False)
async def show_api_keys(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _list(request, services, ctx, _new_form())


@post(HOME, guards=OWNERS, status_code=200, include_in_schema=False)
async def make_api_key(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Answers with the key itself, in a page that no cache keeps."""
    form = bind(KeyForm, await read_form(request))
    if form.struct is None:
        return await _list(request, services, ctx, form, status_code=422)
    token, name = form.struct.token, " ".join(form.struct.name.split())
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            made = await create_api_key(uow, ctx, name, token)
    except Conflict as refused:
        if refused.code != "already_submitted" or token is None:
            raise
        return await _made_before(request, services, ctx, token, name)
    return await _list(request, services, ctx, _new_form(), plain=made.plain)


async def _made_before(
    request: AnyRequest, services: Services, ctx: RequestContext, token: UUID, name: str
) -> Response[bytes]:
    """The page was loaded again, or its button pressed twice: the key is there and not shown. What
    was typed is kept where that key is called otherwise.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_api_key(uow, token)
    form = _new_form("" if row.name == name else name)
    return await _list(request, services, ctx, form, again=row, status_code=409)


def _new_form(name: str = "") -> Bound[KeyForm]:
    return blank(KeyForm, {"token": new_id(), "name": name})


@get(REVOKE, guards=OWNERS, include_in_schema=False)
async def ask_about_revoking(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    key_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_api_key(uow, key_id)
    view = RevokeView(
        tabs=settings_tabs(ctx, "api-keys"),
        row=row,
        base=settings_path(ctx, "api-keys"),
        zone=ctx.here.timezone,
    )
    return page(request, "tenants/settings/revoke_key.html", view)


@post(REVOKE, guards=OWNERS, status_code=200, include_in_schema=False)
async def revoke(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    key_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await revoke_api_key(uow, ctx, key_id)
    flash(request, "success", _("The key is revoked. Nothing gets in with it any more."))
    return redirect(request, settings_path(ctx, "api-keys"))


async def _list(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[KeyForm],
    *,
    plain: str | None = None,
    again: ApiKeyRow | None = None,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_api_keys(uow)
    view = KeysView(
        tabs=settings_tabs(ctx, "api-keys"),
        rows=rows,
        base=settings_path(ctx, "api-keys"),
        zone=ctx.here.timezone,
        form=form,
        plain=plain,
        again=again,
    )
    template = "tenants/settings/api_keys.html"
    return page(request, template, view, status_code=status_code, headers=NOT_KEPT)


route_handlers = [show_api_keys, make_api_key, ask_about_revoking, revoke]
