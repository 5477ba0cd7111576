"""/app/<slug>/services/<id>/waitlist: the terms for waiting when it is full."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.services import get_group_service
from src.booking.commands.waitlist import change_waitlist
from src.booking.domain.waiting import WaitlistTerms, waitlist_from
from src.booking.models import Service
from src.booking.queries.resources import Choice
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
PATH = "/app/{slug:str}/services/{service_id:uuid}/waitlist"


class TermsForm(msgspec.Struct, kw_only=True):
    """Without a number of hours a bigger party is waited for as long as it takes."""

    is_on: bool = False
    offer_minutes: int = 240
    quiet_from: int = 22
    quiet_until: int = 8
    pass_hours: int | None = None
    closing_minutes: int = 60
    last_offer_minutes: int = 60
    rush_hours: int = 2


class TermsView(msgspec.Struct, frozen=True, kw_only=True):
    """`has_feature`: the plan has waiting lists, without which they are off whatever is said."""

    form: Any
    name: str
    base: str
    hours: list[Choice]
    has_feature: bool
    plan_href: str


@get(PATH, guards=MAY_EDIT, include_in_schema=False)
async def show_waitlist_terms(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_group_service(uow, service_id)
    kept = waitlist_from(service.waitlist)
    initial = {name: getattr(kept, name) for name in TermsForm.__struct_fields__}
    return _page(request, ctx, service, blank(TermsForm, initial))


@post(PATH, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_waitlist_terms(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    """Offers that were made stand."""
    bound = bind(TermsForm, await read_form(request))
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_group_service(uow, service_id)
    form = bound.struct
    if form is None:
        return _page(request, ctx, service, bound, status_code=422)
    terms = WaitlistTerms(**msgspec.structs.asdict(form))
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_waitlist(uow, ctx, service_id, terms)
    except InvalidInput as refused:
        return _page(request, ctx, service, bound.refused(refused), status_code=422)
    flash(request, "success", _("The waiting list of “%(name)s” is saved.", name=service.name))
    return redirect(request, f"/app/{ctx.here.slug}/services")


def _page(
    request: AnyRequest,
    ctx: RequestContext,
    service: Service,
    form: Bound[TermsForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = TermsView(
        form=form,
        name=service.name,
        base=f"/app/{ctx.here.slug}/services",
        hours=[(str(hour), f"{hour:02}:00") for hour in range(24)],
        has_feature=ctx.here.entitlements.has(Feature.WAITLIST),
        plan_href=f"/app/{ctx.here.slug}/plan",
    )
    return page(request, "booking/services/waitlist.html", view, status_code=status_code)


route_handlers: list[Any] = [show_waitlist_terms, save_waitlist_terms]
