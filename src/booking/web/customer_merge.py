"""Merging two customers: choose the other, see what it does, then do it."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from src.booking.commands.readdress import merge_and_correct
from src.booking.queries.customer_story import list_doubles
from src.booking.queries.customers import CustomerFilter, get_customer, list_customers
from src.booking.queries.feeds import count_customer_feeds
from src.booking.queries.mistyped import count_to_readdress
from src.booking.views.customers import CustomerHead, CustomerRow, Double
from src.booking.web.customer import ONE
from src.booking.web.customer_words import readdressed_words, why_double
from src.booking.web.customers import MAY_CARE, POST_OPTIONS, customers_path, head_of
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.queries.merging import MergePreview, preview_merge


class ChooseView(msgspec.Struct, frozen=True, kw_only=True):
    """Who might be the same person: likely doubles first, and whoever was searched for."""

    head: CustomerHead
    doubles: list[Double]
    shared: dict[UUID, str]
    search: str
    rows: list[CustomerRow]
    base: str
    here: str


class MergeForm(msgspec.Struct, kw_only=True):
    """`readdress`: the address of who is gone was mistyped."""

    readdress: bool = False


class MergeView(msgspec.Struct, frozen=True, kw_only=True):
    """What the merge would do; `why_not` when it cannot be done. `may_be_mistyped`: who is gone has
    an address beside the one that stays. `astray` is how many bookings to come write to it.
    `calendars`: how many of the two have a calendar of all their dates, which ends.
    """

    form: Bound[MergeForm]
    may_be_mistyped: bool
    astray: int
    calendars: int
    kept: CustomerHead
    gone: CustomerHead
    preview: MergePreview
    why_not: str | None
    base: str
    here: str
    other_way: str


@get(ONE + "/merge", guards=MAY_CARE, include_in_schema=False)
async def choose_other(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
    q: FromQuery[str] = "",
) -> Response[bytes]:
    search, rows = q.strip()[:100], []
    async with services.uow_factory(ctx.here.id) as uow:
        head = await get_customer(uow, customer_id)
        doubles = await list_doubles(uow, head)
        if search:
            found = await list_customers(uow, CustomerFilter(search=search))
            rows = [row for row in found.rows if row.id != customer_id]
    view = ChooseView(
        head=head,
        doubles=doubles,
        shared={double.id: why_double(double) for double in doubles},
        search=search,
        rows=rows,
        base=customers_path(ctx),
        here=f"{customers_path(ctx)}/{customer_id}",
    )
    return page(request, "booking/customers/choose.html", view)


@get(ONE + "/merge/{other_id:uuid}", guards=MAY_CARE, include_in_schema=False)
async def ask_merge(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
    other_id: FromPath[UUID],
    readdress: FromQuery[bool] = False,
) -> Response[bytes]:
    """`customer_id` is who is left, `other_id` who becomes a part of them. `readdress`: the box is
    ticked for somebody who comes from correcting an address.
    """
    form = blank(MergeForm, {"readdress": readdress})
    return await _ask(request, services, ctx, customer_id, other_id, form)


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    kept_id: UUID,
    gone_id: UUID,
    form: Bound[MergeForm],
    refusal: Conflict | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        kept = await get_customer(uow, kept_id)
        gone = await get_customer(uow, gone_id)
        preview = await preview_merge(uow, gone_id, kept_id)
        astray = await count_to_readdress(uow, gone_id) if kept.email else 0
        calendars = await count_customer_feeds(uow, [kept_id, gone_id])
    base = customers_path(ctx)
    why_not = refusal.message if refusal is not None else preview.why_not
    view = MergeView(
        form=form,
        may_be_mistyped=bool(kept.email and gone.email),
        astray=astray,
        calendars=calendars,
        kept=kept,
        gone=gone,
        preview=preview,
        why_not=why_not,
        base=base,
        here=f"{base}/{kept.merged_into or kept_id}",
        other_way=f"{base}/{gone_id}/merge/{kept_id}",
    )
    return page(request, "booking/customers/merge.html", view, status_code=409 if why_not else 200)


@post(ONE + "/merge/{other_id:uuid}", **POST_OPTIONS)
async def merge(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
    other_id: FromPath[UUID],
) -> Response[bytes]:
    gone = await head_of(services, ctx, other_id)
    kept = await head_of(services, ctx, customer_id)
    form = bind(MergeForm, await read_form(request))
    if form.struct is None:
        return await _ask(request, services, ctx, customer_id, other_id, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            told = await merge_and_correct(
                uow, ctx, other_id, customer_id, readdress=form.struct.readdress
            )
    except Conflict as refusal:
        return await _ask(request, services, ctx, customer_id, other_id, form, refusal)
    done = _("“%(gone)s” is now a part of “%(kept)s”.", gone=gone.name, kept=kept.name)
    flash(request, "success", " ".join([done, *readdressed_words(told)]))
    return redirect(request, f"{customers_path(ctx)}/{customer_id}")


route_handlers = [choose_other, ask_merge, merge]
