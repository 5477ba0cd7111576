"""/b/<slug>/me: guests take along what is kept about them, or have it erased for good."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.booking.commands.erase_customer import erase_oneself, word_to_type
from src.booking.queries.erasing import preview_erasing
from src.booking.queries.erasing_bars import find_bars, own_bars
from src.booking.queries.person import find_person, read_person
from src.booking.views.portal import EraseOneselfView
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ratelimit import Limit, Outage
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.portal_sections import Portal, portal_head
from src.tenants.web.portal import open_portal, sign_out_guest_everywhere
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

AnyRequest = Request[Any, Any, Any]
OF_THE_BUSINESS = frozenset({"customer_notes", "customer_tags", "audit"})
"""What staff noted for themselves, and the log of who did what: these the business hands over when
it is asked, for they tell of others too."""
EXPORTS_BY_CUSTOMER = Limit("portal-export", 10, 60 * 60, Outage.COUNT_HERE)


class EraseOneselfForm(msgspec.Struct):
    """What was typed to say that this is meant."""

    typed: Annotated[str, Meta(max_length=320)] = ""


@post(f"{ME}/export", opt=GUESTS, status_code=200)
async def export_oneself(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Everything that the guest said, booked, paid and was written, as JSON; it is in the log."""
    portal = await open_portal(request, services, ctx)
    customer_id = portal.guest.customer_id
    await services.limiter.check(EXPORTS_BY_CUSTOMER, str(customer_id))
    async with services.uow_factory(ctx.here.id) as uow:
        person = await find_person(uow, customer_id)
        read = await read_person(uow, person)
        found = {name: rows for name, rows in read.items() if name not in OF_THE_BUSINESS}
        rows = sum(len(each) for each in found.values())
        await audit(uow, ctx, "customer.handed_over", "customer", customer_id, rows=rows)
    about = {"business": ctx.here.name, "exported_at": person.at, **found}
    written = msgspec.json.format(msgspec.json.encode(about), indent=2)
    name = f'attachment; filename="my-data-{ctx.here.slug}.json"'
    headers = {**PRIVATE, "content-disposition": name}
    return Response(written, media_type="application/json", headers=headers)


@get(f"{ME}/erase", opt=GUESTS)
async def ask_erasing_oneself(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    return await _ask(request, services, ctx, portal, blank(EraseOneselfForm))


@post(f"{ME}/erase", opt=GUESTS, status_code=200)
async def erase_own_data(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    form = bind(EraseOneselfForm, await read_form(request))
    if form.struct is None:
        return await _ask(request, services, ctx, portal, form)
    customer_id = portal.guest.customer_id
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await erase_oneself(uow, ctx, customer_id, form.struct.typed)
    except InvalidInput as refusal:
        return await _ask(request, services, ctx, portal, form.refused(refusal))
    except Conflict as refusal:
        if refusal.code != "not_erasable":
            raise
        flash(request, "error", refusal.message)
        return redirect(request, f"{portal.path}/erase")
    await sign_out_guest_everywhere(request, services, ctx, customer_id)
    said = _("You are erased at %(business)s, and signed out.", business=ctx.here.name)
    flash(request, "success", said)
    return redirect(request, f"/b/{ctx.here.slug}")


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    portal: Portal,
    form: Bound[EraseOneselfForm],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        person = await find_person(uow, portal.guest.customer_id)
        preview = await preview_erasing(uow, person)
        bars = own_bars(await find_bars(uow, person))
        word = await word_to_type(uow, portal.guest.customer_id)
    view = EraseOneselfView(
        head=portal_head(portal, "profile"),
        form=form,
        stays=preview.stays,
        owed=preview.owed,
        vouchers=preview.vouchers,
        in_parts=preview.in_parts,
        credits=preview.credits,
        unpaid=preview.unpaid,
        bars=bars,
        word=word,
        business=ctx.here.name,
    )
    status = 422 if form.errors else 200
    template = "booking/portal/erase.html"
    return page(request, template, view, status_code=status, headers=PRIVATE)


route_handlers: list[Any] = [export_oneself, ask_erasing_oneself, erase_own_data]
