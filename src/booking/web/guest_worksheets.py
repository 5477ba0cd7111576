"""Filling in a worksheet, by its link or on a guest's own pages."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.worksheet_filling import Filling, fill_in, version_to_fill
from src.booking.commands.worksheets import no_such_worksheet, taken_back
from src.booking.domain.worksheet_answers import typed_of
from src.booking.domain.worksheets import (
    MOST_FILES,
    CopyState,
    SheetKind,
    SheetQuestion,
    read_sheet_questions,
)
from src.booking.models import WorksheetVersion
from src.booking.queries.worksheet_copies import (
    answer_rows,
    get_copy,
    get_copy_row,
    get_file,
    list_copies_of_customer,
    list_own_files,
)
from src.booking.views.worksheets import FillView, PortalWorksheetsView
from src.booking.web.worksheet_copies import file_answer
from src.booking.worksheet_files import ACCEPT, LARGEST_FILE, kinds_of_files
from src.booking.worksheet_links import open_worksheet_link
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.forms import Bound, FormData, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.platform.web.uploads import UploadedFile
from src.tenants.context import RequestContext
from src.tenants.portal_sections import Portal, PortalHead, portal_head
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

LINKED = {"public": "The signed link is the key to this one worksheet.", "while_suspended": True}
BY_LINK = "/b/{slug:str}/worksheets/{sheet:str}"
OWN = f"{ME}/worksheets"
OWN_ONE = OWN + "/{copy_id:uuid}"
LARGEST_BODY = MOST_FILES * LARGEST_FILE + 1024 * 1024
"""As many files as one worksheet asks for, each as large as it may be, and what is typed."""
SENDING_BY_COPY = Limit("worksheet", 60, 10 * 60)
TOO_LARGE = "too-large"
ANSWERS = "answers."


class FillForm(msgspec.Struct, kw_only=True):
    """What a guest typed, by the keys of the questions; files come beside it. `version` is what
    they were shown, and `removed` are the questions whose file is to go.
    """

    version: Annotated[str, Meta(max_length=40)] = ""
    do: Annotated[str, Meta(max_length=10)] = "send"
    answers: dict[str, list[str]] = msgspec.field(default_factory=dict)
    removed: list[str] = msgspec.field(default_factory=list)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a worksheet is filled in: at its link, or on the guest's own pages with their head."""

    here: str
    back: str
    head: PortalHead | None = None


