"""The page of a service by appointment: a day and a time on a calendar, each a link."""

from datetime import date
from typing import Any

import msgspec
from litestar import Request, Response

from src.booking.queries.appointment_page import get_appointment_page
from src.booking.queries.time_picker import Picked, Place
from src.booking.web.for_established import look_who_looks
from src.booking.web.guest_subject import slot_query
from src.booking.web.hub import uuid_of
from src.booking.web.own_holds import own_holds
from src.booking.web.share_cards import service_card
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

TEMPLATE = "booking/guest/appointment.html"


async def appointment_page(
    request: AnyRequest, services: Services, ctx: RequestContext, service_slug: str
) -> Response[bytes]:
    """`month`, `day`, `minutes` and `with` choose. Not kept: times go by the minute.

    Raises: NotFound for whatever is no such service, EstablishedOnly.
    """
    path = f"/b/{ctx.here.slug}/{service_slug}"
    place = Place(path=path, href_of=lambda slot: f"{path}/book?{slot_query(slot)}")
    guest = await look_who_looks(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_appointment_page(
            uow,
            ctx.here,
            service_slug,
            picked_of(request),
            place,
            services.settings.base_url,
            customer_id=None if guest is None else guest.customer_id,
        )
    held = await own_holds(request, services, ctx, service_slug)
    card = None if view.is_kept else service_card(ctx.here, view, services.settings.base_url)
    return page(request, TEMPLATE, msgspec.structs.replace(view, held=held, card=card))


def picked_of(request: AnyRequest) -> Picked:
    """What the address chooses; what makes no sense chooses nothing."""
    query = request.query_params
    return Picked(
        month=day_of(f"{query.get('month', '')}-01"),
        day=day_of(query.get("day", "")),
        minutes=_number(query.get("minutes", "")),
        performer=uuid_of(query.get("with", "")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


def day_of(text: str) -> date | None:
    """Within the years that calendars can be drawn for."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 < found.year < 9000 else None
