"""/app/<slug>/services/<id>/import: a timetable file is rehearsed, looked at, then taken up."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from anyio import to_thread
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.imports import (
    RehearsalChanged,
    change_options,
    commit_import,
    give_up_import,
    keep_timetable,
)
from src.booking.commands.services import get_service
from src.booking.domain.timetable import Timetable
from src.booking.domain.timetable_file import parse_timetable
from src.booking.models import Service, TimetableImport
from src.booking.queries.imports import get_import, list_imports, options_of, plan_import
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.services import get_service_head
from src.booking.views.imports import ImportOptions, ImportRow, PastImport
from src.booking.views.services import ServiceHead
from src.booking.web.import_rows import KINDS, rows_of
from src.platform.csvio import UnreadableTextError
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.platform.web.uploads import CALENDARS, TABLES, UploadedFile, upload
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_IMPORT = [requires_member(Role.MANAGER), requires(Feature.GROUP_SERVICES)]
POST_OPTIONS: dict[str, Any] = {
    "guards": MAY_IMPORT,
    "status_code": 200,
    "include_in_schema": False,
}
ROWS_ON_A_PAGE = 100
TEXTS = ("text/plain",)

AnyRequest = Request[Any, Any, Any]


class OptionsForm(msgspec.Struct, kw_only=True):
    """What to do where the file is silent."""

    default_capacity: int
    default_performer_id: UUID | None = None
    default_location_id: UUID | None = None
    add_performers: bool = False
    add_locations: bool = False


class UploadForm(OptionsForm, kw_only=True):
    """A file with the choices for it. `token` becomes the import's id."""

    token: UUID | None = None
    file: Annotated[UploadedFile, upload(content_types=CALENDARS + TABLES + TEXTS)]


class CommitForm(msgspec.Struct):
    """`digest` names the rehearsal that was looked at."""

    digest: Annotated[str, Meta(max_length=64)]


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """The upload, and what was uploaded before."""

    form: Any
    service: ServiceHead
    past: list[PastImport]
    base: str
    zone: str
    performers: list[Choice]
    locations: list[Choice]


