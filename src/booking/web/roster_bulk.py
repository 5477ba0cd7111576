"""What is done with several guests of a session at once: written to, cancelled, marked as paid.

Each act shows whom it touches before it asks. Then every order is a transaction of its own, so that
one that cannot be done holds up nobody else; those that could not be are listed with the reason.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.by_staff import mark_paid_on_site
from src.booking.commands.roster_actions import (
    CancelPlaces,
    WriteToGuests,
    cancel_places,
    write_to_guests,
)
from src.booking.queries.roster_actions import list_chosen
from src.booking.queries.sessions import get_session_detail
from src.booking.views.roster_actions import Chosen, Failure
from src.booking.views.sessions import SessionDetail
from src.booking.web.amounts import read_amount, show_amount
from src.booking.web.roster import MOST_TICKED, ONE
from src.platform.errors import DomainError, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.formats import money
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

POST_OPTIONS: dict[str, Any] = {
    "guards": [requires_member(Role.MANAGER)],
    "status_code": 200,
    "include_in_schema": False,
}
AnyRequest = Request[Any, Any, Any]
SeatIds = Annotated[list[UUID], Meta(max_length=MOST_TICKED)]
Done = list[Failure]


class CancelSeatsForm(msgspec.Struct):
    """`back` is what goes back to each order's guest, as typed. Nothing is done before `sure`."""

    seat_ids: SeatIds = []
    back: dict[str, Annotated[str, Meta(max_length=20)]] = msgspec.field(default_factory=dict)
    reason: Annotated[str, Meta(max_length=500)] = ""
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


