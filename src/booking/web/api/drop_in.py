"""How one date of a series is sold alone, over the API."""

from uuid import UUID

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from src.booking.commands.drop_in import set_drop_in
from src.booking.domain.drop_in import opens_at, price_of_date, ways_to_pay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.queries.drop_in import rules_kept, rules_of
from src.booking.queries.offers import SessionOffer, get_session_offer
from src.booking.views.api import DropInOut, MoneyOut, moment_out
from src.booking.web.api.bodies import DropInIn
from src.booking.web.api.refusals import refusals
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.context import RequestContext, TenantSnapshot


@get(
    "/sessions/{session_id:uuid}/drop-in",
    summary="Get how a date of a series is sold alone",
    responses=refusals(404),
)
async def api_get_drop_in(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> DropInOut:
    async with services.uow_factory(ctx.here.id) as uow:
        return _out(await get_session_offer(uow, session_id), ctx.here)


@put(
    "/sessions/{session_id:uuid}/drop-in",
    summary="Say how a date of a series is sold alone",
    responses=refusals(404, 409, 422),
)
async def api_set_drop_in(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    data: JSONBody[DropInIn],
) -> DropInOut:
    """All of its own rules; what is left out is as the series says. What is sold keeps its
    price.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        await set_drop_in(uow, ctx, session_id, data.rules())
    async with services.uow_factory(ctx.here.id) as uow:
        return _out(await get_session_offer(uow, session_id), ctx.here)


def _out(offer: SessionOffer, tenant: TenantSnapshot) -> DropInOut:
    if offer.series is None:
        raise NotFound(_("This session is in no series: it is sold at the price of its service."))
    rules, service_type = rules_of(offer), SeriesPriceType(offer.service.price_type)
    at = opens_at(rules, offer.session.starts_at, tenant.zone)
    price_minor = price_of_date(rules, service_type, offer.service.price_minor)
    return DropInOut(
        allowed=bool(rules.allowed),
        price=MoneyOut(price_minor, tenant.currency),
        opens_at=None if at is None else moment_out(at, tenant.zone),
        pays=list(ways_to_pay(rules, service_type)),
        own=rules_kept(offer.session),
    )


route_handlers = [api_get_drop_in, api_set_drop_in]
