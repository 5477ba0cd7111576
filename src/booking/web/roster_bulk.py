"""What is done with several guests of a session at once: written to, marked as paid.

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
from src.booking.commands.roster_actions import WriteToGuests, write_to_guests
from src.booking.queries.handing_on import list_holders_of
from src.booking.views.roster_actions import Chosen, Failure
from src.booking.web.roster import ONE
from src.booking.web.roster_chosen import (
    POST_OPTIONS,
    AnyRequest,
    BulkView,
    SeatIds,
    ask,
    each_order,
    look_at,
    outcome,
    ticked,
    whom,
)
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.formats import money
from src.platform.web.forms import Bound, bind, blank, read_form
from src.tenants.context import RequestContext


class MessageForm(msgspec.Struct):
    """The message, and a token so that sending it twice reaches nobody twice."""

    seat_ids: SeatIds = []
    subject: Annotated[str, Meta(max_length=150)] = ""
    text: Annotated[str, Meta(max_length=5000)] = ""
    token: UUID | None = None
    sure: bool = False


class MessageView(BulkView, frozen=True, kw_only=True):
    """`stand_ins` have a place of one of those chosen, and are not written to."""

    stand_ins: list[str]


class PaidForm(msgspec.Struct):
    """Whose orders have been paid on site."""

    seat_ids: SeatIds = []
    sure: bool = False


@post(ONE + "/seats/paid", **POST_OPTIONS, shown_at=ONE)
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


@post(ONE + "/seats/message", **POST_OPTIONS, shown_at=ONE)
async def write_to_seats(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """One mail to each customer among those chosen."""
    bound = bind(MessageForm, await read_form(request))
    form = bound.struct
    view: BulkView = await _message_view(services, ctx, session_id, bound)
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


async def _message_view(
    services: Services, ctx: RequestContext, session_id: UUID, bound: Bound[MessageForm]
) -> MessageView:
    view = await look_at(services, ctx, session_id, bound, ticked(bound))
    async with services.uow_factory(ctx.here.id) as uow:
        holders = (await list_holders_of(uow, view.seat_ids)).values()
    known = {name: getattr(view, name) for name in BulkView.__struct_fields__}
    named = [f"{one.name} ({one.address})" if one.address else one.name for one in holders]
    return MessageView(**known, stand_ins=sorted(named))


route_handlers = [mark_seats_paid, write_to_seats]
