"""/app/<slug>/services/<id>/import: a timetable file is rehearsed, looked at, then taken up."""

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

import msgspec
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
from src.booking.commands.services import get_group_service
from src.booking.domain.timetable_columns import ColumnsUnknown
from src.booking.models import Service, TimetableImport
from src.booking.queries.imports import (
    get_import,
    list_imports,
    options_of,
)
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.services import get_service_head
from src.booking.views.imports import ImportOptions, PastImport, Ticks
from src.booking.views.services import ServiceHead
from src.booking.web.import_rehearsal import page_href, read_timetable, rehearsal_page
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
TEXTS = ("text/plain",)
Uids = frozenset[Annotated[str, Meta(max_length=300)]]

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


class ChoicesForm(OptionsForm, kw_only=True):
    """The choices on the rehearsal's page: also which rows, of those that it `shown`.

    `go_to`: the page of rows that is wanted next.
    """

    shown: Uids = frozenset()
    ticked: Uids = frozenset()
    show: Annotated[str, Meta(max_length=20)] = ""
    go_to: int | None = None

    @property
    def ticks(self) -> Ticks:
        return Ticks(shown=self.shown, ticked=self.ticked)


class CommitForm(ChoicesForm, kw_only=True):
    """The choices on the page, and in `digest` the rehearsal that it showed."""

    digest: Annotated[str, Meta(max_length=64)] = ""


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """The upload, and what was uploaded before."""

    form: Any
    service: ServiceHead
    past: list[PastImport]
    base: str
    zone: str
    performers: list[Choice]
    locations: list[Choice]


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
        service = await get_group_service(uow, service_id)
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
    options = _options_of(form)
    try:
        await _check_readable(services, ctx, form.file.content, options)
        async with services.uow_factory(ctx.here.id) as uow:
            import_id = await keep_timetable(
                uow,
                ctx,
                service_id,
                filename=form.file.filename,
                content=form.file.content,
                options=options,
                import_id=form.token,
            )
    except InvalidInput as refused:
        bound = bound.with_errors(refused.fields or {"file": refused.message})
        return await _upload_page(request, services, ctx, bound, service_id, status_code=422)
    return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}")


async def _check_readable(
    services: Services, ctx: RequestContext, content: bytes, options: ImportOptions
) -> None:
    """A table whose columns have to be pointed out will do. Raises: InvalidInput for the rest."""
    with suppress(ColumnsUnknown):
        await read_timetable(services, ctx, content, options)


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
    try:
        return await rehearsal_page(request, services, ctx, stored, form)
    except ColumnsUnknown:
        return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}/columns")


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
    bound = bind(ChoicesForm, await read_form(request))
    form = bound.struct
    try:
        if form is not None:
            async with services.uow_factory(ctx.here.id) as uow:
                await change_options(uow, ctx, import_id, _options_of(form), form.ticks)
            here = f"/app/{ctx.here.slug}/imports/{import_id}"
            return redirect(request, page_href(here, form.show, form.go_to))
    except InvalidInput as refused:
        bound = bound.refused(refused)
    return await rehearsal_page(request, services, ctx, stored, bound, status_code=422)


@post(
    "/app/{slug:str}/imports/{import_id:uuid}/commit",
    **POST_OPTIONS,
    shown_at="/app/{slug}/imports/{import_id}",
)
async def take_up(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    import_id: FromPath[UUID],
) -> Response[bytes]:
    """Creates what the rehearsal said; when that is no longer right, or the choices on the page are
    others than those it was worked out for, shows the new one instead.
    """
    bound = bind(CommitForm, await read_form(request))
    async with services.uow_factory(ctx.here.id) as uow:
        stored = await get_import(uow, import_id)
    try:
        if bound.struct is None:
            return await rehearsal_page(request, services, ctx, stored, bound, status_code=422)
        if stored.state != "committed" and await _chosen_anew(services, ctx, stored, bound.struct):
            said = _("Your choices have changed: it was worked out again, nothing is created yet.")
            flash(request, "warning", said)
            return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}")
        return await _commit(request, services, ctx, stored, bound.struct.digest)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await rehearsal_page(request, services, ctx, stored, bound, status_code=422)


async def _chosen_anew(
    services: Services, ctx: RequestContext, stored: TimetableImport, form: ChoicesForm
) -> bool:
    async with services.uow_factory(ctx.here.id) as uow:
        return await change_options(uow, ctx, stored.id, _options_of(form), form.ticks)


async def _commit(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    stored: TimetableImport,
    digest: str,
) -> Response[bytes]:
    timetable = await read_timetable(services, ctx, stored.content, options_of(stored))
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            count = await commit_import(uow, ctx, stored.id, timetable, digest)
    except Conflict as refused:
        flash(request, "warning", _what_happened(refused))
        return redirect(request, f"/app/{ctx.here.slug}/imports/{stored.id}")
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


def _initial_of(service: Service) -> dict[str, Any]:
    names = ("default_capacity", "default_performer_id", "default_location_id")
    return {name: getattr(service, name) for name in names}


def _options_of(form: OptionsForm) -> ImportOptions:
    names = OptionsForm.__struct_fields__
    return ImportOptions(**{name: getattr(form, name) for name in names})


def _what_happened(refused: Conflict) -> str:
    if isinstance(refused, RehearsalChanged):
        return refused.message
    return _("Nothing was created: %(why)s", why=refused.message)


def _to_sessions(request: AnyRequest, ctx: RequestContext, service_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/services/{service_id}/sessions")


route_handlers: list[Any] = [
    show_upload,
    take_upload,
    show_rehearsal,
    choose_again,
    take_up,
    give_up,
]
