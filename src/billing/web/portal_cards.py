"""/b/<slug>/me/cards: the cards that a guest keeps with one business."""

import re
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.card_setup import begin_setup, look_at_setup
from src.billing.commands.cards import prefer_card, remove_card
from src.billing.domain.cards import MOST_CARDS, card_words, consent_words
from src.billing.queries.cards import list_kept_cards
from src.billing.views.cards import KeptCard
from src.platform.errors import Conflict, TooManyRequests, Unavailable
from src.platform.i18n import _
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.portal_sections import Portal, PortalHead, portal_head
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

AnyRequest = Request[Any, Any, Any]
CARDS = f"{ME}/cards"
ONE = CARDS + "/{card_id:uuid}"
SETUPS_BY_CUSTOMER = Limit("card-setup", 10, 60 * 60)
LOOKS_BY_CUSTOMER = Limit("card-setup-look", 10, 10 * 60)
_PAGE_ID = re.compile(r"cs_[A-Za-z0-9_]{10,120}", re.ASCII)


class KeepForm(msgspec.Struct):
    """Whether the guest agrees to keep a card."""

    agree: bool = False


class CardsView(msgspec.Struct, frozen=True, kw_only=True):
    """All cards of one guest. `keep_words` is what is agreed to by keeping another, empty where
    none can be kept; `is_full` says that there are too many for that.
    """

    head: PortalHead
    cards: list[KeptCard]
    form: Bound[KeepForm]
    keep_words: str
    is_full: bool
    here: str
    zone: Any


@get(CARDS, opt=GUESTS)
async def show_cards(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Who comes back from keeping one (`kept`) is not shown a list without it: we ask for it."""
    portal = await open_portal(request, services, ctx)
    kept = request.query_params.get("kept", "")
    if _PAGE_ID.fullmatch(kept):
        await _look(request, services, portal, kept)
        return redirect(request, f"{portal.path}/cards")
    return await _show(request, services, portal, blank(KeepForm))


async def _look(request: AnyRequest, services: Services, portal: Portal, page_id: str) -> None:
    try:
        await services.limiter.check(LOOKS_BY_CUSTOMER, str(portal.guest.customer_id))
    except TooManyRequests:
        return
    if await look_at_setup(services, portal.tenant.id, page_id):
        flash(request, "success", _("Your card is saved. You can pay with it in one press."))
    else:
        flash(request, "info", _("Your card is being saved. It shows up here in a moment."))


@post(CARDS, opt=GUESTS, status_code=200)
async def add_card(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """On to the processor's page that keeps a card, for who has agreed to it."""
    portal = await open_portal(request, services, ctx)
    bound = bind(KeepForm, await read_form(request))
    if bound.struct is not None and not bound.struct.agree:
        bound = bound.with_errors({"agree": _("Please agree to that first.")})
    if bound.struct is None:
        return await _show(request, services, portal, bound, 422)
    customer_id = portal.guest.customer_id
    try:
        await services.limiter.check(SETUPS_BY_CUSTOMER, str(customer_id))
        url = await begin_setup(
            services, ctx.here, customer_id, f"{services.settings.base_url}{portal.path}/cards"
        )
    except (Conflict, TooManyRequests, Unavailable) as refusal:
        bound = bound.with_errors(None, refusal.message)
        return await _show(request, services, portal, bound, refusal.status)
    return redirect(request, url)


@post(ONE + "/prefer", opt=GUESTS, status_code=200)
async def prefer(
    request: AnyRequest,
    card_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            card = await prefer_card(uow, portal.guest.customer_id, card_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        said = _("%(card)s is offered first from now on.", card=card_words(card))
        flash(request, "success", said)
    return redirect(request, f"{portal.path}/cards")


@post(ONE + "/remove", opt=GUESTS, status_code=200)
async def remove(
    request: AnyRequest,
    card_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        card = await remove_card(uow, portal.guest.customer_id, card_id)
    said = _("%(card)s is removed. Nothing else is charged to it.", card=card_words(card))
    flash(request, "success", said)
    return redirect(request, f"{portal.path}/cards")


async def _show(
    request: AnyRequest,
    services: Services,
    portal: Portal,
    form: Bound[KeepForm],
    status_code: int = 200,
) -> Response[bytes]:
    tenant = portal.tenant
    async with services.uow_factory(tenant.id) as uow:
        cards = await list_kept_cards(uow, tenant, portal.guest.customer_id)
    is_full = len(cards) >= MOST_CARDS
    may_keep = tenant.payments_ready and tenant.status.sells and not is_full
    view = CardsView(
        head=portal_head(portal, "cards"),
        cards=cards,
        form=form,
        keep_words=consent_words(tenant.name) if may_keep else "",
        is_full=is_full,
        here=f"{portal.path}/cards",
        zone=tenant.zone,
    )
    return page(
        request, "billing/portal/cards.html", view, status_code=status_code, headers=PRIVATE
    )


route_handlers: list[Any] = [show_cards, add_card, prefer, remove]
