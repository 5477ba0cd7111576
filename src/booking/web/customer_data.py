"""/app/<slug>/customers/<id>: an owner hands over what is kept about a person, or erases it."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.erase_customer import erase_customer, word_to_type
from src.booking.queries.customers import get_customer
from src.booking.queries.erasing import ErasePreview, preview_erasing
from src.booking.queries.person import find_person, read_person
from src.booking.views.customers import CustomerHead
from src.booking.web.customer import ONE
from src.booking.web.customers import REFUSED, customers_path
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

OWNERS = [requires_member(Role.OWNER)]


class EraseForm(msgspec.Struct):
    """What was typed to say that this is meant."""

    typed: Annotated[str, Meta(max_length=320)] = ""


class EraseView(msgspec.Struct, frozen=True, kw_only=True):
    """What erasing does, and what has to be typed for it."""

    form: Bound[EraseForm]
    head: CustomerHead
    preview: ErasePreview
    word: str
    base: str
    here: str
    bookings: str
    zone: str


@post(ONE + "/export", guards=OWNERS, status_code=200, include_in_schema=False)
async def export_person(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    """Everything that is kept about them as JSON; that it was taken along is in the log."""
    async with services.uow_factory(ctx.here.id) as uow:
        person = await find_person(uow, customer_id)
        found = await read_person(uow, person)
        rows = sum(len(each) for each in found.values())
        await audit(uow, ctx, "customer.handed_over", "customer", customer_id, rows=rows)
    about = {"business": ctx.here.name, "exported_at": person.at, **found}
    written = msgspec.json.format(msgspec.json.encode(about), indent=2)
    name = f"person-{customer_id}.json"
    return Response(
        written,
        media_type="application/json",
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        },
    )


@get(ONE + "/erase", guards=OWNERS, include_in_schema=False)
async def ask_erasing(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    return await _ask(request, services, ctx, customer_id, blank(EraseForm))


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    customer_id: UUID,
    form: Bound[EraseForm],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        head = await get_customer(uow, customer_id)
        person = await find_person(uow, customer_id)
        preview = await preview_erasing(uow, person)
        word = await word_to_type(uow, customer_id)
    view = EraseView(
        form=form,
        head=head,
        preview=preview,
        word=word,
        base=customers_path(ctx),
        here=f"{customers_path(ctx)}/{customer_id}",
        bookings=f"/app/{ctx.here.slug}/bookings",
        zone=ctx.here.timezone,
    )
    status = REFUSED if form.errors else 200
    return page(request, "booking/customers/erase.html", view, status_code=status)


@post(ONE + "/erase", guards=OWNERS, status_code=200, include_in_schema=False)
async def erase(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(EraseForm, await read_form(request))
    if form.struct is None:
        return await _ask(request, services, ctx, customer_id, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await erase_customer(uow, ctx, customer_id, form.struct.typed)
    except InvalidInput as refusal:
        return await _ask(request, services, ctx, customer_id, form.refused(refusal))
    except Conflict as refusal:
        if refusal.code != "not_erasable":
            raise
        flash(request, "error", refusal.message)
        return redirect(request, f"{customers_path(ctx)}/{customer_id}/erase")
    flash(request, "success", _("The person is erased. What was paid stays in your books."))
    return redirect(request, f"{customers_path(ctx)}/{customer_id}")


route_handlers = [export_person, ask_erasing, erase]
