"""Cancelling the places of several guests of a session: consequences first, then one act for all,
with its own progress and a way back.
"""

from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.cancel_seats import cancel_seats, why_places_stay
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Seat
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.cancellations import find_live_cancellation_of_seats, toll_of_seats
from src.booking.queries.roster_actions import list_chosen
from src.booking.queries.sold_terms import list_packages_to_give
from src.booking.views.returns import MoneyAsked
from src.booking.web.cancellation_money import CancelForm, money_asked, money_wanted
from src.booking.web.cancellations import to_progress
from src.booking.web.roster import ONE
from src.booking.web.roster_chosen import (
    POST_OPTIONS,
    AnyRequest,
    BulkView,
    SeatIds,
    ask,
    look_at,
    ticked,
    whom,
)
from src.booking.web.toll_words import Fact, toll_facts
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, read_form
from src.platform.web.pages import flash, redirect
from src.tenants.context import RequestContext

SEEN = TAKEN_SEATS - {SeatState.CONFIRMED}
"""Of who is here already, or did not come: such a place is not cancelled."""


class CancelSeatsForm(CancelForm):
    """What goes back, as on every page about cancelling. Nothing is done before `sure`."""

    seat_ids: SeatIds = msgspec.field(default_factory=list)
    sure: bool = False


class CancelSeatsView(BulkView, frozen=True, kw_only=True):
    """`facts` is what it would do, `money` what is to be chosen where something could go back.

    Of those ticked it leaves alone who was seen, `stays`, and whose place is `going` already.
    """

    facts: list[Fact]
    money: MoneyAsked | None
    stays: list[str]
    going: list[str]
    undo_seconds: int


@post(ONE + "/seats/cancel", **POST_OPTIONS, shown_at=ONE)
async def cancel_chosen_seats(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Asks what goes back to whom, then shows how far it is; a second press shows the first's."""
    bound = bind(CancelSeatsForm, await read_form(request))
    form, seconds = bound.struct, services.settings.undo_window_seconds
    view = await _view(services, ctx, session_id, bound)
    live = None if view.chosen else await _live(services, ctx, ticked(bound))
    if live is not None:
        return to_progress(request, ctx, live)
    if form is None or not form.sure or view.why_not:
        return ask(request, "cancel", view)
    try:
        wanted = money_wanted(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            made = await cancel_seats(
                uow,
                ctx,
                session_id,
                view.seat_ids,
                reason=form.reason.strip(),
                undo_seconds=seconds,
                money=wanted,
            )
    except InvalidInput as refused:
        return ask(request, "cancel", msgspec.structs.replace(view, form=bound.refused(refused)))
    except Conflict as refused:
        overtaken = await _live(services, ctx, view.seat_ids)
        if overtaken is None:
            flash(request, "warning", refused.message)
            return redirect(request, view.here)
        made = overtaken
    return to_progress(request, ctx, made)


async def _view(
    services: Services, ctx: RequestContext, session_id: UUID, bound: Bound[CancelSeatsForm]
) -> CancelSeatsView:
    """Raises: NotFound for a seat of another session."""
    seat_ids, confirmed = ticked(bound), {SeatState.CONFIRMED}
    view = await look_at(
        services, ctx, session_id, bound, seat_ids, confirmed, is_being_cancelled=False
    )
    async with services.uow_factory(ctx.here.id) as uow:
        seen = await list_chosen(uow, session_id, seat_ids, SEEN)
        going = await list_chosen(uow, session_id, seat_ids, confirmed, is_being_cancelled=True)
        able = await list_returnable(uow, ctx.here, [Seat.id.in_(view.seat_ids)])
        packages = await list_packages_to_give(uow)
        toll = await toll_of_seats(uow, view.seat_ids)
    if not view.chosen and seat_ids:
        why_not = _nobody_to_cancel(seen=bool(seen), going=bool(going))
        view = msgspec.structs.replace(view, why_not=why_not)
    session, now = view.session, services.clock.now()
    stay = why_places_stay(session.state, session.starts_at, now)
    if view.chosen and stay is not None:
        view = msgspec.structs.replace(view, why_not=stay.message)
    return CancelSeatsView(
        **{name: getattr(view, name) for name in BulkView.__struct_fields__},
        facts=toll_facts(toll, ctx.here.currency, chooses=bool(able)),
        money=money_asked(able, ctx.here.currency, ctx.here.zone, packages),
        stays=[whom(one) for one in seen],
        going=[whom(one) for one in going],
        undo_seconds=services.settings.undo_window_seconds,
    )


async def _live(services: Services, ctx: RequestContext, seat_ids: list[UUID]) -> UUID | None:
    async with services.uow_factory(ctx.here.id) as uow:
        return await find_live_cancellation_of_seats(uow, seat_ids)


def _nobody_to_cancel(*, seen: bool, going: bool) -> str:
    if going:
        return _("The places of those chosen are being cancelled already.")
    if seen:
        return _(
            "Nobody chosen is still to come. Take back who is here or did not come, then cancel."
        )
    return _("None of those chosen has a place in this session any more.")


route_handlers = [cancel_chosen_seats]
