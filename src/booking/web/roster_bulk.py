"""What is done with several guests of a session at once: written to, cancelled, marked as paid.

Each act shows whom it touches before it asks. Then every order is a transaction of its own, so that
one that cannot be done holds up nobody else; those that could not be are listed with the reason.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.by_staff import mark_paid_on_site
from src.booking.commands.cancel_returns import decided_minor
from src.booking.commands.roster_actions import (
    CancelPlaces,
    WriteToGuests,
    cancel_places,
    write_to_guests,
)
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.queries.roster_actions import list_chosen, list_returnable_to_cards
from src.booking.views.roster_actions import Chosen, Failure
from src.booking.web.cancellation_money import CancelForm, money_asked, money_wanted
from src.booking.web.roster import ONE
from src.booking.web.roster_chosen import (
    POST_OPTIONS,
    AnyRequest,
    SeatIds,
    ask,
    each_order,
    look_at,
    outcome,
    ticked,
    whom,
)
from src.platform.errors import InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.formats import money
from src.platform.web.forms import bind, blank, read_form
from src.tenants.context import RequestContext

SEEN = TAKEN_SEATS - {SeatState.CONFIRMED}
"""Of who is here already, or did not come: such a place is not cancelled."""


class CancelSeatsForm(CancelForm):
    """What goes back, as on every page about cancelling. Nothing is done before `sure`."""

    seat_ids: SeatIds = msgspec.field(default_factory=list)
    sure: bool = False


class MessageForm(msgspec.Struct):
    """The message, and a token so that sending it twice reaches nobody twice."""

    seat_ids: SeatIds = []
    subject: Annotated[str, Meta(max_length=150)] = ""
    text: Annotated[str, Meta(max_length=5000)] = ""
    token: UUID | None = None
    sure: bool = False


class PaidForm(msgspec.Struct):
    """Whose orders have been paid on site."""

    seat_ids: SeatIds = []
    sure: bool = False


@post(ONE + "/seats/cancel", **POST_OPTIONS)
async def cancel_seats(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Asks what goes back to whom, then frees the places order by order."""
    bound = bind(CancelSeatsForm, await read_form(request))
    form = bound.struct
    view = await look_at(services, ctx, session_id, bound, ticked(bound), {SeatState.CONFIRMED})
    async with services.uow_factory(ctx.here.id) as uow:
        left = await list_chosen(uow, session_id, ticked(bound), SEEN)
        stays = [whom(one) for one in left]
        if not view.chosen and ticked(bound):
            view = msgspec.structs.replace(view, why_not=_nobody_to_cancel(stays))
        able = await list_returnable_to_cards(uow, ctx.here, view.seat_ids)
    mails = sum(bool(one.email) for one in view.chosen)
    asked = money_asked(able, ctx.here.currency)
    view = msgspec.structs.replace(view, money=asked, mails=mails, stays=stays)
    if form is None or not form.sure or view.why_not:
        return ask(request, "cancel", view)
    try:
        wanted = money_wanted(form, ctx.here.currency)
        back = decided_minor(able, wanted, ctx.here.currency)
    except InvalidInput as refused:
        return ask(request, "cancel", msgspec.structs.replace(view, form=bound.refused(refused)))
    freed: list[tuple[int, int]] = []

    async def act(one: Chosen) -> None:
        cmd = CancelPlaces(
            session_id=session_id,
            order_id=one.order_id,
            seat_ids=one.seat_ids,
            back_minor=back.get(one.order_id, 0),
            why=form.reason.strip(),
        )
        async with services.uow_factory(ctx.here.id) as uow:
            done = await cancel_places(uow, ctx, cmd)
        freed.append((done.seats, done.back_minor))

    failures = await each_order(view.chosen, act)
    seats, minor = sum(one[0] for one in freed), sum(one[1] for one in freed)
    said = ngettext("%(num)s place is free again.", "%(num)s places are free again.", seats)
    if minor:
        said += " " + _("%(amount)s is on its way back.", amount=money(minor, view.currency))
    return outcome(request, view, said, failures)


def _nobody_to_cancel(stays: list[str]) -> str:
    if stays:
        return _(
            "Nobody chosen is still to come. Take back who is here or did not come, then cancel."
        )
    return _("None of those chosen has a place in this session any more.")


@post(ONE + "/seats/paid", **POST_OPTIONS)
async def mark_seats_paid(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Asks first, for what is owed is owed for a whole order; then notes each as paid."""
    bound = bind(PaidForm, await read_form(request))
    view = await look_at(services, ctx, session_id, bound, ticked(bound))
    owing = [one for one in view.chosen if one.owed_minor]
    total_minor = sum(one.owed_minor for one in owing)
    paid = [
        Failure(name=whom(one), why=_("Nothing is to be paid on site for this booking."))
        for one in view.chosen
        if not one.owed_minor
    ]
    view = msgspec.structs.replace(
        view, chosen=owing, total_minor=total_minor, left_out=[*view.left_out, *paid]
    )
    if not owing and not view.why_not:
        view = msgspec.structs.replace(view, why_not=_("None of those chosen owes anything."))
    if bound.struct is None or not bound.struct.sure or view.why_not:
        return ask(request, "paid", view)
    taken: list[int] = []

    async def act(one: Chosen) -> None:
        async with services.uow_factory(ctx.here.id) as uow:
            written = await mark_paid_on_site(uow, ctx, one.order_id)
        taken.append(written.amount_minor)

    failures = await each_order(owing, act)
    amount = money(sum(taken), view.currency)
    return outcome(request, view, _("%(amount)s noted as paid.", amount=amount), failures)


@post(ONE + "/seats/message", **POST_OPTIONS)
async def write_to_seats(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """One mail to each customer among those chosen."""
    bound = bind(MessageForm, await read_form(request))
    form = bound.struct
    view = await look_at(services, ctx, session_id, bound, ticked(bound))
    if form is None or not form.sure or form.token is None or view.why_not:
        if form is not None:
            initial = {"token": new_id(), "subject": form.subject, "text": form.text}
            view = msgspec.structs.replace(view, form=blank(MessageForm, initial))
        return ask(request, "message", view)
    missing = {
        name: _("Please fill this in.")
        for name in ("subject", "text")
        if not getattr(form, name).strip()
    }
    if missing:
        view = msgspec.structs.replace(view, form=bound.with_errors(missing))
        return ask(request, "message", view)
    cmd = WriteToGuests(
        session_id=session_id,
        seat_ids=view.seat_ids,
        message_id=form.token,
        subject=" ".join(form.subject.split()),
        text=form.text,
    )
    async with services.uow_factory(ctx.here.id) as uow:
        reached = await write_to_guests(uow, ctx, cmd)
    said = ngettext("%(num)s mail is on its way.", "%(num)s mails are on their way.", reached)
    return outcome(request, view, said, [])


route_handlers = [cancel_seats, mark_seats_paid, write_to_seats]
