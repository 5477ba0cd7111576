"""What the pages about several guests of a session at once have in common.

Each asks first and lists whom it touches; then every order is a transaction of its own, and those
that could not be done are listed with the reason.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from msgspec import Meta

from src.booking.domain.kinds import SeatState
from src.booking.domain.reasons import Reason
from src.booking.domain.states import LIVE_SEATS, TAKEN_SEATS
from src.booking.queries.roster_actions import list_chosen
from src.booking.queries.sessions import get_session_detail
from src.booking.views.roster_actions import Chosen, Failure
from src.booking.views.sessions import SessionDetail
from src.booking.web.roster import MOST_TICKED
from src.platform.errors import DomainError
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind
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
GONE = frozenset(SeatState) - LIVE_SEATS
"""Of places that ended after the page with the ticks was opened."""

SeatIds = Annotated[list[UUID], Meta(max_length=MOST_TICKED)]


class _Ticked(msgspec.Struct):
    """The ticked seats alone."""

    seat_ids: SeatIds = []


class BulkView(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the act touches, before it is done; `why_not` when it cannot be done at all.

    `left_out` are those who are ticked but not chosen.
    """

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
    left_out: list[Failure] = []


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, in a sentence, and for whom it could not be."""

    session: SessionDetail
    said: str
    failures: list[Failure]
    base: str
    here: str


async def each_order(
    chosen: list[Chosen], act: Callable[[Chosen], Awaitable[None]]
) -> list[Failure]:
    """Does it for each order; those that refuse are handed back with their reason."""
    failures: list[Failure] = []
    for one in chosen:
        try:
            await act(one)
        except DomainError as refused:
            failures.append(Failure(name=whom(one), why=_owners_words(refused)))
    return failures


def _owners_words(refused: DomainError) -> str:
    """Not the guest's, where there are both."""
    reasons: Sequence[Reason] = getattr(refused, "reasons", ())
    return reasons[0].owner_sentence if reasons else refused.message


def whom(one: Chosen) -> str:
    """Those of the order who are chosen, and who booked where that is nobody of them."""
    people = ", ".join(one.people) or one.name
    if one.name in one.people or people == one.name:
        return people
    return _("%(people)s, booked by %(name)s", people=people, name=one.name)


def ticked(bound: Bound[Any]) -> list[UUID]:
    """The ticked seats, each once; none when something else stands there."""
    if bound.struct is not None:
        return list(dict.fromkeys(bound.struct.seat_ids))
    again = bind(_Ticked, {"seat_ids": bound.values("seat_ids")}).struct
    return [] if again is None else list(dict.fromkeys(again.seat_ids))


async def look_at(
    services: Services,
    ctx: RequestContext,
    session_id: UUID,
    bound: Bound[Any],
    seat_ids: list[UUID],
    states: Collection[SeatState] = TAKEN_SEATS,
    *,
    is_being_cancelled: bool | None = None,
) -> BulkView:
    """Those of the ticked seats in one of the `states`, and where it is asked for only those that
    are being cancelled, or that are not. Raises: NotFound for a seat of another session.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
        chosen = await list_chosen(
            uow, session_id, seat_ids, states, is_being_cancelled=is_being_cancelled
        )
        gone = await list_chosen(uow, session_id, seat_ids, GONE)
        held = await list_chosen(uow, session_id, seat_ids, {SeatState.HELD})
    base = f"/app/{ctx.here.slug}"
    return BulkView(
        form=bound,
        session=session,
        chosen=chosen,
        seat_ids=[seat_id for one in chosen for seat_id in one.seat_ids],
        mails=len({one.customer_id for one in chosen if one.email}),
        total_minor=sum(one.owed_minor for one in chosen),
        why_not=None if chosen else _("Choose at least one guest who has a place."),
        currency=ctx.here.currency,
        base=base,
        here=f"{base}/sessions/{session_id}",
        zone=ctx.here.timezone,
        left_out=[
            *(Failure(name=whom(one), why=_("This place is gone by now.")) for one in gone),
            *(Failure(name=whom(one), why=_("Held, and not paid yet.")) for one in held),
        ],
    )


def ask(request: AnyRequest, act: str, view: BulkView) -> Response[bytes]:
    """The page that asks; where there is nobody to ask about, the roster says so."""
    if not view.chosen:
        left_out = [f"{one.name}: {one.why}" for one in view.left_out]
        flash(request, "warning", " ".join([str(view.why_not), *left_out]))
        return redirect(request, view.here)
    status_code = 422 if view.form.errors or view.form.form_error else 200
    return page(request, f"booking/roster/bulk_{act}.html", view, status_code=status_code)


def outcome(
    request: AnyRequest, view: BulkView, said: str, failures: list[Failure]
) -> Response[bytes]:
    """Back to the roster; where something could not be done, also since a place was gone by then, a
    page that says what and why.
    """
    failures = [*view.left_out, *failures]
    if not failures:
        flash(request, "success", said)
        return redirect(request, view.here)
    view_of = OutcomeView(
        session=view.session, said=said, failures=failures, base=view.base, here=view.here
    )
    return page(request, "booking/roster/bulk_outcome.html", view_of)
