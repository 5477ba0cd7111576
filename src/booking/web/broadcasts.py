"""/app/<slug>/broadcasts: a mail to a roster, a series or a tag; who gets it is shown first."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.broadcasts import send_broadcast
from src.booking.domain.broadcasting import (
    Audience,
    AudienceKind,
    BroadcastDraft,
    Recipient,
    draft_errors,
    read_audience,
    sample_of,
)
from src.booking.models import Broadcast
from src.booking.queries.broadcasts import (
    audience_of,
    get_broadcast,
    list_broadcasts,
    list_recipients,
    list_written_to,
    name_of_audience,
)
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_WRITE = [requires_member(Role.MANAGER)]
HOME = "/app/{slug:str}/broadcasts"
SHOWN = 12


class BroadcastForm(msgspec.Struct, kw_only=True):
    """A mail as it is typed; `token` becomes its id. `looked`: who gets it has been shown."""

    token: UUID
    to: Annotated[str, Meta(max_length=100)]
    about: Annotated[str, Meta(max_length=20)] = "service"
    to_later: bool = False
    subject: Annotated[str, Meta(max_length=1_000)] = ""
    body: Annotated[str, Meta(max_length=20_000)] = ""
    looked: bool = False

    def draft(self, audience: Audience) -> BroadcastDraft:
        return BroadcastDraft(
            audience=audience,
            is_marketing=self.about != "service" or audience.kind is AudienceKind.TAG,
            to_later=self.to_later,
            subject=self.subject,
            body=self.body,
        )


class ComposeView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail, and before it leaves who gets it: `facts` is empty before."""

    form: Any
    base: str
    name: str
    is_tag: bool
    facts: list[tuple[str, str]]
    people: list[tuple[str, str]]
    more: int
    carried: list[tuple[str, str]]


class BroadcastRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    subject: str
    is_marketing: bool
    to_later: bool
    is_sent: bool
    done: int
    total: int
    sent_by: str
    sent_at: datetime


class BroadcastsView(msgspec.Struct, frozen=True, kw_only=True):
    rows: list[BroadcastRow]
    base: str
    zone: str


class BroadcastView(msgspec.Struct, frozen=True, kw_only=True):
    """One that was sent, and to whom so far."""

    row: BroadcastRow
    name: str
    body: str
    people: list[tuple[str, str]]
    base: str
    here: str
    zone: str


@get(HOME, guards=MAY_WRITE, include_in_schema=False)
async def show_broadcasts(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = [_row(one) for one in await list_broadcasts(uow)]
    view = BroadcastsView(rows=rows, base=_base(ctx), zone=ctx.here.timezone)
    return page(request, "booking/broadcasts/list.html", view)


@get(HOME + "/new", guards=MAY_WRITE, include_in_schema=False)
async def show_new_broadcast(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """For whom it is stands in `to`, e.g. `session:<id>`; without it, there is the list."""
    to = request.query_params.get("to", "")
    if not to:
        return redirect(request, _base(ctx))
    audience = _audience(to)
    typed = {"token": new_id(), "to": audience.text, "about": "service"}
    return await _compose(request, services, ctx, blank(BroadcastForm, typed), audience)


@post(HOME + "/new", guards=MAY_WRITE, status_code=200, include_in_schema=False)
async def send_new_broadcast(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    bound = bind(BroadcastForm, await read_form(request))
    form = bound.struct
    audience = _audience(bound.value("to"))
    if form is None:
        return await _compose(request, services, ctx, bound, audience, status_code=422)
    draft = form.draft(audience)
    errors = draft_errors(draft)
    if errors:
        bound = bound.refused(InvalidInput(_("This cannot be sent like this."), fields=errors))
        return await _compose(request, services, ctx, bound, audience, status_code=422)
    if not form.looked:
        return await _compose(request, services, ctx, bound, audience, draft=draft)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await send_broadcast(uow, ctx, form.token, draft)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _compose(request, services, ctx, bound, audience, status_code=422)
    except Conflict as refused:
        flash(request, "warning", refused.message)
        return redirect(request, _base(ctx))
    return redirect(request, f"{_base(ctx)}/{form.token}")


@get(HOME + "/{broadcast_id:uuid}", guards=MAY_WRITE, include_in_schema=False)
async def show_broadcast(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    broadcast_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        broadcast = await get_broadcast(uow, broadcast_id)
        people = await list_written_to(uow, broadcast_id)
        name = await name_of_audience(uow, audience_of(broadcast), ctx.here.zone)
    view = BroadcastView(
        row=_row(broadcast),
        name=name,
        body=broadcast.body,
        people=people,
        base=_base(ctx),
        here=f"{_base(ctx)}/{broadcast_id}",
        zone=ctx.here.timezone,
    )
    return page(
        request,
        "booking/broadcasts/show.html",
        view,
        fragment="booking/broadcasts/_progress.html",
    )


async def _compose(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[BroadcastForm],
    audience: Audience,
    *,
    draft: BroadcastDraft | None = None,
    status_code: int = 200,
) -> Response[bytes]:
    people: list[Recipient] = []
    async with services.uow_factory(ctx.here.id) as uow:
        name = await name_of_audience(uow, audience, ctx.here.zone)
        if draft is not None:
            people = await list_recipients(uow, audience, needs_consent=draft.is_marketing)
            everybody = await list_recipients(uow, audience, needs_consent=False)
    names, more = sample_of(people, SHOWN)
    facts = [] if draft is None else _facts(draft, name, len(people), len(everybody))
    carried = ("token", "to", "about", "to_later", "subject", "body")
    view = ComposeView(
        form=form,
        base=_base(ctx),
        name=name,
        is_tag=audience.kind is AudienceKind.TAG,
        facts=facts,
        people=[(one, _("one mail")) for one in names],
        more=more,
        carried=[(one, form.value(one)) for one in carried],
    )
    return page(request, "booking/broadcasts/new.html", view, status_code=status_code)


def _facts(draft: BroadcastDraft, name: str, reached: int, total: int) -> list[tuple[str, str]]:
    facts = [
        (_("To"), name),
        (_("Subject"), draft.subject),
        (_("Mails"), ngettext("%(num)s mail", "%(num)s mails", reached)),
    ]
    if draft.is_marketing:
        left_out = ngettext("%(num)s person", "%(num)s people", total - reached)
        facts.append((_("Left out, for they did not agree to news"), left_out))
    if draft.to_later:
        facts.append((_("Later"), _("whoever gets a place before the last date begins")))
    return facts


def _row(one: Broadcast) -> BroadcastRow:
    return BroadcastRow(
        id=one.id,
        subject=one.subject,
        is_marketing=one.is_marketing,
        to_later=one.to_later,
        is_sent=one.state == "sent",
        done=one.done,
        total=max(one.total, one.done),
        sent_by=one.sent_by,
        sent_at=one.sent_at,
    )


def _audience(text: str) -> Audience:
    """Raises: NotFound for what is no audience."""
    found = read_audience(text)
    if found is None:
        raise NotFound(_("There is nothing here."))
    return found


def _base(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}/broadcasts"


route_handlers = [show_broadcasts, show_new_broadcast, send_new_broadcast, show_broadcast]
