"""Services, sessions and series over the API: the same commands as behind the pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from src.booking.commands.series import (
    create_series,
    get_series_command,
    publish_series,
    unpublish_series,
    update_series,
)
from src.booking.commands.services import (
    CreateService,
    UpdateService,
    create_service,
    get_details,
    get_service,
    update_service,
)
from src.booking.commands.sessions import (
    CreateSession,
    UpdateSession,
    create_session,
    details_of_session,
    get_session,
    update_session,
)
from src.booking.domain.agreements import Needed
from src.booking.domain.seen import mark_of
from src.booking.models import Service
from src.booking.queries.agreements import find_needed_by_things
from src.booking.queries.api import (
    SessionsAsked,
    get_series_out,
    get_session_out,
    list_series,
    list_services,
    list_sessions,
)
from src.booking.views.api import (
    SeriesList,
    SeriesOut,
    ServiceList,
    ServiceOut,
    SessionOut,
    SessionPage,
    agreements_out,
    service_out,
)
from src.booking.web.api.bodies import SeriesIn, ServiceIn, SessionIn
from src.booking.web.api.changes import SeriesChange, ServiceChange, SessionChange, given
from src.booking.web.api.refusals import refusals
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.context import RequestContext


def _need_offsets(**moments: datetime | None) -> None:
    """Raises: InvalidInput for moments that do not say where on the clock they are."""
    sentence = _("Give the moment with its offset, e.g. 2027-05-14T18:00:00+02:00.")
    wrong = {
        name: sentence
        for name, moment in moments.items()
        if moment is not None and moment.tzinfo is None
    }
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)


@get("/services", summary="List services", responses=refusals())
async def api_list_services(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> ServiceList:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_services(uow)
        needed = await find_needed_by_things(uow)
    return ServiceList(items=[_service(services, ctx, one, needed) for one in found])


@get("/services/{service_id:uuid}", summary="Get a service", responses=refusals(404))
async def api_get_service(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> ServiceOut:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_service(uow, service_id)
        needed = await find_needed_by_things(uow)
    return _service(services, ctx, found, needed)


@post("/services", summary="Create a group service", responses=refusals(402, 409, 422))
async def api_create_service(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    data: JSONBody[ServiceIn],
) -> ServiceOut:
    """Needs a plan with group services, and one with series for selling by series."""
    async with services.uow_factory(ctx.here.id) as uow:
        service_id = await create_service(uow, ctx, CreateService(**msgspec.structs.asdict(data)))
        found = await get_service(uow, service_id)
        needed = await find_needed_by_things(uow)
    return _service(services, ctx, found, needed)


@put(
    "/services/{service_id:uuid}",
    summary="Change a service",
    responses=refusals(402, 404, 409, 422),
)
async def api_update_service(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
    data: JSONBody[ServiceChange],
) -> ServiceOut:
    """Fields that are left out stay as they are. What is sold already keeps its price."""
    async with services.uow_factory(ctx.here.id) as uow:
        current = await get_details(uow, await get_service(uow, service_id))
        fields = {**msgspec.structs.asdict(current), **given(data)}
        cmd = UpdateService(service_id=service_id, seen=mark_of(current), **fields)
        await update_service(uow, ctx, cmd)
        found = await get_service(uow, service_id)
        needed = await find_needed_by_things(uow)
    return _service(services, ctx, found, needed)


Needs = Mapping[UUID, Sequence[Needed]]


def _service(services: Services, ctx: RequestContext, found: Service, needed: Needs) -> ServiceOut:
    asked = agreements_out(services.settings.base_url, ctx.here.slug, needed.get(found.id, []))
    return msgspec.structs.replace(service_out(found, ctx.here.currency), agreements=asked)


def _series(services: Services, ctx: RequestContext, found: SeriesOut, needed: Needs) -> SeriesOut:
    of_both = [*needed.get(found.service_id, []), *needed.get(found.id, [])]
    asked = agreements_out(services.settings.base_url, ctx.here.slug, of_both)
    return msgspec.structs.replace(found, agreements=asked)


@get("/sessions", summary="List sessions", responses=refusals(422))
async def api_list_sessions(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromQuery[UUID | None] = None,
    from_at: FromQuery[datetime | None] = None,
    to_at: FromQuery[datetime | None] = None,
    after: FromQuery[str | None] = None,
    limit: FromQuery[int] = 50,
) -> SessionPage:
    """By start, from now on unless `from_at` says otherwise; past and cancelled ones included."""
    _need_offsets(from_at=from_at, to_at=to_at)
    asked = SessionsAsked(
        service_id=service_id, from_at=from_at, to_at=to_at, after=after, limit=limit
    )
    async with services.uow_factory(ctx.here.id) as uow:
        return await list_sessions(uow, ctx.here, asked)


@get("/sessions/{session_id:uuid}", summary="Get a session", responses=refusals(404))
async def api_get_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> SessionOut:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_session_out(uow, ctx.here, session_id)


@post("/sessions", summary="Publish a session", responses=refusals(402, 404, 409, 422))
async def api_create_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    data: JSONBody[SessionIn],
) -> SessionOut:
    _need_offsets(starts_at=data.starts_at, ends_at=data.ends_at)
    async with services.uow_factory(ctx.here.id) as uow:
        session_id = await create_session(uow, ctx, CreateSession(**msgspec.structs.asdict(data)))
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_session_out(uow, ctx.here, session_id)


@put(
    "/sessions/{session_id:uuid}",
    summary="Change or move a session",
    responses=refusals(404, 409, 422),
)
async def api_update_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    data: JSONBody[SessionChange],
) -> SessionOut:
    """Fields that are left out stay as they are. 409 `moves_guests` where a seat is taken and
    `move_guests` is not set; nothing is done then.
    """
    changes = given(data)
    _need_offsets(starts_at=changes.get("starts_at"), ends_at=changes.get("ends_at"))
    async with services.uow_factory(ctx.here.id) as uow:
        current = details_of_session(await get_session(uow, session_id))
        fields = {**msgspec.structs.asdict(current), **changes}
        await update_session(uow, ctx, UpdateSession(session_id=session_id, **fields))
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_session_out(uow, ctx.here, session_id)


@get("/series", summary="List series", responses=refusals())
async def api_list_series(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> SeriesList:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_series(uow, ctx.here)
        needed = await find_needed_by_things(uow)
    return SeriesList(items=[_series(services, ctx, one, needed) for one in found])


@get("/series/{series_id:uuid}", summary="Get a series", responses=refusals(404))
async def api_get_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> SeriesOut:
    return await _series_out(services, ctx, series_id)


@post("/series", summary="Create a series", responses=refusals(402, 404, 409, 422))
async def api_create_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    data: JSONBody[SeriesIn],
) -> SeriesOut:
    """Off sale until it is published. Needs a plan with series."""
    async with services.uow_factory(ctx.here.id) as uow:
        series_id = await create_series(uow, ctx, data.service_id, data.command())
    return await _series_out(services, ctx, series_id)


@put("/series/{series_id:uuid}", summary="Change a series", responses=refusals(402, 404, 409, 422))
async def api_update_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
    data: JSONBody[SeriesChange],
) -> SeriesOut:
    """Fields that are left out stay as they are. What is sold already keeps its price."""
    async with services.uow_factory(ctx.here.id) as uow:
        current = await get_series_command(uow, series_id)
        changed = msgspec.structs.replace(current, **given(data))
        await update_series(uow, ctx, series_id, changed, seen=mark_of(current))
    return await _series_out(services, ctx, series_id)


@post(
    "/series/{series_id:uuid}/publish",
    summary="Put a series on sale",
    status_code=200,
    responses=refusals(402, 404, 409, 422),
)
async def api_publish_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> SeriesOut:
    """The first time, its number of dates is fixed as the base for late joiners' prices."""
    async with services.uow_factory(ctx.here.id) as uow:
        await publish_series(uow, ctx, series_id)
    return await _series_out(services, ctx, series_id)


@post(
    "/series/{series_id:uuid}/unpublish",
    summary="Take a series off sale",
    status_code=200,
    responses=refusals(404, 409),
)
async def api_unpublish_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> SeriesOut:
    async with services.uow_factory(ctx.here.id) as uow:
        await unpublish_series(uow, ctx, series_id)
    return await _series_out(services, ctx, series_id)


async def _series_out(services: Services, ctx: RequestContext, series_id: UUID) -> SeriesOut:
    """Read in a transaction of its own: nothing comes between a claim and its commit."""
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_series_out(uow, ctx.here, series_id)
        needed = await find_needed_by_things(uow)
    return _series(services, ctx, found, needed)


route_handlers = [
    api_list_services,
    api_get_service,
    api_create_service,
    api_update_service,
    api_list_sessions,
    api_get_session,
    api_create_session,
    api_update_session,
    api_list_series,
    api_get_series,
    api_create_series,
    api_update_series,
    api_publish_series,
    api_unpublish_series,
]
