"""Where a code is put in at the door: by hand, by a hand scanner, or by the device's own camera.

The camera needs a script; without one the page has its field alone. What it reads is sent by a form
of the page, and the answer stands below the picture, so that the next guest's code can follow.
"""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.booking.domain.attendance import is_expected
from src.booking.domain.kinds import SeatState
from src.booking.web.check_in import (
    MAY_CHECK_IN,
    PRIVATE,
    AnyRequest,
    CheckInView,
    known_code,
    look_at_booking,
    tick_today,
)
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.formats import datetime_local
from src.platform.web.forms import bind, form_data, read_form
from src.platform.web.pages import page, redirect
from src.tenants.context import RequestContext

OPTIONS: dict[str, Any] = {
    "guards": MAY_CHECK_IN,
    "include_in_schema": False,
    "opt": {"camera": True},
}


class CodeForm(msgspec.Struct):
    """What a scanner read or typed, or a person: a code, its link, or a reference."""

    code: Annotated[str, Meta(max_length=500)] = ""


class ScanView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a code is put in; `refusal` says what was wrong with the last one, `found` is the
    booking that the camera has read.
    """

    typed: str
    refusal: str | None
    base: str
    found: CheckInView | None = None


@get("/app/{slug:str}/check-in", **OPTIONS)
async def show_scanner(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """A field for what a hand scanner types or a person reads out, and the camera."""
    base = f"/app/{ctx.here.slug}"
    query = bind(CodeForm, form_data(request.query_params.dict())).struct or CodeForm()
    if not query.code.strip():
        return page(
            request, "booking/check_in/scan.html", ScanView(typed="", refusal=None, base=base)
        )
    try:
        code = await known_code(services, ctx, query.code)
    except NotFound as refused:
        view = ScanView(typed=query.code, refusal=refused.message, base=base)
        return page(request, "booking/check_in/scan.html", view, status_code=404)
    return redirect(request, f"{base}/check-in/{code}")


@post("/app/{slug:str}/check-in", status_code=200, **OPTIONS)
async def scan(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Checks in whoever has the one place that the booking has today, near its time; else shows
    whom to choose from, or why nobody comes in. A code that is not known is told in its place, not
    as an error.
    """
    form = bind(CodeForm, await read_form(request)).struct or CodeForm()
    base = f"/app/{ctx.here.slug}"
    try:
        code = await known_code(services, ctx, form.code)
        found = await _checked_in(services, ctx, code)
    except NotFound as refused:
        view = ScanView(typed="", refusal=refused.message, base=base)
        return _answer(request, view, "booking/check_in/_refused.html", view)
    return _answer(
        request,
        ScanView(typed="", refusal=None, base=base, found=found),
        "booking/check_in/_scanned.html",
        found,
    )


async def _checked_in(services: Services, ctx: RequestContext, code: str) -> CheckInView:
    """The booking after what scanning does. Raises: NotFound."""
    view = await look_at_booking(services, ctx, code)
    now = services.clock.now()
    is_sure = [is_expected(seat.starts_at, seat.ends_at, now) for seat in view.booking.today]
    if is_sure == [True] and view.may_tick:
        said = await tick_today(services, ctx, code, view.may_tick, SeatState.ATTENDED)
        view = await look_at_booking(services, ctx, code)
        if view.booking.owed:
            # Whoever only hears the signal is to look up before the guest walks on.
            said = ("warning", said[1])
    else:
        said = _why_nobody_yet(view)
    return msgspec.structs.replace(view, said=said, is_in_place=True)


def _why_nobody_yet(view: CheckInView) -> tuple[str, str]:
    """Tone and sentence where scanning alone checks nobody in."""
    today = view.booking.today
    if view.why_none is not None:
        return "error", view.why_none
    if view.may_tick and len(today) == 1:
        when = datetime_local(today[0].starts_at, ZoneInfo(view.zone))
        said = _("This place is for %(when)s. Press “Here” only if they came for it.", when=when)
        return "warning", said
    if view.may_tick:
        return "info", _("Choose who of them is here.")
    if all(seat.state == SeatState.ATTENDED for seat in today):
        return "warning", _("Checked in already.")
    return "warning", next(filter(None, view.why_not.values()), _("Nobody can be checked in now."))


def _answer(request: AnyRequest, view: ScanView, part: str, shown: object) -> Response[bytes]:
    """The part below the camera, or the whole page where no script asked."""
    if exchange_of(request.scope).is_htmx:
        return page(request, part, shown, headers=PRIVATE)
    return page(request, "booking/check_in/scan.html", view, headers=PRIVATE)


route_handlers = [show_scanner, scan]
