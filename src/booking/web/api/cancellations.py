"""Cancelling a session, a series or a booking over the API, and how far that is."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from src.booking.commands.cancel import cancel_purchase, cancel_session
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.cancel_series import cancel_series
from src.booking.views.api import CancellationOut
from src.booking.web.api.bodies import CancelIn
from src.booking.web.api.cancellation_out import get_cancellation_out
from src.booking.web.api.refusals import refusals
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.tenants.context import RequestContext


@post(
    "/sessions/{session_id:uuid}/cancel",
    summary="Cancel a session",
    status_code=202,
    responses=refusals(404, 409, 422),
)
async def api_cancel_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    data: JSONBody[CancelIn],
) -> CancellationOut:
    """Stops its sale at once; seats are freed, guests told and what `returns` says given back by a
    job a few seconds later. More than an order's seats cost is refused, and nothing is done.
    """
    return await _cancel(services, ctx, cancel_session, session_id, data)


@post(
    "/series/{series_id:uuid}/cancel",
    summary="Cancel a whole series",
    status_code=202,
    responses=refusals(404, 409, 422),
)
async def api_cancel_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
    data: JSONBody[CancelIn],
) -> CancellationOut:
    """Takes it off sale and cancels all its dates to come, as cancelling each session does, with
    one mail to each guest. Dates that have begun stay as they are.
    """
    return await _cancel(services, ctx, cancel_series, series_id, data)


@post(
    "/bookings/{booking_id:uuid}/cancel",
    summary="Cancel a booking",
    status_code=202,
    responses=refusals(404, 409, 422),
)
async def api_cancel_booking(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
    data: JSONBody[CancelIn],
) -> CancellationOut:
    """Frees the seats that have not started, and gives back what `returns` says."""
    return await _cancel(services, ctx, cancel_purchase, booking_id, data)


@get(
    "/cancellations/{cancellation_id:uuid}",
    summary="See how far a cancellation is",
    responses=refusals(404),
)
async def api_get_cancellation(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    cancellation_id: FromPath[UUID],
) -> CancellationOut:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_cancellation_out(uow, ctx.here, cancellation_id)


async def _cancel(
    services: Services,
    ctx: RequestContext,
    command: Callable[..., Awaitable[UUID]],
    subject_id: UUID,
    data: CancelIn,
) -> CancellationOut:
    """Raises: InvalidInput with the fields of the body."""
    seconds = services.settings.undo_window_seconds
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            made = await command(
                uow, ctx, subject_id, reason=data.reason, undo_seconds=seconds, money=_wanted(data)
            )
    except InvalidInput as refused:
        raise _at_the_bodys_fields(refused) from refused
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_cancellation_out(uow, ctx.here, made)


def _wanted(data: CancelIn) -> MoneyWanted:
    if data.returns is None:
        return NOTHING
    own = {one.order_id: one.amount_minor for one in data.returns.each}
    return MoneyWanted(choice=data.returns.all, own=own)


def _at_the_bodys_fields(refused: InvalidInput) -> InvalidInput:
    fields = {
        f"returns.each.{name.removeprefix('back.')}": sentence
        for name, sentence in refused.fields.items()
    }
    return InvalidInput(refused.message, fields=fields)


route_handlers = [
    api_cancel_session,
    api_cancel_series,
    api_cancel_booking,
    api_get_cancellation,
]
