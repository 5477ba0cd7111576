"""/app/<slug>/orders/<id>/items/<item>/close: what needs a person has been dealt with elsewhere."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.by_staff import close_item_by_hand
from src.billing.domain.kinds import OpenItemKind
from src.billing.open_item_words import closing_words
from src.billing.queries.order_page import get_order_page
from src.billing.queries.orders import is_item
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.formats import money
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_CLOSE = [requires_member(Role.MANAGER)]
PATH = "/app/{slug:str}/orders/{order_id:uuid}/items/{item_id:uuid}/close"

AnyRequest = Request[Any, Any, Any]


class ClosePage(msgspec.Struct, frozen=True, kw_only=True):
    """What would follow, `words` by what it is about, of saying that `sentence` needs nobody."""

    slug: str
    order_id: UUID
    item_id: UUID
    reference: str
    sentence: str
    words: list[tuple[str, str]]


@get(PATH, guards=MAY_CLOSE, include_in_schema=False)
async def ask_close(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
    item_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done. What is closed already leads to the order, and so does what
    was to be handed back: that is said to be done where it stands. Raises: NotFound.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order_page(uow, ctx.here, order_id)
        if not await is_item(uow, item_id):
            raise NotFound(_("There is nothing here."))
    found = [one for one in order.open_items if one.id == item_id]
    if not found or found[0].kind == OpenItemKind.HAND_BACK:
        return _back(request, ctx, order_id)
    view = ClosePage(
        slug=ctx.here.slug,
        order_id=order_id,
        item_id=item_id,
        reference=order.reference,
        sentence=found[0].sentence,
        words=closing_words(found[0]),
    )
    return page(request, "billing/close_item.html", view)


@post(PATH, guards=MAY_CLOSE, status_code=200, include_in_schema=False)
async def close_item(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
    item_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        back_minor = await close_item_by_hand(uow, ctx, order_id, item_id)
    if back_minor:
        amount = money(back_minor, ctx.here.currency)
        flash(request, "success", _("Noted: %(amount)s given back.", amount=amount))
    else:
        flash(request, "success", _("Noted as dealt with."))
    return _back(request, ctx, order_id)


def _back(request: AnyRequest, ctx: RequestContext, order_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/orders/{order_id}")


route_handlers: list[Any] = [ask_close, close_item]
