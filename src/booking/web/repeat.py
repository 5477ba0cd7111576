"""/app/<slug>/services/<id>/sessions/repeat: many dates by one rule, looked through first."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.repeat import Published, PublishRepeat, check_repeat, publish_repeat
from src.booking.commands.services import get_group_service
from src.booking.queries.repeat import RepeatDate
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.services import get_service_head
from src.booking.views.services import ServiceHead
from src.booking.views.sessions import RepeatRow
from src.booking.web.repeat_forms import (
    RepeatForm,
    command_of,
    example_day,
    holiday_choices,
    initial_of,
    left_out_of,
    row_of,
)
from src.booking.web.service_words import mode_words
from src.platform.errors import InvalidInput
from src.platform.i18n import _, ngettext, week_of
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_CREATE = [requires_member(Role.MANAGER), requires(Feature.GROUP_SERVICES)]
PATH = "/app/{slug:str}/services/{service_id:uuid}/sessions/repeat"
KEPT_OUT = frozenset({"_csrf_token", "step", "looked", "ticked"})
LOOK, PUBLISH = "look", "publish"
KEPT_FOR_BACK = {"cache-control": "private, max-age=300"}
"""The preview answers a form, and a browser that may not keep it has an error page for whoever goes
back to it. It tells of nobody, so that it may lie in the browser for a while.
"""


class RepeatFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The rule, to be filled in."""

    form: Any
    service: ServiceHead
    base: str
    zone: str
    holidays: list[Choice]
    performers: list[Choice]
    locations: list[Choice]
    modes: list[Choice]
    example_day: str
    week: list[tuple[int, str, str]]


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """Every date, to be looked through; `carried` is the rule as it was typed."""

    form: Any
    service: ServiceHead
    base: str
    zone: str
    rows: list[RepeatRow]
    to_publish: int
    carried: list[tuple[str, str]]
    numbers: bool


@get(PATH, guards=MAY_CREATE, include_in_schema=False)
async def show_repeat(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_group_service(uow, service_id)
    today = to_local(services.clock.now(), ctx.here.zone).date()
    form = blank(RepeatForm, initial_of(service, ctx.here, today))
    return await _form(request, services, ctx, form, service_id)


@post(PATH, guards=MAY_CREATE, status_code=200, include_in_schema=False)
async def save_repeat(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    """`step` is look (the preview), publish, or anything else for the form again."""
    bound = bind(RepeatForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _form(request, services, ctx, bound, service_id, status_code=422)
    if form.step not in (LOOK, PUBLISH):
        return await _form(request, services, ctx, bound, service_id)
    try:
        cmd, dates = await _rehearse(services, ctx, form, service_id)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _form(request, services, ctx, bound, service_id, status_code=422)
    if form.step == LOOK:
        return await _preview(request, services, ctx, bound, cmd, dates)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            published = await publish_repeat(uow, ctx, cmd)
    except InvalidInput as refused:
        return await _preview(request, services, ctx, bound.refused(refused), cmd, dates)
    flash(request, "success", _what_was_published(published))
    return redirect(request, f"/app/{ctx.here.slug}/services/{service_id}/sessions")


async def _rehearse(
    services: Services, ctx: RequestContext, form: RepeatForm, service_id: UUID
) -> tuple[PublishRepeat, list[RepeatDate]]:
    """The command with the unticked days left out, and every date as it would be."""
    async with services.uow_factory(ctx.here.id) as uow:
        cmd = command_of(form, service_id)
        dates = await check_repeat(uow, ctx, cmd)
        left_out = left_out_of(form, dates)
        if left_out:
            cmd = msgspec.structs.replace(cmd, left_out=left_out)
            dates = await check_repeat(uow, ctx, cmd)
    return cmd, dates


async def _form(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    form: Bound[RepeatForm],
    service_id: UUID,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        view = RepeatFormView(
            form=form,
            service=await get_service_head(uow, service_id),
            base=f"/app/{ctx.here.slug}",
            zone=ctx.here.timezone,
            holidays=holiday_choices(ctx.here),
            performers=await list_performer_choices(uow),
            locations=await list_location_choices(uow),
            modes=list(mode_words().items()),
            example_day=example_day(to_local(services.clock.now(), ctx.here.zone).date()),
            week=week_of(ctx.here.country),
        )
    return page(request, "booking/sessions/repeat.html", view, status_code=status_code)


async def _preview(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    form: Bound[RepeatForm],
    cmd: PublishRepeat,
    dates: list[RepeatDate],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service_head(uow, cmd.service_id)
    raw = form.raw
    view = PreviewView(
        form=form,
        service=service,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        rows=[row_of(each, ctx.here.zone) for each in dates],
        to_publish=sum(each.will_be_created for each in dates),
        carried=[(name, text) for name in raw if name not in KEPT_OUT for text in raw[name]],
        numbers="{n}" in cmd.title_pattern,
    )
    return page(
        request,
        "booking/sessions/repeat_preview.html",
        view,
        status_code=422 if form.form_error else 200,
        headers=KEPT_FOR_BACK,
    )


def _what_was_published(published: Published) -> str:
    made, there = len(published.session_ids), published.already_there
    if not made:
        return _("All of these sessions were there already; nothing was published twice.")
    said = ngettext("%(num)s session is published.", "%(num)s sessions are published.", made)
    if not there:
        return said
    more = ngettext("%(num)s was there already.", "%(num)s were there already.", there)
    return f"{said} {more}"


route_handlers = [show_repeat, save_repeat]
