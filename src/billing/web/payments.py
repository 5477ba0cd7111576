"""/app/<slug>/payments: getting paid, for owners."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from src.billing.commands.connect import connect_account, refresh_account
from src.billing.processor import DefinitiveFailure, ProcessorError
from src.billing.web.ways import payments_page
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import flash, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

OWNERS = [requires_member(Role.OWNER)]

AnyRequest = Request[Any, Any, Any]


@get("/app/{slug:str}/payments", guards=OWNERS, include_in_schema=False)
async def show_payments(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await payments_page(request, services, ctx)


@post("/app/{slug:str}/payments/connect", guards=OWNERS, status_code=200, include_in_schema=False)
async def connect(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """To the processor's own pages; they lead back to `return`, or to `refresh` when too old."""
    return await _to_onboarding(request, services, ctx)


@get("/app/{slug:str}/payments/refresh", guards=OWNERS, include_in_schema=False)
async def refresh(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """The processor sends people here whose link was used up: a new one takes them on."""
    return await _to_onboarding(request, services, ctx)


@get("/app/{slug:str}/payments/return", guards=OWNERS, include_in_schema=False)
async def come_back(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Having been there does not mean being done, so the processor is asked."""
    return await _ask(request, services, ctx)


@post("/app/{slug:str}/payments/check", guards=OWNERS, status_code=200, include_in_schema=False)
async def check(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _ask(request, services, ctx)


async def _to_onboarding(
    request: AnyRequest, services: Services, ctx: RequestContext
) -> Response[bytes]:
    base = f"{services.settings.base_url}{_home(ctx)}"
    try:
        url = await connect_account(
            services, ctx, refresh_url=f"{base}/refresh", return_url=f"{base}/return"
        )
    except DefinitiveFailure as failure:
        flash(request, "error", _("Stripe refused: %(why)s", why=str(failure)))
    except ProcessorError:
        flash(request, "error", _("Stripe does not answer. Please try again in a moment."))
    else:
        return redirect(request, url)
    return redirect(request, _home(ctx))


async def _ask(request: AnyRequest, services: Services, ctx: RequestContext) -> Response[bytes]:
    try:
        account = await refresh_account(services, ctx.here.id)
    except ProcessorError:
        flash(request, "error", _("Stripe does not answer. Please try again in a moment."))
        return redirect(request, _home(ctx))
    if account is not None and account.charges_enabled:
        flash(request, "success", _("You can take payments now."))
    else:
        flash(request, "warning", _("Stripe still needs something before you can take payments."))
    return redirect(request, _home(ctx))


def _home(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}/payments"
