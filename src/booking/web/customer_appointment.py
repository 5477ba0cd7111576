"""/app/<slug>/customers/<id>/appointment/<service>: staff book an appointment for a guest.

They choose among the free times as guests do, or type any other: the hours do not bind them.
"""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.domain.credits import LotFacts
from src.billing.queries.payment_settings import find_transfer_terms
from src.booking.commands.services import get_service
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.kinds import ServiceKind
from src.booking.models import Service
from src.booking.place import place_by_staff
from src.booking.queries.credits import list_usable
from src.booking.queries.customers import get_customer
from src.booking.queries.free_times import givers
from src.booking.queries.time_picker import Place, get_time_picker, lengths_on_offer
from src.booking.queries.verdict import get_slot_verdict
from src.booking.views.appointments import TimePicker
from src.booking.views.customers import CustomerHead, Verdict
from src.booking.web.appointment_page import day_of, picked_of
from src.booking.web.customer import ONE
from src.booking.web.customer_booking import (
    StaffBookingForm,
    credit_ways,
    said_of_booking,
    sentence_of,
    staff_command,
    staff_ways,
)
from src.booking.web.customers import MAY_CARE, POST_OPTIONS, customers_path
from src.booking.web.guest_forms import new_form_token, token_of
from src.booking.web.guest_subject import read_slot, slot_query
from src.booking.web.staff_code import AppliedCode, applied_anew, applied_code, asks_for_code
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.localtime import to_utc
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext

HERE = ONE + "/appointment/{appointments_of:uuid}"


class StaffAppointmentView(msgspec.Struct, frozen=True, kw_only=True):
    """The free times, or with a `verdict` the form for the chosen one. `lengths` and `performers`
    are what another time can be typed for.
    """

    form: Any
    form_token: str
    head: CustomerHead
    service_name: str
    verdict: Verdict | None
    ends_at: datetime | None
    performer: str
    picker: TimePicker | None
    lengths: list[int]
    performers: list[tuple[str, str]]
    refusal: str
    ways: list[tuple[str, str, str]]
    takes_codes: bool
    applied: AppliedCode | None
    action: str
    base: str
    here: str
    zone: Any
    currency: str


@get(HERE, guards=MAY_CARE, include_in_schema=False)
async def show_appointment(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
    appointments_of: FromPath[UUID],
) -> Response[bytes]:
    """The free times; with `at=`, or a day `on=` and a time `clock=`, the form for just that."""
    return await _show(request, services, ctx, customer_id, appointments_of, None, new_form_token())


@post(HERE, **POST_OPTIONS)
async def book_appointment(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
    appointments_of: FromPath[UUID],
) -> Response[bytes]:
    """Books once, however often it is sent."""
    async with services.uow_factory(ctx.here.id) as uow:
        head = await get_customer(uow, customer_id)
    data = await read_form(request)
    token, bound, slot = token_of(data), bind(StaffBookingForm, data), _slot(request, ctx)
    form = bound.struct
    if form is None or slot is None:
        return await _show(request, services, ctx, customer_id, appointments_of, bound, token, 422)
    try:
        command = staff_command(ctx, head, form, ("session", appointments_of), token)
        command = msgspec.structs.replace(command, slot=slot, quoted_dates=None)
        if form.is_to_look:
            seen = await applied_code(services, ctx, command)
            return await _show(
                request, services, ctx, customer_id, appointments_of, bound, token, applied=seen
            )
        booked = await place_by_staff(services, ctx, command)
    except InvalidInput as refused:
        shown = bound.refused(refused)
        return await _show(request, services, ctx, customer_id, appointments_of, shown, token, 422)
    except Conflict as refusal:
        shown = bound.with_errors(None, sentence_of(refusal))
        seen = await applied_anew(services, ctx, command, refusal)
        return await _show(
            request, services, ctx, customer_id, appointments_of, shown, token, 409, seen
        )
    flash(request, "success", said_of_booking(head, booked))
    return redirect(request, f"{customers_path(ctx)}/{booked.order.customer_id}")


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    customer_id: UUID,
    service_id: UUID,
    form: Bound[StaffBookingForm] | None,
    token: str,
    status_code: int = 200,
    applied: AppliedCode | None = None,
) -> Response[bytes]:
    slot, tenant = _slot(request, ctx), ctx.here
    verdict, picker, lots = None, None, list[LotFacts]()
    async with services.uow_factory(tenant.id) as uow:
        head = await get_customer(uow, customer_id)
        if head.merged_into is not None:
            return redirect(request, f"{customers_path(ctx)}/{head.merged_into}/book")
        service = await _service(uow, service_id)
        known = await givers(uow, service_id)
        takes_transfers = await find_transfer_terms(uow) is not None
        if slot is not None and (slot.performer_id is None or slot.performer_id in known):
            verdict = await get_slot_verdict(uow, tenant, service, slot)
            lots = await list_usable(uow, customer_id, slot.starts_at)
        else:
            place = _place(request)
            picker = await get_time_picker(uow, tenant, service, picked_of(request), place)
        codes = await asks_for_code(uow, ctx, verdict)
    performer = known.get(slot.performer_id, "") if slot and slot.performer_id else ""
    view = StaffAppointmentView(
        form=form or blank(StaffBookingForm, {"party": head.name, "pays": "on_site"}),
        form_token=token,
        head=head,
        service_name=service.name,
        verdict=verdict,
        ends_at=slot.ends_at if slot and verdict else None,
        performer=performer,
        picker=picker,
        lengths=[one.minutes for one in lengths_on_offer(service)],
        performers=[(str(one), name) for one, name in known.items()],
        refusal=_refusal(request, slot),
        ways=[*credit_ways(lots), *staff_ways(ctx, head, takes_transfers=takes_transfers)],
        takes_codes=codes,
        applied=applied,
        action=str(request.scope["path"]),
        base=f"/app/{tenant.slug}",
        here=f"{customers_path(ctx)}/{customer_id}",
        zone=tenant.zone,
        currency=tenant.currency,
    )
    template = "booking/customers/appointment.html"
    return page(request, template, view, status_code=status_code)


async def _service(uow: Any, service_id: UUID) -> Service:
    """Raises: NotFound for one that has dates."""
    service = await get_service(uow, service_id)
    if service.kind != ServiceKind.APPOINTMENT:
        raise NotFound(_("There is no such service."))
    return service


def _place(request: AnyRequest) -> Place:
    path = str(request.scope["path"])
    return Place(path=path, href_of=lambda slot: f"{path}?{slot_query(slot)}")


def _refusal(request: AnyRequest, slot: SlotWish | None) -> str:
    """For a day or a time that was typed and is none."""
    query = request.query_params
    if slot is None and ("on" in query or "clock" in query):
        return _("Please give a day and a time.")
    return ""


def _slot(request: AnyRequest, ctx: RequestContext) -> SlotWish | None:
    """The time in the address, chosen or typed on the clock of the business."""
    query = request.query_params
    at = query.get("at", "")
    on, clock = day_of(query.get("on", "")), _clock(query.get("clock", ""))
    if not at and on is not None and clock is not None:
        at = f"{to_utc(datetime.combine(on, clock), ctx.here.zone).astimezone(UTC):%Y%m%dT%H%MZ}"
    return read_slot(at, query.get("minutes", ""), query.get("with", ""))


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if len(text) == len("00:00") else None
    except ValueError:
        return None


route_handlers = [show_appointment, book_appointment]
