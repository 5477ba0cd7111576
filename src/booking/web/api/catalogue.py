"""Services, sessions and series over the API: the same commands as behind the pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from src.booking.commands.cancel import cancel_session, get_cancellation
from src.booking.commands.series import (
    SeriesCommand,
    create_series,
    publish_series,
    unpublish_series,
    update_series,
)
from src.booking.commands.services import (
    CreateService,
    UpdateService,
    create_service,
    get_service,
    update_service,
)
from src.booking.commands.sessions import (
    CreateSession,
    UpdateSession,
    create_session,
    update_session,
)
from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SalesMode,
    SeriesPriceType,
    SessionMode,
    Visibility,
)
from src.booking.queries.api import (
    SessionsAsked,
    get_series_out,
    get_session_out,
    list_series,
    list_services,
    list_sessions,
)
from src.booking.views.api import (
    CancellationOut,
    SeriesList,
    SeriesOut,
    ServiceList,
    ServiceOut,
    SessionOut,
    SessionPage,
    service_out,
)
from src.booking.web.api.cancellation_out import cancellation_out
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.tenants.context import RequestContext

Title = Annotated[str, Meta(max_length=200)]
Words = Annotated[str, Meta(max_length=5000)]
Minor = Annotated[int, Meta(ge=0, le=10_000_000, description="In minor units of the currency.")]


class ServiceIn(msgspec.Struct, frozen=True, kw_only=True):
    """A group service. Prices are gross, of a single entry."""

    name: Title
    slug: Annotated[str, Meta(max_length=60)] = ""
    description: Words = ""
    mode: SessionMode = SessionMode.IN_PERSON
    sales_mode: SalesMode = SalesMode.SINGLE
    price_type: SeriesPriceType = SeriesPriceType.FREE
    price_minor: Minor = 0
    duration_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 60
    default_capacity: Annotated[int, Meta(ge=1, le=100_000)] = 10
    max_party: Annotated[int, Meta(ge=1, le=100)] = 10
    visibility: Visibility = Visibility.PUBLIC
    active: bool = True


class SessionIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session. Both moments carry their offset, e.g. 2027-05-14T18:00:00+02:00."""

    service_id: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: Annotated[int, Meta(ge=1, le=100_000)]
    title: Title = ""
    mode: SessionMode = SessionMode.IN_PERSON
    meeting_url: Annotated[str, Meta(max_length=500)] = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None


class SessionChangeIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is to be. Where it has guests, another time needs `move_guests`; whoever
    booked is told by mail, with the `reason`.
    """

    starts_at: datetime
    ends_at: datetime
    capacity: Annotated[int, Meta(ge=1, le=100_000)]
    title: Title = ""
    mode: SessionMode = SessionMode.IN_PERSON
    meeting_url: Annotated[str, Meta(max_length=500)] = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    move_guests: bool = False
    reason: Annotated[str, Meta(max_length=500)] = ""


class SeriesIn(msgspec.Struct, frozen=True, kw_only=True):
    """A series. `session_ids` are all its dates; `service_id` is fixed once it is made."""

    service_id: UUID
    title: Title
    price_type: SeriesPriceType
    price_minor: Minor = 0
    description: Words = ""
    visibility: Visibility = Visibility.PUBLIC
    join_policy: JoinPolicy = JoinPolicy.BEFORE_START
    join_until_on: datetime | None = None
    gap_policy: GapPolicy = GapPolicy.BLOCK
    drop_in_allowed: bool = False
    drop_in_minor: Minor | None = None
    session_ids: Annotated[list[UUID], Meta(max_length=500)]

    def command(self) -> SeriesCommand:
        return SeriesCommand(
            title=self.title,
            price_type=self.price_type,
            price_minor=self.price_minor,
            description=self.description,
            visibility=self.visibility,
            join_policy=self.join_policy,
            join_until_on=self.join_until_on.date() if self.join_until_on else None,
            gap_policy=self.gap_policy,
            drop_in_allowed=self.drop_in_allowed,
            drop_in_minor=self.drop_in_minor,
            session_ids=tuple(self.session_ids),
        )


class ReasonIn(msgspec.Struct, frozen=True, kw_only=True):
    """Why; it is told to those whose seats are freed."""

    reason: Annotated[str, Meta(max_length=500)] = ""


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


@get("/services", summary="List services")
async def api_list_services(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> ServiceList:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_services(uow)
    return ServiceList(items=[service_out(one, ctx.here.currency) for one in found])


@get("/services/{service_id:uuid}", summary="Get a service")
async def api_get_service(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> ServiceOut:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_service(uow, service_id)
    return service_out(found, ctx.here.currency)


@post("/services", summary="Create a group service")
async def api_create_service(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    data: JSONBody[ServiceIn],
) -> ServiceOut:
    """Needs a plan with group services, and one with series for selling by series."""
    async with services.uow_factory(ctx.here.id) as uow:
        service_id = await create_service(uow, ctx, CreateService(**msgspec.structs.asdict(data)))
        found = await get_service(uow, service_id)
    return service_out(found, ctx.here.currency)


@put("/services/{service_id:uuid}", summary="Change a service")
async def api_update_service(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
    data: JSONBody[ServiceIn],
) -> ServiceOut:
    """What is sold already keeps its price."""
    async with services.uow_factory(ctx.here.id) as uow:
        cmd = UpdateService(service_id=service_id, **msgspec.structs.asdict(data))
        await update_service(uow, ctx, cmd)
        found = await get_service(uow, service_id)
    return service_out(found, ctx.here.currency)


@get("/sessions", summary="List sessions")
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


@get("/sessions/{session_id:uuid}", summary="Get a session")
async def api_get_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> SessionOut:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_session_out(uow, ctx.here, session_id)


@post("/sessions", summary="Publish a session")
async def api_create_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    data: JSONBody[SessionIn],
) -> SessionOut:
    _need_offsets(starts_at=data.starts_at, ends_at=data.ends_at)
    async with services.uow_factory(ctx.here.id) as uow:
        session_id = await create_session(uow, ctx, CreateSession(**msgspec.structs.asdict(data)))
        return await get_session_out(uow, ctx.here, session_id)


@put("/sessions/{session_id:uuid}", summary="Change or move a session")
async def api_update_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    data: JSONBody[SessionChangeIn],
) -> SessionOut:
    """409 `moves_guests` where a seat is taken and `move_guests` is not set; nothing is done."""
    _need_offsets(starts_at=data.starts_at, ends_at=data.ends_at)
    async with services.uow_factory(ctx.here.id) as uow:
        cmd = UpdateSession(session_id=session_id, **msgspec.structs.asdict(data))
        await update_session(uow, ctx, cmd)
        return await get_session_out(uow, ctx.here, session_id)


@post("/sessions/{session_id:uuid}/cancel", summary="Cancel a session", status_code=202)
async def api_cancel_session(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    data: JSONBody[ReasonIn],
) -> CancellationOut:
    """Stops its sale at once; seats are freed and guests told by a job a few seconds later."""
    undo_seconds = services.settings.undo_window_seconds
    async with services.uow_factory(ctx.here.id) as uow:
        cancellation_id = await cancel_session(
            uow, ctx, session_id, reason=data.reason, undo_seconds=undo_seconds
        )
        return cancellation_out(await get_cancellation(uow, cancellation_id))


@get("/series", summary="List series")
async def api_list_series(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> SeriesList:
    async with services.uow_factory(ctx.here.id) as uow:
        return SeriesList(items=await list_series(uow, ctx.here))


@get("/series/{series_id:uuid}", summary="Get a series")
async def api_get_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> SeriesOut:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_series_out(uow, ctx.here, series_id)


@post("/series", summary="Create a series")
async def api_create_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    data: JSONBody[SeriesIn],
) -> SeriesOut:
    """Off sale until it is published. Needs a plan with series."""
    async with services.uow_factory(ctx.here.id) as uow:
        series_id = await create_series(uow, ctx, data.service_id, data.command())
        await uow.settle()
        return await get_series_out(uow, ctx.here, series_id)


@put("/series/{series_id:uuid}", summary="Change a series")
async def api_update_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
    data: JSONBody[SeriesIn],
) -> SeriesOut:
    async with services.uow_factory(ctx.here.id) as uow:
        await update_series(uow, ctx, series_id, data.command())
        await uow.settle()
        return await get_series_out(uow, ctx.here, series_id)


@post("/series/{series_id:uuid}/publish", summary="Put a series on sale", status_code=200)
async def api_publish_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> SeriesOut:
    """The first time, its number of dates is fixed as the base for late joiners' prices."""
    async with services.uow_factory(ctx.here.id) as uow:
        await publish_series(uow, ctx, series_id)
        await uow.settle()
        return await get_series_out(uow, ctx.here, series_id)


@post("/series/{series_id:uuid}/unpublish", summary="Take a series off sale", status_code=200)
async def api_unpublish_series(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> SeriesOut:
    async with services.uow_factory(ctx.here.id) as uow:
        await unpublish_series(uow, ctx, series_id)
        await uow.settle()
        return await get_series_out(uow, ctx.here, series_id)


route_handlers = [
    api_list_services,
    api_get_service,
    api_create_service,
    api_update_service,
    api_list_sessions,
    api_get_session,
    api_create_session,
    api_update_session,
    api_cancel_session,
    api_list_series,
    api_get_series,
    api_create_series,
    api_update_series,
    api_publish_series,
    api_unpublish_series,
]
