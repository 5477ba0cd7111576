"""/app/<slug>/services/<id>/reminders: the mails before each date, and whom new ones reach."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.reminders import change_reminders
from src.booking.commands.services import get_service
from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.reminding import MOST_REMINDERS, Offset, reminder_errors, reminders_from
from src.booking.models import Service
from src.booking.queries.reminders import count_reached
from src.booking.queries.resources import Choice
from src.booking.reminder_words import offset_words
from src.platform.errors import InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
PATH = "/app/{slug:str}/services/{service_id:uuid}/reminders"


class ReminderRow(msgspec.Struct, kw_only=True):
    """One mail as it is typed; without a number it is none."""

    ahead: int | None = None
    unit: BeforeUnit = BeforeUnit.HOURS


class RemindersForm(msgspec.Struct, kw_only=True):
    """All mails of a service. `looked`: whom they reach has been shown."""

    reminders: list[ReminderRow] = msgspec.field(default_factory=list)
    looked: bool = False

    @property
    def offsets(self) -> list[Offset]:
        return [(row.ahead, row.unit) for row in self.reminders if row.ahead is not None]

    @property
    def positions(self) -> list[int]:
        """Where the offsets stand among the rows."""
        return [place for place, row in enumerate(self.reminders) if row.ahead is not None]


class RemindersView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor, and before anything is switched on whom it reaches: `facts` is empty before."""

    form: Any
    name: str
    base: str
    rows: int
    units: list[Choice]
    facts: list[tuple[str, str]]
    carried: list[tuple[str, str]]


@get(PATH, guards=MAY_EDIT, include_in_schema=False)
async def show_reminders(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, service_id)
    kept = [{"ahead": one.ahead, "unit": one.unit} for one in reminders_from(service.reminders)]
    return _page(request, ctx, service, blank(RemindersForm, {"reminders": kept}))


@post(PATH, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_reminders(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    """New ones that reach bookings which are there already are shown with their number first."""
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, service_id)
    bound = bind(RemindersForm, await read_form(request))
    form = bound.struct
    if form is None:
        return _page(request, ctx, service, bound, status_code=422)
    reached = 0 if form.looked else await _reached(services, ctx, service, form.offsets)
    if reached:
        return _page(request, ctx, service, bound, facts=_facts(form.offsets, reached))
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_reminders(uow, ctx, service_id, form.offsets)
    except InvalidInput as refused:
        bound = bound.refused(_at_the_form(refused, form))
        return _page(request, ctx, service, bound, status_code=422)
    flash(request, "success", _("The reminders of “%(name)s” are saved.", name=service.name))
    return redirect(request, f"/app/{ctx.here.slug}/services")


async def _reached(
    services: Services, ctx: RequestContext, service: Service, offsets: list[Offset]
) -> int:
    kept = {one.offset for one in reminders_from(service.reminders)}
    new = [offset for offset in offsets if offset not in kept]
    if not new or reminder_errors(offsets):
        return 0
    async with services.uow_factory(ctx.here.id) as uow:
        return await count_reached(uow, service.id, new, services.clock.now(), ctx.here.zone)


def _facts(offsets: list[Offset], reached: int) -> list[tuple[str, str]]:
    bookings = ngettext("%(num)s booking", "%(num)s bookings", reached)
    return [
        (_("Reminders"), ", ".join(offset_words(ahead, unit) for ahead, unit in offsets)),
        (_("Reached of those already booked"), bookings),
        (_("Not sent"), _("what would have been due before now")),
    ]


def _at_the_form(refused: InvalidInput, form: RemindersForm) -> InvalidInput:
    """The refusal with the numbers of the form's own rows."""
    fields = {}
    for name, said in refused.fields.items():
        _list, position, column = name.split(".")
        fields[f"reminders.{form.positions[int(position)]}.{column}"] = said
    return InvalidInput(refused.message, fields=fields)


def _page(
    request: AnyRequest,
    ctx: RequestContext,
    service: Service,
    form: Bound[RemindersForm],
    *,
    facts: list[tuple[str, str]] | None = None,
    status_code: int = 200,
) -> Response[bytes]:
    names = [
        f"reminders.{row}.{column}"
        for row in range(form.rows("reminders"))
        for column in ("ahead", "unit")
    ]
    view = RemindersView(
        form=form,
        name=service.name,
        base=f"/app/{ctx.here.slug}/services",
        rows=MOST_REMINDERS,
        units=[
            (BeforeUnit.HOURS, _("hours before")),
            (BeforeUnit.DAYS, _("days before, at the same time")),
        ],
        facts=facts or [],
        carried=[(name, form.value(name)) for name in names],
    )
    return page(request, "booking/services/reminders.html", view, status_code=status_code)


route_handlers = [show_reminders, save_reminders]
