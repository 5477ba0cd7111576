"""/app/<slug>/sessions/chosen/cancel: several dates at once, consequences first.

Which dates they are is said by ticks, on a list of dates or on this page itself. The form says what
its consequences were worked out for; with other ticks they are shown again before anything is done.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.booking.commands.cancel_dates import cancel_dates
from src.booking.commands.sessions import get_session
from src.booking.domain.kinds import DateScope
from src.booking.models import Seat
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.cancellations import (
    find_live_of_dates,
    list_chosen_dates,
    toll_of_dates,
)
from src.booking.queries.price_without import list_prices_without
from src.booking.queries.reached import MOST_REACHED, count_others, list_following
from src.booking.queries.sold_terms import list_packages_to_give
from src.booking.views.cancellations import ChosenDate
from src.booking.views.returns import MoneyAsked
from src.booking.web.cancellation_money import CancelForm, money_asked, money_wanted
from src.booking.web.cancellations import MAY_CANCEL, POST_OPTIONS, to_progress
from src.booking.web.hub import uuid_of
from src.booking.web.price_without_words import price_facts
from src.booking.web.toll_words import Fact, cancelled_people, toll_facts
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

CHOSEN = "/app/{slug:str}/sessions/chosen"
MOST_TICKED = MOST_REACHED
SessionIds = Annotated[list[UUID], Meta(max_length=MOST_TICKED)]
AnyRequest = Request[Any, Any, Any]


class CancelDatesForm(CancelForm):
    """The ticked dates; `looked` is the mark of those whose consequences were shown. Nothing is
    done before `sure`.
    """

    session_ids: SessionIds = msgspec.field(default_factory=list)
    looked: Annotated[str, Meta(max_length=64)] = ""
    sure: bool = False


class CancelDatesView(msgspec.Struct, frozen=True, kw_only=True):
    """What cancelling the ticked dates would do. `left_out` are those ticked that cannot be
    cancelled, `gone` is how many were deleted meanwhile, `more_dates` those asked for that are
    beyond the `most` of one act; `changed_ticks` when somebody was sure of others than these.
    """

    form: Any
    dates: list[ChosenDate]
    left_out: list[ChosenDate]
    gone: int
    more_dates: int
    most: int
    mark: str
    changed_ticks: bool
    facts: list[Fact]
    people: list[Fact]
    more: int
    money: MoneyAsked | None
    base: str
    back: str
    zone: str
    undo_seconds: int


@get(CHOSEN + "/cancel", guards=MAY_CANCEL, include_in_schema=False)
async def ask_cancel_following(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """The date that `following` names, unless it is over, and those after it, ticked; or those that
    the address names itself, for whoever loads the page again.

    Raises: NotFound.
    """
    named = {"session_ids": request.query_params.getall("session_ids", [])}
    session_ids, more = ticked_dates(blank(CancelDatesForm, named)), 0
    first_id = uuid_of(request.query_params.get("following", ""))
    if first_id is not None:
        async with services.uow_factory(ctx.here.id) as uow:
            first = await get_session(uow, first_id)
            scope, zone = DateScope.FOLLOWING, ctx.here.zone
            session_ids = await list_following(uow, first, zone)
            if len(session_ids) == MOST_TICKED:
                others = await count_others(uow, first, scope, zone)
                more = others - sum(one != first_id for one in session_ids)
    form = blank(CancelDatesForm, {"session_ids": session_ids})
    return await _ask(request, services, ctx, form, session_ids, more_dates=more)


@post(CHOSEN + "/cancel", **POST_OPTIONS)
async def cancel_chosen(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """First what it would do; once this was seen for just these dates, the cancelling."""
    bound = bind(CancelDatesForm, await read_form(request))
    form, ticked = bound.struct, ticked_dates(bound)
    if form is None or not form.sure or form.looked != _mark_of(ticked):
        return await _ask(request, services, ctx, bound, ticked)
    seconds = services.settings.undo_window_seconds
    try:
        wanted = money_wanted(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            await list_chosen_dates(uow, ticked, uow.clock.now())
            made = await cancel_dates(
                uow, ctx, ticked, reason=form.reason, undo_seconds=seconds, money=wanted
            )
    except InvalidInput as refused:
        return await _ask(request, services, ctx, bound.refused(refused), ticked)
    except Conflict as refused:
        async with services.uow_factory(ctx.here.id) as uow:
            live = await find_live_of_dates(uow, ticked)
        if live is None:
            again = bound.with_errors(None, refused.message)
            return await _ask(request, services, ctx, again, ticked)
        made = live
    return to_progress(request, ctx, made)


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[CancelDatesForm],
    ticked: list[UUID],
    *,
    more_dates: int = 0,
) -> Response[bytes]:
    """Where nothing is ticked it leads back to the list. Raises: NotFound when none is there."""
    back = back_to(request, ctx)
    if not ticked:
        flash(request, "warning", _("Choose at least one date."))
        return redirect(request, back)
    async with services.uow_factory(ctx.here.id) as uow:
        chosen = await list_chosen_dates(uow, ticked, uow.clock.now())
        dates = [one for one in chosen if one.is_cancellable]
        ids = [one.id for one in dates]
        toll = await toll_of_dates(uow, ids)
        able = await list_returnable(uow, ctx.here, [Seat.session_id.in_(ids)])
        packages = await list_packages_to_give(uow)
        prices = await list_prices_without(uow, ctx.here, ids)
    mark = _mark_of(ids)
    view = CancelDatesView(
        form=form,
        dates=dates,
        left_out=[one for one in chosen if not one.is_cancellable],
        gone=len(ticked) - len(chosen),
        more_dates=more_dates,
        most=MOST_TICKED,
        mark=mark,
        changed_ticks=form.checked("sure") and form.value("looked") != mark,
        facts=toll_facts(toll, ctx.here.currency, chooses=bool(able))
        + price_facts(prices, ctx.here.currency),
        people=cancelled_people(toll, ctx.here.currency, ctx.here.zone),
        more=toll.more,
        money=money_asked(able, ctx.here.currency, ctx.here.zone, packages),
        base=f"/app/{ctx.here.slug}",
        back=back,
        zone=ctx.here.timezone,
        undo_seconds=services.settings.undo_window_seconds,
    )
    status_code = 422 if form.errors or form.form_error else 200
    return page(
        request,
        "booking/cancellations/dates.html",
        view,
        status_code=status_code,
        again_with=_asked_with(request, ticked),
    )


def _asked_with(request: AnyRequest, ticked: Sequence[UUID]) -> list[tuple[str, str]]:
    """The query with which the page of these dates is found by GET, from the same list."""
    query = request.query_params
    lists = [(name, query[name]) for name in ("series", "service") if name in query]
    return [*lists, *(("session_ids", str(one)) for one in ticked)]


def ticked_dates(bound: Bound[Any]) -> list[UUID]:
    """The ticked dates, each once, whatever else is wrong with the form."""
    found = [uuid_of(text) for text in bound.values("session_ids")[:MOST_TICKED]]
    return list(dict.fromkeys(one for one in found if one is not None))


def back_to(request: AnyRequest, ctx: RequestContext) -> str:
    """The list that the ticks were set on: `series` or `service` in the address name it."""
    base, query = f"/app/{ctx.here.slug}", request.query_params
    series_id, service_id = (uuid_of(query.get(name, "")) for name in ("series", "service"))
    if series_id is not None:
        return f"{base}/series/{series_id}"
    return f"{base}/services/{service_id}/sessions" if service_id else f"{base}/sessions"


def _mark_of(session_ids: Sequence[UUID]) -> str:
    return sha256(b"".join(sorted(one.bytes for one in session_ids))).hexdigest()[:16]


route_handlers: list[Any] = [ask_cancel_following, cancel_chosen]
