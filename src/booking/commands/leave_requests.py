"""Asking to leave a whole course, where the terms do not let a guest leave it by themselves.

Staff accept by cancelling the purchase, which closes the request with it, or decline with words.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import aliased

from src.billing.commands.orders import lock_order
from src.booking.commands.leave import is_still_coming, lock_own_seats
from src.booking.domain.leaving import terms_from
from src.booking.domain.reasons import ReasonCode, not_just_now
from src.booking.events import LeavingAsked, LeavingDeclined
from src.booking.models import Booking, LeaveRequest
from src.booking.queries.purchases import is_reached_with
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

LONGEST_WORDS = 500

register_constraint(
    "uq_leave_requests_open",
    lambda: Conflict(_("This has been asked in this very moment."), code="already_asked"),
)


async def ask_to_leave(uow: UnitOfWork, order_id: UUID, reason: str) -> UUID:
    """The guest's request; while one is open, it stays as it is and is returned.

    Raises: NotFound for what is no course; Conflict where none of its dates is left, where staff
    are cancelling one of them, or where it can be left without asking; InvalidInput.
    """
    words = _words(reason, "reason")
    await lock_order(uow, order_id)
    own = await lock_own_seats(uow, order_id)
    if not own or own[0].booking.series_id is None:
        raise NotFound(_("There is no such course."))
    booking, now = own[0].booking, uow.clock.now()
    if terms_from(booking.leaving).whole_course:
        raise Conflict(_("You can leave this course without asking."), code="may_leave")
    coming = [one for one in own if is_still_coming(one, now)]
    if not coming:
        raise Conflict(_("None of its dates is left, so there is nothing to leave."))
    if any(one.seat.cancellation_id is not None for one in coming):
        raise Conflict(not_just_now(), code=str(ReasonCode.NOT_JUST_NOW))
    open_id = await uow.session.scalar(
        select(LeaveRequest.id).where(
            LeaveRequest.tenant_id == uow.tenant,
            LeaveRequest.booking_id == booking.id,
            LeaveRequest.state == "open",
        )
    )
    if open_id is not None:
        return open_id
    request = LeaveRequest(
        tenant_id=uow.tenant, id=new_id(), booking_id=booking.id, reason=words, asked_at=now
    )
    uow.session.add(request)
    await uow.session.flush()
    uow.record(LeavingAsked(request_id=request.id))
    return request.id


async def decline_leaving(
    uow: UnitOfWork, ctx: RequestContext, request_id: UUID, answer: str
) -> None:
    """The guest keeps the course, and is told why by mail.

    Raises: NotFound; Conflict when it is decided already; InvalidInput without any words.
    """
    if (await get_request(uow, request_id)).state != "open":
        raise _decided()
    words = _words(answer, "answer")
    if not words:
        sentence = _("Please tell the guest why.")
        raise InvalidInput(sentence, fields={"answer": sentence})
    declined = await uow.session.scalar(
        update(LeaveRequest)
        .where(
            LeaveRequest.tenant_id == uow.tenant,
            LeaveRequest.id == request_id,
            LeaveRequest.state == "open",
        )
        .values(
            state="declined",
            answer=words,
            decided_at=uow.clock.now(),
            decided_by=ctx.actor.user_id,
        )
        .returning(LeaveRequest.booking_id)
    )
    if declined is None:
        raise _decided()
    await audit(uow, ctx, "booking.leaving_declined", "booking", declined, reason=words)
    uow.record(LeavingDeclined(request_id=request_id))


def _decided() -> Conflict:
    return Conflict(
        _("This had been decided already, so nothing was done."), code="already_decided"
    )


async def accept_open_requests(uow: UnitOfWork, ctx: RequestContext, booking_id: UUID) -> None:
    """The purchase is being cancelled with what completes it, which is what its guest asked for, if
    they did, on the page of any of them. Of a booking that completes another it accepts nothing.
    """
    await uow.session.execute(
        update(LeaveRequest)
        .where(
            LeaveRequest.tenant_id == uow.tenant,
            _is_about(booking_id),
            LeaveRequest.state == "open",
        )
        .values(state="accepted", decided_at=uow.clock.now(), decided_by=ctx.actor.user_id)
        .execution_options(synchronize_session=False)
    )


async def reopen_requests(uow: UnitOfWork, booking_id: UUID, since: datetime) -> None:
    """The cancelling of the purchase, which was asked for at `since`, was taken back, and with it
    the answer to its guest, who may have asked again meanwhile.
    """
    newest = (
        select(LeaveRequest.id)
        .where(
            LeaveRequest.tenant_id == uow.tenant,
            _is_about(booking_id),
            LeaveRequest.state == "accepted",
            LeaveRequest.decided_at >= since,
        )
        .distinct(LeaveRequest.booking_id)
        .order_by(LeaveRequest.booking_id, LeaveRequest.decided_at.desc())
    )
    again = aliased(LeaveRequest)
    await uow.session.execute(
        update(LeaveRequest)
        .where(LeaveRequest.tenant_id == uow.tenant, LeaveRequest.id.in_(newest))
        .where(
            ~exists().where(
                again.tenant_id == uow.tenant,
                again.booking_id == LeaveRequest.booking_id,
                again.state == "open",
            )
        )
        .values(state="open", decided_at=None, decided_by=None)
        .execution_options(synchronize_session=False)
    )


def _is_about(booking_id: UUID) -> ColumnElement[bool]:
    """Whether cancelling that booking is what was asked for, there or where it was completed."""
    return LeaveRequest.booking_id.in_(
        select(Booking.id).where(
            Booking.tenant_id == LeaveRequest.tenant_id,
            is_reached_with(booking_id),
        )
    )


async def get_request(uow: UnitOfWork, request_id: UUID) -> LeaveRequest:
    """Raises: NotFound, for another tenant's too."""
    found = await uow.session.get(LeaveRequest, (uow.tenant, request_id))
    if found is None:
        raise NotFound(_("There is no such request."))
    return found


def _words(typed: str, field: str) -> str:
    """Raises: InvalidInput for more than is read."""
    words = typed.strip()
    if len(words) > LONGEST_WORDS:
        sentence = _("Please keep it within %(count)s characters.", count=LONGEST_WORDS)
        raise InvalidInput(sentence, fields={field: sentence})
    return words
