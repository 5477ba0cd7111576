"""/app/<slug>/series/<id>/copy: a term again, every date looked at before it is made."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.series import get_series
from src.booking.commands.term_copy import (
    PlannedTerm,
    copy_term,
    held_dates,
    is_copied,
    list_term,
    plan_copy,
)
from src.booking.domain.term_copy import day_after_term
from src.booking.queries.term_copies import list_copies
from src.booking.views.series import TermCopied
from src.booking.web.series_editor import MAY_EDIT
from src.booking.web.term_copy_rows import (
    CopiedRow,
    CopyForm,
    command_of,
    rows_of,
    ticked_of,
    was_seen,
)
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]
ONE_COPY = "/app/{slug:str}/series/{series_id:uuid}/copy"


class CopyView(msgspec.Struct, frozen=True, kw_only=True):
    """The form, and once there is something to look at, every date with a tick.

    `copies` are the terms that were made from it already. `cancelled_before` is how many dates were
    cancelled before the first that took place, and are not shown; `counts` tells whether the titles
    have numbers. `price_minor` is what the whole costs however many dates are ticked, None where it
    costs nothing.
    """

    form: Any
    title: str
    copies: list[TermCopied]
    rows: list[CopiedRow]
    cancelled_before: int
    counts: bool
    price_minor: int | None
    currency: str
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
    held = held_dates(runs)
    last_at = max([held[-1].starts_at, *(copy.last_at for copy in copies)])
    initial = {
        "token": new_id(),
        "title": series.title,
        "first_on": day_after_term(held[0].starts_at, last_at, ctx.here.zone),
        "skip_holidays": True,
        "number_anew": True,
    }
    return await _page(request, services, ctx, series_id, blank(CopyForm, initial))


@post(ONE_COPY, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def make_copy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    """First every date; once these were looked at, the new series of those ticked.

    Dates that are others than were seen, for the first day was changed since, are shown again. A
    form that has made its series leads there, whatever its own dates take by now.
    """
    bound = bind(CopyForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _page(request, services, ctx, series_id, bound)
    cmd = command_of(form, series_id, ctx.here.country)
    term: PlannedTerm | None = None
    is_made = False
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            is_made = form.looked and await is_copied(uow, series_id, form.token)
            if not is_made:
                term = await plan_copy(uow, ctx, cmd)
                cmd = msgspec.structs.replace(cmd, ticked=ticked_of(form, term))
                was_listed = was_seen(form, term)
                term = await plan_copy(uow, ctx, cmd)
                if form.looked and was_listed:
                    is_made = await copy_term(uow, ctx, cmd) == form.token
    except InvalidInput as refused:
        return await _page(request, services, ctx, series_id, bound.refused(refused), term)
    except Conflict as refused:
        if term is None:
            raise
        # Somebody was taken since, and the dates say for which of them.
        async with services.uow_factory(ctx.here.id) as uow:
            term = await plan_copy(uow, ctx, cmd)
        bound = bound.with_errors(form_error=refused.message)
        return await _page(request, services, ctx, series_id, bound, term)
    if is_made:
        flash(request, "success", _("The new term is a draft. Put it on sale when it is right."))
        return redirect(request, f"/app/{ctx.here.slug}/series/{form.token}")
    if form.looked:
        changed = _("The dates are others than you saw, so nothing is made yet. Please look again.")
        bound = bound.with_errors(form_error=changed)
    return await _page(request, services, ctx, series_id, bound, term)


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    series_id: UUID,
    form: Bound[CopyForm],
    term: PlannedTerm | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        series = await get_series(uow, series_id)
        copies = await list_copies(uow, series)
    base = f"/app/{ctx.here.slug}"
    anew = form.checked("number_anew")
    view = CopyView(
        form=form,
        title=series.title,
        copies=copies,
        rows=rows_of(term, ctx.here.zone, ctx.here.country, anew=anew) if term else [],
        cancelled_before=term.cancelled_before if term else 0,
        counts=term is not None and term.counts,
        price_minor=series.price_minor or None,
        currency=ctx.here.currency,
        base=base,
        here=f"{base}/series/{series_id}",
        zone=ctx.here.timezone,
        has_holidays=bool(ctx.here.country),
    )
    status_code = 422 if form.errors or form.form_error else 200
    return page(request, "booking/series/copy.html", view, status_code=status_code)


route_handlers = [show_copy, make_copy]