class BulkView(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the act touches, before it is done; `why_not` when it cannot be done at all."""

    form: Any
    session: SessionDetail
    chosen: list[Chosen]
    seat_ids: list[UUID]
    mails: int
    total_minor: int
    why_not: str | None
    currency: str
    base: str
    here: str
    zone: str


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, in a sentence, and for whom it could not be."""

    session: SessionDetail
    said: str
    failures: list[Failure]
    base: str
    here: str


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
    view = await _view(services, ctx, session_id, bound, _seat_ids(bound))
    if form is None or not form.sure or view.why_not:
        return _ask(request, "cancel", _with_amounts(view, bound))
    try:
        back = {one.order_id: _back_of(form, one, ctx.here.currency) for one in view.chosen}
    except InvalidInput as refused:
        return _ask(request, "cancel", msgspec.structs.replace(view, form=bound.refused(refused)))
    freed: list[tuple[int, int]] = []

    async def act(one: Chosen) -> None:
        cmd = CancelPlaces(
            session_id=session_id,
            order_id=one.order_id,
            seat_ids=one.seat_ids,
            back_minor=back[one.order_id],
            why=form.reason.strip(),
        )
        async with services.uow_factory(ctx.here.id) as uow:
            done = await cancel_places(uow, ctx, cmd)
        freed.append((done.seats, done.back_minor))

    failures = await _each(view.chosen, act)
    seats, minor = sum(one[0] for one in freed), sum(one[1] for one in freed)
    said = ngettext("%(num)s place is free again.", "%(num)s places are free again.", seats)
    if minor:
        said += " " + _("%(amount)s are on their way back.", amount=money(minor, view.currency))
    return _outcome(request, view, said, failures)


@post(ONE + "/seats/paid", **POST_OPTIONS)
async def mark_seats_paid(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Asks first, for what is owed is owed for a whole order; then notes each as paid."""
    bound = bind(PaidForm, await read_form(request))
    view = await _view(services, ctx, session_id, bound, _seat_ids(bound))
    owing = [one for one in view.chosen if one.owed_minor]
    total_minor = sum(one.owed_minor for one in owing)
    view = msgspec.structs.replace(view, chosen=owing, total_minor=total_minor)
    if not owing and not view.why_not:
        view = msgspec.structs.replace(view, why_not=_("None of those chosen owes anything."))
    if bound.struct is None or not bound.struct.sure or view.why_not:
        return _ask(request, "paid", view)
    taken: list[int] = []

    async def act(one: Chosen) -> None:
        async with services.uow_factory(ctx.here.id) as uow:
            written = await mark_paid_on_site(uow, ctx, one.order_id)
        taken.append(written.amount_minor)

    failures = await _each(owing, act)
    amount = money(sum(taken), view.currency)
    return _outcome(request, view, _("%(amount)s noted as paid.", amount=amount), failures)


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
    view = await _view(services, ctx, session_id, bound, _seat_ids(bound))
    if form is None or not form.sure or form.token is None or view.why_not:
        if form is not None:
            initial = {"token": new_id(), "subject": form.subject, "text": form.text}
            view = msgspec.structs.replace(view, form=blank(MessageForm, initial))
        return _ask(request, "message", view)
    missing = {
        name: _("Please fill this in.")
        for name in ("subject", "text")
        if not getattr(form, name).strip()
    }
    if missing:
        view = msgspec.structs.replace(view, form=bound.with_errors(missing))
        return _ask(request, "message", view)
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
    return _outcome(request, view, said, [])


async def _each(chosen: list[Chosen], act: Callable[[Chosen], Awaitable[None]]) -> Done:
    """Does it for each order; those that refuse are handed back with their reason."""
    failures: Done = []
    for one in chosen:
        try:
            await act(one)
        except DomainError as refused:
            failures.append(Failure(name=one.name, why=refused.message))
    return failures


def _seat_ids(bound: Bound[Any]) -> list[UUID]:
    """The ticked seats, each once; none when something else stands there."""
    if bound.struct is not None:
        return list(dict.fromkeys(bound.struct.seat_ids))
    again = bind(PaidForm, {"seat_ids": bound.values("seat_ids")}).struct
    return [] if again is None else list(dict.fromkeys(again.seat_ids))


def _back_of(form: CancelSeatsForm, one: Chosen, currency: str) -> int:
    """Raises: InvalidInput at the order's field for no amount, or more than can go back."""
    field = f"back.{one.order_id}"
    minor = read_amount(form.back.get(str(one.order_id), ""), currency, field)
    if minor > one.back_minor:
        most = money(one.back_minor, currency)
        sentence = _("At most %(amount)s can go back here.", amount=most)
        raise InvalidInput(sentence, fields={field: sentence})
    return minor


def _with_amounts(view: BulkView, bound: Bound[CancelSeatsForm]) -> BulkView:
    """The form with all that can go back in it, unless something was typed already."""
    if bound.struct is None or bound.struct.back:
        return view
    back = {str(one.order_id): show_amount(one.back_minor, view.currency) for one in view.chosen}
    return msgspec.structs.replace(view, form=blank(CancelSeatsForm, {"back": back}))


async def _view(
    services: Services,
    ctx: RequestContext,
    session_id: UUID,
    bound: Bound[Any],
    seat_ids: list[UUID],
) -> BulkView:
    """Raises: NotFound for a seat of another session."""
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
        chosen = await list_chosen(uow, session_id, seat_ids)
    base = f"/app/{ctx.here.slug}"
    return BulkView(
        form=bound,
        session=session,
        chosen=chosen,
        seat_ids=seat_ids,
        mails=len({one.customer_id for one in chosen if one.email}),
        total_minor=sum(one.back_minor for one in chosen),
        why_not=None if chosen else _("Choose at least one guest who has a place."),
        currency=ctx.here.currency,
        base=base,
        here=f"{base}/sessions/{session_id}",
        zone=ctx.here.timezone,
    )


def _ask(request: AnyRequest, act: str, view: BulkView) -> Response[bytes]:
    status_code = 422 if view.form.errors or view.form.form_error else 200
    return page(request, f"booking/roster/bulk_{act}.html", view, status_code=status_code)


def _outcome(
    request: AnyRequest, view: BulkView, said: str, failures: list[Failure]
) -> Response[bytes]:
    """Back to the roster; where something could not be done, a page that says what and why."""
    if not failures:
        flash(request, "success", said)
        return redirect(request, view.here)
    outcome = OutcomeView(
        session=view.session, said=said, failures=failures, base=view.base, here=view.here
    )
    return page(request, "booking/roster/bulk_outcome.html", outcome)


route_handlers = [cancel_seats, mark_seats_paid, write_to_seats]