@get(BY_LINK, opt=LINKED)
async def show_by_link(
    request: AnyRequest,
    sheet: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The worksheet to fill in, or the answers once they were sent."""
    copy_id = await open_worksheet_link(services, ctx, sheet)
    return await _show(request, services, ctx, copy_id, _at_link(ctx, sheet))


@post(BY_LINK, opt=LINKED, status_code=200, request_max_body_size=LARGEST_BODY)
async def fill_by_link(
    request: AnyRequest,
    sheet: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    copy_id = await open_worksheet_link(services, ctx, sheet)
    return await _fill(request, services, ctx, copy_id, _at_link(ctx, sheet))


@get(BY_LINK + "/files/{file_id:uuid}", opt=LINKED)
async def show_file_by_link(
    sheet: FromPath[str],
    file_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    copy_id = await open_worksheet_link(services, ctx, sheet)
    async with services.uow_factory(ctx.here.id) as uow:
        return file_answer(await get_file(uow, copy_id, file_id))


@get(OWN, opt=GUESTS)
async def show_own_worksheets(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What the guest is still to fill in, and what they sent."""
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_copies_of_customer(uow, portal.guest.customer_id)
    view = PortalWorksheetsView(
        head=portal_head(portal, "worksheets"),
        waiting=[row for row in rows if row.is_open],
        sent=[row for row in rows if row.is_sent],
        here=f"{portal.path}/worksheets",
        zone=ctx.here.zone,
    )
    return page(request, "booking/portal/worksheets.html", view, headers=PRIVATE)


@get(OWN_ONE, opt=GUESTS)
async def show_own_worksheet(
    request: AnyRequest,
    copy_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await _own(request, services, ctx, copy_id)
    return await _show(request, services, ctx, copy_id, _at_portal(portal, copy_id))


@post(OWN_ONE, opt=GUESTS, status_code=200, request_max_body_size=LARGEST_BODY)
async def fill_own_worksheet(
    request: AnyRequest,
    copy_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await _own(request, services, ctx, copy_id)
    return await _fill(request, services, ctx, copy_id, _at_portal(portal, copy_id))


@get(OWN_ONE + "/files/{file_id:uuid}", opt=GUESTS)
async def show_own_file(
    request: AnyRequest,
    copy_id: FromPath[UUID],
    file_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    await _own(request, services, ctx, copy_id)
    async with services.uow_factory(ctx.here.id) as uow:
        return file_answer(await get_file(uow, copy_id, file_id))


async def _own(
    request: AnyRequest, services: Services, ctx: RequestContext, copy_id: UUID
) -> Portal:
    """Raises: NotFound for another guest's; Gone for one that was taken back."""
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        copy = await get_copy(uow, copy_id)
    if copy.customer_id != portal.guest.customer_id:
        raise no_such_worksheet()
    if copy.state == CopyState.TAKEN_BACK:
        raise taken_back()
    return portal


def _at_link(ctx: RequestContext, sheet: str) -> Place:
    home = f"/b/{ctx.here.slug}"
    return Place(here=f"{home}/worksheets/{sheet}", back=home)


def _at_portal(portal: Portal, copy_id: UUID) -> Place:
    back = f"{portal.path}/worksheets"
    return Place(here=f"{back}/{copy_id}", back=back, head=portal_head(portal, "worksheets"))


async def _fill(
    request: AnyRequest, services: Services, ctx: RequestContext, copy_id: UUID, place: Place
) -> Response[bytes]:
    """Sends it, or saves it to go on later (`do=save`). Where an answer is refused, files that are
    fine are kept with what was typed, so that nobody has to choose them again.
    """
    await services.limiter.check(SENDING_BY_COPY, str(copy_id))
    data = await read_form(request)
    bound = bind(FillForm, data)
    form = bound.struct
    if form is None:
        return await _show(request, services, ctx, copy_id, place, bound, status_code=422)
    filling = Filling(
        version_id=_id_in(form.version),
        typed=form.answers,
        files=_files_in(data),
        removed=frozenset(form.removed),
        is_sending=form.do != "save",
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            state = await fill_in(uow, ctx.here.entitlements, copy_id, filling)
    except InvalidInput as refused:
        if await _kept_as_draft(services, ctx, copy_id, filling, refused):
            # The ticked box was about the file that the chosen one took the place of.
            left = [key for key in form.removed if key not in filling.files]
            bound = bound.filled_with({"removed": left})
        shown = bound.refused(refused)
        return await _show(request, services, ctx, copy_id, place, shown, status_code=422)
    if state is None:
        flash(request, "info", _("You had sent it already, so nothing has changed."))
    elif filling.is_sending:
        flash(request, "success", _("Thank you, your answers are sent."))
    else:
        flash(request, "success", _("Saved, and not sent yet. You can go on at any time."))
    return redirect(request, place.here)


async def _kept_as_draft(
    services: Services,
    ctx: RequestContext,
    copy_id: UUID,
    filling: Filling,
    refused: InvalidInput,
) -> bool:
    """Whether the files were kept of what could not be sent."""
    if not filling.is_sending or not filling.files or _names_file(refused, filling):
        return False
    draft = msgspec.structs.replace(filling, is_sending=False)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            return await fill_in(uow, ctx.here.entitlements, copy_id, draft) is not None
    except InvalidInput:
        return False


def _id_in(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _files_in(data: FormData) -> dict[str, UploadedFile]:
    """By the keys of their questions; a field where nothing was chosen comes as an empty file."""
    return {
        name.removeprefix(ANSWERS): files[-1]
        for name, files in data.files.items()
        if name.startswith(ANSWERS) and (files[-1].content or files[-1].filename != "file")
    }


def _names_file(refused: InvalidInput, filling: Filling) -> bool:
    return any(f"{ANSWERS}{key}" in refused.fields for key in filling.files)


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    copy_id: UUID,
    place: Place,
    form: Bound[FillForm] | None = None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    """What was refused is shown in the version that was filled in, though another was published
    since: the sentences stand at its questions.
    """
    shown_id = None if form is None else _id_in(form.value("version"))
    async with services.uow_factory(ctx.here.id) as uow:
        row, copy = await get_copy_row(uow, copy_id), await get_copy(uow, copy_id)
        version = (
            await uow.session.get_one(WorksheetVersion, (uow.tenant, copy.version_id))
            if row.is_sent
            else await version_to_fill(uow, copy, shown_id)
        )
        files = await list_own_files(uow, copy)
    questions = read_sheet_questions(version.questions)
    if form is None:
        begun = copy.answers if copy.draft is None else copy.draft
        form = blank(FillForm, {"answers": typed_of(begun)})
        if TOO_LARGE in request.query_params:
            form = form.with_errors(*_too_large(questions))
    view = FillView(
        head=place.head,
        row=msgspec.structs.replace(row, title=version.title, number=version.number),
        introduction=version.introduction,
        version=str(version.id),
        questions=list(questions),
        answers=answer_rows(copy.answers, files, questions) if row.is_sent else [],
        files=files,
        form=form,
        accept=ACCEPT,
        kinds=kinds_of_files(),
        reopened_why=copy.reopened_why if row.state == "reopened" else "",
        there=f"{place.here}/files",
        action=place.here,
        back=place.back,
        zone=ctx.here.zone,
    )
    template = "booking/guest/worksheet.html" if place.head is None else _IN_PORTAL
    return page(request, template, view, status_code=status_code, headers=PRIVATE)


_IN_PORTAL = "booking/portal/worksheet.html"


def _too_large(questions: Sequence[SheetQuestion]) -> tuple[dict[str, str], str]:
    """What is said at the fields for files, and above the form: what was typed did not arrive."""
    sentence = _("What you chose is too large to be sent: at most 5 MB each.")
    above = _(
        "What you sent was too large to arrive, and nothing of it is saved. Below is what had been"
        " saved before."
    )
    files = [one.key for one in questions if one.kind is SheetKind.FILE]
    return {f"{ANSWERS}{key}": sentence for key in files}, above


def back_with_too_large(request: AnyRequest, _error: RequestEntityTooLarge) -> Response[Any] | None:
    """An error renderer: a body that the server does not read at all leads back to the worksheet,
    whose fields for files say why. None for what is no worksheet.
    """
    path = request.scope["path"]
    is_worksheet = path.startswith("/b/") and "/worksheets/" in path
    return redirect(request, f"{path}?{TOO_LARGE}") if is_worksheet else None


route_handlers: list[Any] = [
    show_by_link,
    fill_by_link,
    show_file_by_link,
    show_own_worksheets,
    show_own_worksheet,
    fill_own_worksheet,
    show_own_file,
]
