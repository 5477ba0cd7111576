"""/app/<slug>/series/<id>/copy: a term again, every date looked at before it is made."""

from datetime import date
from itertools import pairwise
from statistics import median_low
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.series import get_series
from src.booking.commands.term_copy import (
    CopyTerm,
    PlannedDate,
    copy_term,
    count_left_out,
    list_term,
    plan_copy,
)
from src.booking.domain.drop_in import DropInRules
from src.booking.domain.term_copy import WEEK, day_after_term
from src.booking.queries.drop_in import drop_in_columns
from src.booking.queries.term_copies import list_copies
from src.booking.views.series import TermCopied
from src.booking.web.series_editor import MAY_EDIT
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.formats import day_long
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]
ONE_COPY = "/app/{slug:str}/series/{series_id:uuid}/copy"


class CopyForm(msgspec.Struct):
    """`token` becomes the new series' id; `looked` says that its dates have been seen."""

    token: UUID
    first_on: date
    title: Annotated[str, Meta(max_length=120)]
    skip_holidays: bool = False
    looked: bool = False


class CopiedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A date of the copy with what is to be said about it."""

    starts_at: Any
    ends_at: Any
    title: str
    notes: list[str]
    clash: str | None


class CopyView(msgspec.Struct, frozen=True, kw_only=True):
    """The form, and once there is something to look at, every date.

    `copies` are the terms that were made from it already. `left_out` are the dates that were
    cancelled; `price_minor` is what the whole costs without them too, None where it costs nothing.
    """

    form: Any
    title: str
    copies: list[TermCopied]
    rows: list[CopiedRow]
    left_out: int
    price_minor: int | None
    currency: str
    may_make: bool
    base: str
    here: str
    zone: str
    has_holidays: bool


@get(ONE_COPY, guards=MAY_EDIT, include_in_schema=False)
async def show_copy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        series = await get_series(uow, series_id)
        try:
            runs = await list_term(uow, series_id)
            copies = await list_copies(uow, series)
        except Conflict as refused:
            flash(request, "warning", refused.message)
            return redirect(request, f"/app/{ctx.here.slug}/series/{series_id}")
    times = [(run.starts_at, run.ends_at) for run in runs]
    last_at = max([times[-1][0], *(copy.last_at for copy in copies)])
    initial = {
        "token": new_id(),
        "title": series.title,
        "first_on": day_after_term(times[0][0], last_at, ctx.here.zone),
        "skip_holidays": True,
    }
    return await _page(request, services, ctx, series_id, blank(CopyForm, initial), [])


@post(ONE_COPY, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def make_copy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    """First every date; once these were looked at, the new series."""
    bound = bind(CopyForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _page(request, services, ctx, series_id, bound, [])
    cmd = CopyTerm(
        series_id=series_id,
        new_id=form.token,
        title=form.title,
        first_on=form.first_on,
        skip_holidays_of=ctx.here.country if form.skip_holidays else None,
    )
    planned: list[PlannedDate] = []
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            planned = await plan_copy(uow, ctx, cmd)
        if form.looked and not any(each.clash for each in planned):
            async with services.uow_factory(ctx.here.id) as uow:
                made = await copy_term(uow, ctx, cmd)
            flash(
                request, "success", _("The new term is a draft. Put it on sale when it is right.")
            )
            return redirect(request, f"/app/{ctx.here.slug}/series/{made}")
    except InvalidInput as refused:
        bound = bound.refused(refused)
    return await _page(request, services, ctx, series_id, bound, planned)


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    series_id: UUID,
    form: Bound[CopyForm],
    planned: list[PlannedDate],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        series = await get_series(uow, series_id)
        left_out = await count_left_out(uow, series_id)
        copies = await list_copies(uow, series)
    base = f"/app/{ctx.here.slug}"
    view = CopyView(
        form=form,
        title=series.title,
        copies=copies,
        rows=_rows(planned, ctx.here.zone),
        left_out=left_out,
        price_minor=series.price_minor or None,
        currency=ctx.here.currency,
        may_make=bool(planned) and not any(each.clash for each in planned),
        base=base,
        here=f"{base}/series/{series_id}",
        zone=ctx.here.timezone,
        has_holidays=bool(ctx.here.country),
    )
    status_code = 422 if form.errors or form.form_error else 200
    return page(request, "booking/series/copy.html", view, status_code=status_code)


def _rows(planned: list[PlannedDate], zone: ZoneInfo) -> list[CopiedRow]:
    """A hole in the old term, left for holidays perhaps, is one in the new term, and is said."""
    days = [to_local(each.date.starts_at, zone).date() for each in planned]
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    usual = median_low(gaps) if gaps else 0
    return [
        _row(each, gap if gap >= usual + WEEK.days else 0)
        for each, gap in zip(planned, [0, *gaps], strict=False)
    ]


def _row(each: PlannedDate, hole_days: int) -> CopiedRow:
    notes = [
        _("a week on: %(day)s is %(holiday)s", day=day_long(on), holiday=name)
        for on, name in each.date.skipped
    ]
    if hole_days and not notes:
        notes.append(
            ngettext(
                "%(num)s day after the date before",
                "%(num)s days after the date before",
                hole_days,
            )
        )
    unset = drop_in_columns(DropInRules())
    if any(getattr(each.source, name) != value for name, value in unset.items()):
        notes.append(_("keeps its own rule for single places"))
    return CopiedRow(
        starts_at=each.date.starts_at,
        ends_at=each.date.ends_at,
        title=each.source.title,
        notes=notes,
        clash=each.clash,
    )


route_handlers = [show_copy, make_copy]
