"""A text at its own address, and signing it by the link of a booking or on one's own pages."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.orders import get_order
from src.billing.models import Order
from src.booking.commands.agreement_signing import sign_for_order, sign_what_waits
from src.booking.domain.agreements import LONGEST_SIGNATURE, Needed, SignedHow
from src.booking.guest_links import booking_path, open_link
from src.booking.queries.agreement_pages import (
    find_public_agreement,
    get_signature,
    list_signatures_of,
)
from src.booking.queries.agreements_waiting import find_waiting, find_waiting_of_order
from src.booking.queries.mail_facts import find_booking_facts
from src.booking.views.agreements import AgreementPageView, PortalAgreementsView, SigningView
from src.booking.web.agreed import LONGEST_AGREED, agreement_errors, signing_of
from src.booking.web.agreement_signatures import pdf_answer, signature_view
from src.platform.errors import InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.portal_sections import Portal, portal_head
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

PUBLIC = {"public": "Whoever is asked to sign a text can read it first."}
LINKED = {"public": "The signed link is the key to this one booking.", "while_suspended": True}
OF_BOOKING = "/b/{slug:str}/bookings/{token:str}/agreements"
OWN = f"{ME}/agreements"


class SignForm(msgspec.Struct, kw_only=True):
    """Agreeing to what was shown, and the name under it."""

    agree: bool = False
    agreed: Annotated[str, Meta(max_length=LONGEST_AGREED)] = ""
    signature: Annotated[str, Meta(max_length=LONGEST_SIGNATURE)] = ""


@get("/b/{slug:str}/agreements/{agreement_slug:str}", opt=PUBLIC)
async def show_public_agreement(
    request: AnyRequest,
    agreement_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The version that holds."""
    async with services.uow_factory(ctx.here.id) as uow:
        agreement, published_at = await find_public_agreement(uow, agreement_slug)
    view = AgreementPageView(
        agreement=agreement,
        published_at=published_at,
        zone=ctx.here.zone,
        hub=f"/b/{ctx.here.slug}",
    )
    return page(request, "booking/guest/agreement.html", view)


@get(OF_BOOKING, opt=LINKED)
async def show_to_sign(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What waits to be signed for this one booking; back to it where nothing does."""
    order = await _order(services, ctx, token)
    waiting = await _waiting(services, ctx, order)
    if not waiting:
        return redirect(request, booking_path(services.settings, ctx.here.slug, order))
    form = blank(SignForm, {"signature": ""})
    return await _to_sign(request, services, ctx, order, waiting, form)


@post(OF_BOOKING, opt=LINKED, status_code=200)
async def sign_by_link(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The link shows who may see this booking and no more: the signature stands for it alone."""
    order = await _order(services, ctx, token)
    waiting = await _waiting(services, ctx, order)
    bound = _checked(bind(SignForm, await read_form(request)), waiting)
    if bound.struct is not None:
        signing = signing_of(request, bound.struct, SignedHow.LINK)
        try:
            async with services.uow_factory(ctx.here.id) as uow:
                await sign_for_order(uow, order.customer_id, order.id, signing)
        except InvalidInput as refused:
            bound = bound.refused(refused)
            waiting = await _waiting(services, ctx, order)
    if bound.struct is None:
        return await _to_sign(request, services, ctx, order, waiting, bound, 422)
    flash(request, "success", _("Thank you, it is signed."))
    return redirect(request, booking_path(services.settings, ctx.here.slug, order))


async def _order(services: Services, ctx: RequestContext, token: str) -> Order:
    """Raises: what `open_link` raises."""
    order_id = await open_link(services, ctx, token)
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_order(uow, order_id)


async def _waiting(services: Services, ctx: RequestContext, order: Order) -> list[Needed]:
    async with services.uow_factory(ctx.here.id) as uow:
        return await find_waiting_of_order(uow, order.customer_id, order.id)


def _checked(bound: Bound[SignForm], waiting: list[Needed]) -> Bound[SignForm]:
    errors = agreement_errors(bound, waiting)
    return bound.with_errors(errors) if errors else bound


async def _to_sign(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order: Order,
    waiting: list[Needed],
    form: Bound[SignForm],
    status_code: int = 200,
) -> Response[bytes]:
    path = booking_path(services.settings, ctx.here.slug, order)
    async with services.uow_factory(ctx.here.id) as uow:
        facts = await find_booking_facts(uow, order.id)
    view = SigningView(
        form=form,
        agreements=waiting,
        what="" if facts is None else facts.what,
        action=f"{path}/agreements",
        back=path,
        slug=ctx.here.slug,
    )
    template = "booking/guest/sign.html"
    return page(request, template, view, status_code=status_code, headers=PRIVATE)


@get(OWN, opt=GUESTS)
async def show_own_agreements(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What waits for the guest's signature, and what they have signed."""
    portal = await open_portal(request, services, ctx)
    form = blank(SignForm, {"signature": portal.guest.name})
    return await _own(request, services, portal, form)


@post(OWN, opt=GUESTS, status_code=200)
async def sign_own(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    customer_id = portal.guest.customer_id
    async with services.uow_factory(ctx.here.id) as uow:
        waiting = await find_waiting(uow, customer_id)
    bound = _checked(bind(SignForm, await read_form(request)), waiting)
    if bound.struct is None:
        return await _own(request, services, portal, bound, 422)
    signing = signing_of(request, bound.struct, SignedHow.PORTAL)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            count = await sign_what_waits(uow, customer_id, signing)
    except InvalidInput as refused:
        return await _own(request, services, portal, bound.refused(refused), 422)
    if count:
        said = ngettext("Thank you, it is signed.", "Thank you, they are signed.", count)
        flash(request, "success", said)
    return redirect(request, f"{portal.path}/agreements")


async def _own(
    request: AnyRequest,
    services: Services,
    portal: Portal,
    form: Bound[SignForm],
    status_code: int = 200,
) -> Response[bytes]:
    tenant, customer_id = portal.tenant, portal.guest.customer_id
    async with services.uow_factory(tenant.id) as uow:
        view = PortalAgreementsView(
            head=portal_head(portal, "agreements"),
            form=form,
            waiting=await find_waiting(uow, customer_id),
            rows=await list_signatures_of(uow, customer_id),
            here=f"{portal.path}/agreements",
            slug=tenant.slug,
            zone=tenant.zone,
        )
    template = "booking/portal/agreements.html"
    return page(request, template, view, status_code=status_code, headers=PRIVATE)


@get(OWN + "/{signature_id:uuid}", opt=GUESTS)
async def show_own_signature(
    request: AnyRequest,
    signature_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The text as it was signed. Raises: NotFound for another guest's."""
    portal = await open_portal(request, services, ctx)
    own = portal.guest.customer_id
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_signature(uow, signature_id, customer_id=own)
    here = f"{portal.path}/agreements"
    view = signature_view(
        found,
        ctx.here,
        back=here,
        back_label=_("Agreements"),
        pdf_href=f"{here}/{signature_id}/signature.pdf",
        is_own=True,
    )
    return page(request, "booking/agreements/signature.html", view, headers=PRIVATE)


@get(OWN + "/{signature_id:uuid}/signature.pdf", opt=GUESTS)
async def show_own_signature_pdf(
    request: AnyRequest,
    signature_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    own = portal.guest.customer_id
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_signature(uow, signature_id, customer_id=own)
    return pdf_answer(found, ctx.here, is_own=True)


route_handlers: list[Any] = [
    show_public_agreement,
    show_to_sign,
    sign_by_link,
    show_own_agreements,
    sign_own,
    show_own_signature,
    show_own_signature_pdf,
]