class RehearsalView(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do; `rows` are those of the `kind` that is shown, one page of them."""

    form: Any
    filename: str
    service: ServiceHead
    counts: dict[str, int]
    kind: str
    rows: list[ImportRow]
    notes: Sequence[str]
    unknown_performers: Sequence[str]
    unknown_locations: Sequence[str]
    digest: str
    base: str
    here: str
    zone: str
    performers: list[Choice]
    locations: list[Choice]
    previous_href: str | None
    next_href: str | None


@get(
    "/app/{slug:str}/services/{service_id:uuid}/import",
    guards=MAY_IMPORT,
    include_in_schema=False,
)
async def show_upload(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, service_id)
    form = blank(UploadForm, {"token": new_id(), **_initial_of(service)})
    return await _upload_page(request, services, ctx, form, service_id)


@post("/app/{slug:str}/services/{service_id:uuid}/import", **POST_OPTIONS)
async def take_upload(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    """Keeps the file if it can be read at all, and leads to its rehearsal."""
    bound = bind(UploadForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _upload_page(request, services, ctx, bound, service_id, status_code=422)
    try:
        await read_timetable(services, ctx, form.file.content)
        async with services.uow_factory(ctx.here.id) as uow:
            import_id = await keep_timetable(
                uow,
                ctx,
                service_id,
                filename=form.file.filename,
                content=form.file.content,
                options=_options_of(form),
                import_id=form.token,
            )
    except InvalidInput as refused:
        bound = bound.with_errors(refused.fields or {"file": refused.message})
        return await _upload_page(request, services, ctx, bound, service_id, status_code=422)
    return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}")


@get("/app/{slug:str}/imports/{import_id:uuid}", guards=MAY_IMPORT, include_in_schema=False)
async def show_rehearsal(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    import_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        stored = await get_import(uow, import_id)
    if stored.state == "committed":
        return _to_sessions(request, ctx, stored.service_id)
    form = blank(OptionsForm, options_of(stored))
    return await _rehearsal_page(request, services, ctx, stored, form)


@post("/app/{slug:str}/imports/{import_id:uuid}", **POST_OPTIONS)
async def choose_again(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    import_id: FromPath[UUID],
) -> Response[bytes]:
    """Other choices for the same file, rehearsed anew."""
    async with services.uow_factory(ctx.here.id) as uow:
        stored = await get_import(uow, import_id)
    bound = bind(OptionsForm, await read_form(request))
    try:
        if bound.struct is not None:
            async with services.uow_factory(ctx.here.id) as uow:
                await change_options(uow, ctx, import_id, _options_of(bound.struct))
            return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}")
    except InvalidInput as refused:
        bound = bound.refused(refused)
    return await _rehearsal_page(request, services, ctx, stored, bound, status_code=422)


@post("/app/{slug:str}/imports/{import_id:uuid}/commit", **POST_OPTIONS)
async def take_up(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    import_id: FromPath[UUID],
) -> Response[bytes]:
    """Creates what the rehearsal said; when that is no longer right, shows the new one instead."""
    bound = bind(CommitForm, await read_form(request))
    digest = bound.struct.digest if bound.struct is not None else ""
    async with services.uow_factory(ctx.here.id) as uow:
        stored = await get_import(uow, import_id)
    timetable = await read_timetable(services, ctx, stored.content)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            count = await commit_import(uow, ctx, import_id, timetable, digest)
    except Conflict as refused:
        flash(request, "warning", _what_happened(refused))
        return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}")
    said = ngettext("%(num)s session is published.", "%(num)s sessions are published.", count)
    flash(request, "success", said)
    return _to_sessions(request, ctx, stored.service_id)


@post("/app/{slug:str}/imports/{import_id:uuid}/delete", **POST_OPTIONS)
async def give_up(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    import_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service_id = await give_up_import(uow, ctx, import_id)
    flash(request, "success", _("The file is gone. Nothing was created from it."))
    return redirect(request, f"/app/{ctx.here.slug}/services/{service_id}/import")


async def read_timetable(services: Services, ctx: RequestContext, content: bytes) -> Timetable:
    """The file as read now, off the loop: a large one takes seconds.

    Raises: InvalidInput for a file that is no timetable.
    """
    read = partial(parse_timetable, content, zone=ctx.here.zone, now=services.clock.now())
    try:
        return await to_thread.run_sync(read)
    except UnreadableTextError:
        sentence = _("This file cannot be read as text. Save it as an .ics or .csv file.")
        raise InvalidInput(sentence, fields={"file": sentence}) from None


async def _upload_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[UploadForm],
    service_id: UUID,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        view = UploadView(
            form=form,
            service=await get_service_head(uow, service_id),
            past=await list_imports(uow, service_id),
            base=f"/app/{ctx.here.slug}",
            zone=ctx.here.timezone,
            performers=await list_performer_choices(uow),
            locations=await list_location_choices(uow),
        )
    return page(request, "booking/imports/upload.html", view, status_code=status_code)


async def _rehearsal_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    stored: TimetableImport,
    form: Bound[OptionsForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    timetable = await read_timetable(services, ctx, stored.content)
    options = options_of(stored)
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, stored.service_id)
        planned = await plan_import(uow, stored, service, timetable, options)
        head = await get_service_head(uow, service.id)
        performers = await list_performer_choices(uow, options.default_performer_id)
        locations = await list_location_choices(uow, options.default_location_id)
    kind, number = _shown(request)
    rows = rows_of(planned)
    first, here = (number - 1) * ROWS_ON_A_PAGE, f"/app/{ctx.here.slug}/imports/{stored.id}"
    has_more = len(rows[kind]) > first + ROWS_ON_A_PAGE
    view = RehearsalView(
        form=form,
        filename=stored.filename,
        service=head,
        counts={name: len(found) for name, found in rows.items()},
        kind=kind,
        rows=rows[kind][first : first + ROWS_ON_A_PAGE],
        notes=planned.rehearsal.notes,
        unknown_performers=planned.unknown_performers,
        unknown_locations=planned.unknown_locations,
        digest=planned.digest,
        base=f"/app/{ctx.here.slug}",
        here=here,
        zone=ctx.here.timezone,
        performers=performers,
        locations=locations,
        previous_href=_page_href(here, kind, number - 1) if number > 1 else None,
        next_href=_page_href(here, kind, number + 1) if has_more else None,
    )
    return page(request, "booking/imports/rehearsal.html", view, status_code=status_code)


def _initial_of(service: Service) -> dict[str, Any]:
    names = ("default_capacity", "default_performer_id", "default_location_id")
    return {name: getattr(service, name) for name in names}


def _options_of(form: OptionsForm) -> ImportOptions:
    names = ImportOptions.__struct_fields__
    return ImportOptions(**{name: getattr(form, name) for name in names})


def _what_happened(refused: Conflict) -> str:
    if isinstance(refused, RehearsalChanged):
        return refused.message
    return _("Nothing was created: %(why)s", why=refused.message)


def _to_sessions(request: AnyRequest, ctx: RequestContext, service_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/services/{service_id}/sessions")


def _shown(request: AnyRequest) -> tuple[str, int]:
    """Which rows are asked for, and which page of them."""
    kind, number = request.query_params.get("show", ""), request.query_params.get("page", "1")
    is_number = number.isdecimal() and number.isascii() and len(number) < 5 and int(number) > 0
    return kind if kind in KINDS else KINDS[0], int(number) if is_number else 1


def _page_href(here: str, kind: str, number: int) -> str:
    return f"{here}?{urlencode({'show': kind, 'page': number})}"


route_handlers: list[Any] = [
    show_upload,
    take_upload,
    show_rehearsal,
    choose_again,
    take_up,
    give_up,
]
