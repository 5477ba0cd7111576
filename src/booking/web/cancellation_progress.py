"""How far a cancellation is, with a way back, and what is to be done about its money."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.by_staff import retry_refund_by_hand
from src.booking.commands.cancel import undo_cancellation
from src.booking.commands.hand_back import note_handed_back
from src.booking.queries.cancellations import get_progress
from src.booking.queries.party import list_people_cancelled
from src.booking.queries.returns import get_money_back, list_failed_refunds
from src.booking.views.cancellations import Progress
from src.booking.views.returns import MoneyBack
from src.booking.web.cancellations import MAY_CANCEL, POST_OPTIONS
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.formats import money
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

MOST_NAMED = 12
ONE = "/app/{slug:str}/cancellations/{cancellation_id:uuid}"
AnyRequest = Request[Any, Any, Any]


class ProgressView(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is. `seconds_left` of the undo window, 0 when it has passed; `people` are those
    whose places were chosen one by one, or whose purchase it is, and `more` of them go unnamed.
    """

    progress: Progress
    money: MoneyBack | None
    base: str
    here: str
    zone: str
    seconds_left: int
    people: list[str]
    more: int


@get(
    ONE,
    guards=MAY_CANCEL,
    include_in_schema=False,
)
async def show_progress(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    cancellation_id: FromPath[UUID],
) -> Response[bytes]:
    """The whole page, or for HTMX the part that moves."""
    async with services.uow_factory(ctx.here.id) as uow:
        progress = await get_progress(uow, cancellation_id)
        back = await get_money_back(uow, ctx.here, cancellation_id)
        people, more = list[str](), 0
        if progress.scope in ("seats", "purchase"):
            people, more = await list_people_cancelled(uow, cancellation_id, MOST_NAMED)
    base = f"/app/{ctx.here.slug}"
    view = ProgressView(
        progress=progress,
        money=back,
        base=base,
        here=f"{base}/cancellations/{cancellation_id}",
        zone=ctx.here.timezone,
        seconds_left=_seconds_until(progress.starts_at, services.clock.now()),
        people=people,
        more=more,
    )
    return page(
        request,
        "booking/cancellations/progress.html",
        view,
        fragment="booking/cancellations/_progress.html",
    )


@post(ONE + "/undo", **POST_OPTIONS)
async def undo(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    cancellation_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await undo_cancellation(uow, ctx, cancellation_id)
    except Conflict as refused:
        flash(request, "warning", refused.message)
    return _back(request, ctx, cancellation_id)


@post(ONE + "/refunds/{refund_id:uuid}/retry", **POST_OPTIONS)
async def try_refund_again(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    cancellation_id: FromPath[UUID],
    refund_id: FromPath[UUID],
) -> Response[bytes]:
    """One that did not go through; a second press finds it tried."""
    return await _try_again(request, services, ctx, cancellation_id, refund_id)


@post(ONE + "/refunds/retry", **POST_OPTIONS)
async def try_refunds_again(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    cancellation_id: FromPath[UUID],
) -> Response[bytes]:
    """All that did not go through; each in a transaction of its own."""
    return await _try_again(request, services, ctx, cancellation_id, None)


@post(ONE + "/handed/{order_id:uuid}", **POST_OPTIONS)
async def note_handed(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    cancellation_id: FromPath[UUID],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        minor = await note_handed_back(uow, ctx, cancellation_id, order_id)
    if minor:
        amount = money(minor, ctx.here.currency)
        flash(request, "success", _("Noted: %(amount)s given back.", amount=amount))
    return _back(request, ctx, cancellation_id)


async def _try_again(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    cancellation_id: UUID,
    refund_id: UUID | None,
) -> Response[bytes]:
    """Raises: NotFound for a refund that is none of this cancellation's."""
    async with services.uow_factory(ctx.here.id) as uow:
        await get_progress(uow, cancellation_id)
        failed = await list_failed_refunds(uow, cancellation_id)
    wanted = [one for one in failed if refund_id in (None, one.refund_id)]
    if refund_id is not None and not wanted:
        raise NotFound(_("This refund is not waiting for another try."))
    refused: list[str] = []
    for one in wanted:
        try:
            async with services.uow_factory(ctx.here.id) as uow:
                await retry_refund_by_hand(uow, ctx, one.order_id, one.refund_id)
        except (Conflict, InvalidInput) as refusal:
            refused.append(f"{one.name}: {refusal.message}")
    tried = len(wanted) - len(refused)
    if tried:
        said = ngettext("%(num)s refund is tried again.", "%(num)s refunds are tried again.", tried)
        flash(request, "success", said)
    if refused:
        flash(request, "warning", " ".join(refused[:3]))
    return _back(request, ctx, cancellation_id)


def _back(request: AnyRequest, ctx: RequestContext, cancellation_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/cancellations/{cancellation_id}")


def _seconds_until(at: datetime, now: datetime) -> int:
    return max(int((at - now).total_seconds()) + 1, 0) if at > now else 0


route_handlers: list[Any] = [
    show_progress,
    undo,
    try_refund_again,
    try_refunds_again,
    note_handed,
]
