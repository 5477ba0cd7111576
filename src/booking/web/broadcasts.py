"""/app/<slug>/broadcasts: the mails to many that were sent, and to whom each went."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.models import Broadcast
from src.booking.queries.broadcasts import (
    audiences_of,
    get_broadcast,
    list_broadcasts,
    list_written_to,
    names_as_sent,
)
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_WRITE = [requires_member(Role.MANAGER)]
HOME = "/app/{slug:str}/broadcasts"


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
    names: list[str]
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
    view = BroadcastsView(rows=rows, base=base_of(ctx), zone=ctx.here.timezone)
    return page(request, "booking/broadcasts/list.html", view)


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
        names = await names_as_sent(uow, audiences_of(broadcast), ctx.here.zone)
    view = BroadcastView(
        row=_row(broadcast),
        names=names,
        body=broadcast.body,
        people=people,
        base=base_of(ctx),
        here=f"{base_of(ctx)}/{broadcast_id}",
        zone=ctx.here.timezone,
    )
    return page(
        request,
        "booking/broadcasts/show.html",
        view,
        fragment="booking/broadcasts/_progress.html",
    )


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


def base_of(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}/broadcasts"


route_handlers = [show_broadcasts, show_broadcast]
