"""/app/<slug>/customers/<id>/credits/new: credits that a customer is given for nothing."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.credit_acts import GiveCredits, give_credits
from src.billing.commands.packages import get_package
from src.billing.domain.credits import Scope
from src.billing.queries.lots import scope_of
from src.booking.queries.customers import get_customer
from src.booking.queries.packages import list_package_choices
from src.booking.queries.resources import Choice
from src.booking.views.customers import CustomerHead
from src.booking.web.customer import ONE
from src.booking.web.customers import MAY_CARE, POST_OPTIONS, customers_path
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.web.guards import requires

PATH = ONE + "/credits/new"
ANYTHING = ""
MOST_DAYS = 3650

AnyRequest = Request[Any, Any, Any]


class GiveForm(msgspec.Struct, kw_only=True):
    """`package` lends its terms; without one the credits are good for any service. `token` becomes
    the lot.
    """

    token: UUID
    package: Annotated[str, Meta(max_length=40)] = ANYTHING
    name: Annotated[str, Meta(max_length=120)] = ""
    number: int | None = None
    days: Annotated[int, Meta(ge=0, le=MOST_DAYS)] = 0
    reason: Annotated[str, Meta(max_length=2000)] = ""


class GiveView(msgspec.Struct, frozen=True, kw_only=True):
    form: Any
    head: CustomerHead
    packages: list[Choice]
    base: str
    here: str


@get(PATH, guards=[*MAY_CARE, requires(Feature.PACKAGES)], include_in_schema=False)
async def show_give_credits(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    form = blank(GiveForm, {"token": new_id(), "number": 1, "days": 90})
    return await _show(request, services, ctx, customer_id, form)


@post(
    PATH,
    **{**POST_OPTIONS, "guards": [*MAY_CARE, requires(Feature.PACKAGES)]},
)
async def save_give_credits(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(GiveForm, await read_form(request))
    if bound.struct is None:
        return await _show(request, services, ctx, customer_id, bound, status_code=422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            cmd = await _command(uow, ctx, customer_id, bound.struct)
            lot_id = await give_credits(uow, ctx, cmd)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _show(request, services, ctx, customer_id, bound, status_code=422)
    flash(request, "success", _("The credits are given, and the customer is told."))
    return redirect(request, f"/app/{ctx.here.slug}/credits/{lot_id}")


async def _command(
    uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, form: GiveForm
) -> GiveCredits:
    """Raises: InvalidInput at `package` for one that is not there."""
    scope, name, package_id = Scope(any_service=True), form.name.strip(), None
    if form.package != ANYTHING:
        known = dict(await list_package_choices(uow))
        if form.package not in known:
            sentence = _("Please choose one of the given ones.")
            raise InvalidInput(sentence, fields={"package": sentence})
        package_id = UUID(form.package)
        package = await get_package(uow, package_id)
        scope, name = scope_of(package), name or package.name
    today = to_local(uow.clock.now(), ctx.here.zone).date()
    return GiveCredits(
        customer_id=customer_id,
        name=name,
        number=form.number or 0,
        scope=scope,
        ends_on=today + timedelta(days=form.days) if form.days else None,
        reason=form.reason,
        token=form.token,
        package_id=package_id,
    )


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    customer_id: UUID,
    form: Bound[GiveForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        head = await get_customer(uow, customer_id)
        packages = await list_package_choices(uow)
    view = GiveView(
        form=form,
        head=head,
        packages=packages,
        base=f"/app/{ctx.here.slug}",
        here=f"{customers_path(ctx)}/{customer_id}",
    )
    return page(request, "booking/credits/give.html", view, status_code=status_code)


route_handlers = [show_give_credits, save_give_credits]
