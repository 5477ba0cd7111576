"""Single places of a booking over the API: given up by the guest's terms, or moved by staff's."""

from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.commands.leave import leave_dates
from src.booking.queries.api import get_booking_facts
from src.booking.views.api import MoneyOut, SeatMovedOut, SeatsLeftOut
from src.booking.web.api.bodies import SeatMoveIn, SeatsIn
from src.booking.web.api.refusals import refusals
from src.platform.services import Services
from src.tenants.context import RequestContext


@post(
    "/bookings/{booking_id:uuid}/cancel-seats",
    summary="Give up places as their guest",
    status_code=200,
    responses=refusals(404, 409, 422),
)
async def api_cancel_seats(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
    data: JSONBody[SeatsIn],
) -> SeatsLeftOut:
    """By the terms the booking was bought under, late too: then nothing comes back. All of the
    places or none; sent again it changes nothing. The `code` of a refusal names the reason.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        order = (await get_booking_facts(uow, booking_id)).order
    async with services.uow_factory(ctx.here.id) as uow:
        seat_ids = tuple(dict.fromkeys(data.seat_ids))
        back_minor = (await leave_dates(uow, ctx.here, order.id, seat_ids)).back_minor
    return SeatsLeftOut(refund=MoneyOut(back_minor, order.currency))


@post(
    "/bookings/{booking_id:uuid}/move-seat",
    summary="Move a place to another session",
    status_code=200,
    responses=refusals(404, 409, 422),
)
async def api_move_seat(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
    data: JSONBody[SeatMoveIn],
) -> SeatMovedOut:
    """As staff do: to any date of the service that is to come and has room, at no price. The guest
    is told by mail. Sent again it changes nothing. The `code` of a refusal names the reason.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        order = (await get_booking_facts(uow, booking_id)).order
    cmd = MoveSeats(
        order_id=order.id,
        seat_ids=(data.seat_id,),
        session_id=data.to_session_id,
        by="staff",
        why=data.reason,
    )
    async with services.uow_factory(ctx.here.id) as uow:
        [seat_id] = await move_by_staff(uow, ctx, cmd)
    return SeatMovedOut(seat_id=seat_id, session_id=data.to_session_id)


route_handlers = [api_cancel_seats, api_move_seat]
